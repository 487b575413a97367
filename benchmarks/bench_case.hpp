// The problems that are timed, and those that are only checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "convoy/element.hpp"
#include "convoy/shape.hpp"
#include "convoy/spec.hpp"

namespace convoy::bench {

struct BenchCase {
  std::string name;
  std::string seen_as;
  Shape image;
  Shape kernel;
  Mode mode = Mode::same;
  /// The padded size of the case's published floor, z, y, x.
  std::optional<Shape> reference_padded;
  /// How much smaller than the case of this name: 1 is the case itself.
  double scale = 1;
  /// The scale at which a laptop's processor does it in seconds.
  double cpu_scale = 1;
  Index batch = 1;  ///< images of this shape
  Element element = Element::f32;
  double sigma = 0;  ///< of a Gaussian kernel, in voxels; 0: the kernel is noise
};

/// S0, S1, M1, C1, C2, W1, O1, P2.
const std::vector<BenchCase>& standard_cases();
/// Batches, signals, small kernels: B256, B512, B64, L64k, L128M, D3, D7, V3, V5, G2.
const std::vector<BenchCase>& shape_cases();
/// Small and odd shapes in every mode: right or wrong is known in seconds.
const std::vector<BenchCase>& tiny_cases();
/// Problems of every mode and dimension with at most 2^20 voxels. Equal seeds give equal problems.
std::vector<BenchCase> random_cases(int count, std::uint64_t seed);

/// Every extent above 1 times `scale`, at least 1; odd kernels stay odd and even ones even. The reference padding is
/// dropped unless scale is 1.
BenchCase scaled(BenchCase whole, double scale);

/// "S0,C2", "all", "shapes", "tiny", "random:20". Throws Error(invalid_argument) naming the cases there are.
std::vector<BenchCase> cases_from_text(const std::string& text);

}  // namespace convoy::bench
