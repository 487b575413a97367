// A case with its voxels: zero-mean normal noise, because a mean hides errors and zeros hide both errors and time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "bench_case.hpp"
#include "convoy/convolution.hpp"

namespace convoy::bench {

struct Problem {
  BenchCase which;
  ConvolutionSpec spec;
  std::vector<float> image;
  /// Noise whose squares sum to 1: the output's voxels are of the image's size, and every kernel voxel counts.
  std::vector<float> kernel;

  ImageView image_view() const { return {image, spec.image}; }
  ImageView kernel_view() const { return {kernel, spec.kernel}; }
};

Problem make_problem(const BenchCase& which, Precision precision);

/// The same without the image, which fill_with_image() makes where it is wanted.
Problem make_problem_without_image(const BenchCase& which, Precision precision);
void fill_with_image(std::span<float> voxels);

/// Standard normal values; the same for the same seed, however many threads make them.
std::vector<float> normal_noise(std::size_t count, std::uint64_t seed);

/// floor(k/2) per axis: the origin of Mode::same and Mode::circular in all problems here.
Shape center_of(const Shape& kernel);

}  // namespace convoy::bench
