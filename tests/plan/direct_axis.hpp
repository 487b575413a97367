// One axis of a convolution by its definition, and the same axis as a device would do it from an AxisPlan. Integers, so
// the two must be equal.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "convoy/plan.hpp"

namespace convoy::test {

using Signal = std::vector<long>;

inline Index modulo(Index a, Index n) { return (a % n + n) % n; }

/// The image voxel that lies at position p of the extended image, if one does.
inline std::optional<Index> voxel_at(Index p, Index n, const ConvolutionSpec& spec) {
  if (p >= 0 && p < n) return p;
  if (spec.mode == Mode::circular) return modulo(p, n);
  if (spec.mode != Mode::same) return std::nullopt;
  switch (spec.boundary) {
    case Boundary::zero:
    case Boundary::constant:
      break;
    case Boundary::reflect:
      return modulo(p, 2 * n) < n ? modulo(p, 2 * n) : 2 * n - 1 - modulo(p, 2 * n);
    case Boundary::mirror:
      return n == 1 ? 0 : modulo(p, 2 * n - 2) < n ? modulo(p, 2 * n - 2) : 2 * n - 2 - modulo(p, 2 * n - 2);
    case Boundary::nearest:
      return p < 0 ? 0 : n - 1;
    case Boundary::wrap:
      return modulo(p, n);
  }
  return std::nullopt;
}

inline long extended(const Signal& image, Index p, const ConvolutionSpec& spec) {
  if (const auto voxel = voxel_at(p, static_cast<Index>(image.size()), spec)) return image[*voxel];
  return spec.boundary == Boundary::constant ? static_cast<long>(spec.constant) : 0;
}

/// By the definitions in spec.hpp; `origin` is the kernel's.
inline Signal direct(const Signal& image, const Signal& given, Index origin, const ConvolutionSpec& spec) {
  const Index n = static_cast<Index>(image.size());
  const Index k = static_cast<Index>(given.size());
  const bool windowed = spec.mode == Mode::full || spec.mode == Mode::valid;
  const bool correlate = spec.operation == Operation::correlate;
  const bool flip = spec.operation == Operation::flip;
  const Signal kernel = flip || (correlate && windowed) ? Signal(given.rbegin(), given.rend()) : given;
  if (correlate && !windowed) {
    Signal adjoint(static_cast<std::size_t>(n), 0);
    for (Index o = 0; o < n; ++o) {
      for (Index m = 0; m < k; ++m) {
        if (const auto voxel = voxel_at(o + origin - m, n, spec)) adjoint[*voxel] += kernel[m] * image[o];
      }
    }
    return adjoint;
  }
  const Index first = spec.mode == Mode::full    ? 0
                      : spec.mode == Mode::valid ? std::min(n, k) - 1
                      : flip                     ? k - 1 - origin
                                                 : origin;
  const Index size = spec.mode == Mode::full    ? n + k - 1
                     : spec.mode == Mode::valid ? std::max(n, k) - std::min(n, k) + 1
                                                : n;
  Signal output(static_cast<std::size_t>(size), 0);
  for (Index o = 0; o < size; ++o) {
    for (Index m = 0; m < k; ++m) output[o] += kernel[m] * extended(image, o + first - m, spec);
  }
  return output;
}

/// The kernel that the device is given: reversed, folded, cropped as AxisPlan says, in one period of the transform.
inline Signal device_period(const Signal& given, const AxisPlan& plan, const ConvolutionSpec& spec) {
  Signal kernel = spec.operation != Operation::convolve ? Signal(given.rbegin(), given.rend()) : given;
  if (plan.fold_kernel) {
    Signal folded(static_cast<std::size_t>(plan.image), 0);
    for (Index t = 0; t < plan.kernel; ++t) folded[t % plan.image] += kernel[t];
    kernel = folded;
  }
  Signal period(static_cast<std::size_t>(plan.padded), 0);
  for (Index t = plan.kernel_begin; t < plan.kernel_begin + plan.kernel_size; ++t) {
    period[modulo(t - plan.kernel_delta, plan.padded)] += kernel.at(static_cast<std::size_t>(t));
  }
  return period;
}

inline Signal on_device(const Signal& image, const Signal& given, const AxisPlan& plan, const ConvolutionSpec& spec) {
  ConvolutionSpec input_rule = spec;
  if (spec.operation == Operation::correlate && spec.mode == Mode::same && spec.boundary != Boundary::wrap) {
    input_rule.boundary = Boundary::zero;
  }
  const Signal period = device_period(given, plan, spec);
  Signal output(static_cast<std::size_t>(plan.output), 0);
  for (Index t = 0; t < plan.num_tiles; ++t) {
    const Index begin = t * plan.tile_output;
    for (Index b = 0; b < plan.tile_output && begin + b < plan.output; ++b) {
      for (Index a = 0; a < plan.tile_input; ++a) {
        output[begin + b] +=
            extended(image, begin + plan.input_offset + a, input_rule) * period[modulo(b - a, plan.padded)];
      }
    }
  }
  return output;
}

inline Signal folded_back(const Signal& output, const AxisPlan& plan, const ConvolutionSpec& spec) {
  Signal image(static_cast<std::size_t>(plan.image), 0);
  for (Index o = 0; o < plan.output; ++o) image[*voxel_at(o + plan.fold_begin, plan.image, spec)] += output[o];
  return image;
}

}  // namespace convoy::test
