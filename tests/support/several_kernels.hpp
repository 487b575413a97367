// Problems of several kernels, and what they make by direct sums, one kernel after the other.
#pragma once

#include <algorithm>
#include <vector>

#include "convoy/convoy.hpp"
#include "selftest/oracle.hpp"
#include "support/random_problem.hpp"

namespace convoy::test {

/// Voxels of a problem, zero-mean.
struct KernelsProblem {
  ConvolutionSpec spec;
  std::vector<double> images;   ///< num_images(spec)
  std::vector<double> kernels;  ///< spec.num_kernels
  std::vector<double> weights;  ///< of Pairing::sum as many, else none
};

inline std::vector<double> several(const Shape& shape, Index count, std::uint64_t seed) {
  return oracle::random_image({count * shape.z, shape.y, shape.x}, seed);
}

/// `separable`: each kernel is one product of functions of one axis each.
inline KernelsProblem kernels_problem(const ConvolutionSpec& spec, std::uint64_t seed, bool separable = false) {
  KernelsProblem problem{spec, several(spec.image, num_images(spec), 3 * seed), {}, {}};
  for (Index i = 0; i < spec.num_kernels; ++i) {
    const auto own_seed = 3 * seed + 1 + 1000 * static_cast<std::uint64_t>(i);
    const std::vector<double> one =
        separable ? oracle::random_separable(spec.kernel, own_seed) : oracle::random_image(spec.kernel, own_seed);
    problem.kernels.insert(problem.kernels.end(), one.begin(), one.end());
  }
  if (spec.pairing == Pairing::sum) problem.weights = several(weights_shape(spec), spec.num_kernels, 3 * seed + 2);
  return problem;
}

/// Of voxels that lie one behind the other, those of one image.
inline std::vector<double> part(const std::vector<double>& all, const Shape& shape, Index number) {
  const auto begin = all.begin() + number * num_voxels(shape);
  return {begin, begin + num_voxels(shape)};
}

inline std::vector<double> cropped(const std::vector<double>& whole, const Shape& shape, const Box& box) {
  std::vector<double> voxels;
  for (Index z = box.begin.z; z < box.begin.z + box.size.z; ++z) {
    for (Index y = box.begin.y; y < box.begin.y + box.size.y; ++y) {
      const auto row = whole.begin() + (z * shape.y + y) * shape.x + box.begin.x;
      voxels.insert(voxels.end(), row, row + box.size.x);
    }
  }
  return voxels;
}

/// By the definitions of Pairing, from sums over one kernel.
inline std::vector<double> truth_of(const KernelsProblem& problem) {
  const ConvolutionSpec& spec = problem.spec;
  ConvolutionSpec one = spec;
  one.batch = one.num_kernels = 1;
  one.pairing = Pairing::all;
  one.region.reset();  // the sums know none
  const Shape whole = output_shape(one);
  const bool adjoint = spec.operation == Operation::correlate;
  const auto voxels_out = static_cast<std::size_t>(num_voxels(output_shape(spec)));
  std::vector<double> truth(voxels_out * static_cast<std::size_t>(num_outputs(spec)));
  const auto add = [&](Index image, Index kernel, Index output) {
    std::vector<double> voxels = part(problem.images, spec.image, image);
    std::vector<double> weights;
    if (spec.pairing == Pairing::sum) weights = part(problem.weights, weights_shape(spec), kernel);
    for (std::size_t i = 0; !adjoint && i < weights.size(); ++i) voxels[i] *= weights[i];
    std::vector<double> sums = oracle::direct(one, voxels, part(problem.kernels, spec.kernel, kernel));
    for (std::size_t i = 0; adjoint && i < weights.size(); ++i) sums[i] *= weights[i];
    if (spec.region) sums = cropped(sums, whole, *spec.region);
    for (std::size_t i = 0; i < voxels_out; ++i) truth[static_cast<std::size_t>(output) * voxels_out + i] += sums[i];
  };
  for (Index b = 0; b < spec.batch; ++b) {
    if (spec.pairing == Pairing::each) {
      add(b, b, b);
      continue;
    }
    for (Index k = 0; k < spec.num_kernels; ++k) {
      const Index of_both = b * spec.num_kernels + k;
      const bool all = spec.pairing == Pairing::all;
      add(all && adjoint ? of_both : b, k, all && !adjoint ? of_both : b);
    }
  }
  return truth;
}

/// Another number of kernels and images for a spec of one, paired in some way that the spec allows.
inline ConvolutionSpec with_kernels(ConvolutionSpec spec, Dice& dice) {
  const bool has_constant = spec.boundary == Boundary::constant && spec.constant != 0;
  spec.pairing = has_constant ? dice.one_of({Pairing::all, Pairing::each})
                              : dice.one_of({Pairing::all, Pairing::each, Pairing::sum});
  spec.num_kernels = dice.between(spec.pairing == Pairing::sum ? 1 : 2, 4);
  spec.batch = spec.pairing == Pairing::each ? spec.num_kernels : dice.between(1, 2);
  return spec;
}

}  // namespace convoy::test
