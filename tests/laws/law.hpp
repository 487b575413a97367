// Laws that convolutions keep, over random cases that can be made again from a number.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "support/random_problem.hpp"

namespace convoy::laws {

/// What a law is tried on.
struct Case {
  ConvolutionSpec spec;
  Index min_tiles = 1;
  int min_sets = 1;
  Method method = Method::fft;
  std::optional<Path> path;  ///< of Method::fft
  /// Of the way from the smallest footprint to that of the whole image; below 0: no limit.
  double memory_share = -1;
  std::optional<Box> region;
  Element element = Element::f32;  ///< of images that lie on the device
  SumTuning sum_tuning;            ///< of sums there
  Shape shift{0, 0, 0};            ///< voxels by which an image is moved round
  std::uint64_t voxels_seed = 0;
};

/// One line.
std::string to_text(const Case& one);

/// Thrown where a run breaks what holds for all of them.
struct Broken {
  std::string how;
};

struct Law {
  const char* name;
  const char* says;
  Case (*make)(test::Dice& dice);
  /// Empty, or how it is broken. Throws Broken and what the library throws.
  std::string (*broken_by)(const Case& one);
};

/// All that hold.
const std::vector<Law>& all_laws();
/// One that does not, to see a failure reported.
const Law& false_law();

/// How the law is broken or what was thrown; empty if it holds.
std::string failure_of(const Law& law, const Case& one);

/// A smaller case that fails as well, of which nothing can be left out without its holding.
Case shrunk(const Law& law, const Case& failing);

}  // namespace convoy::laws
