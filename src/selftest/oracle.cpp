#include "selftest/oracle.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numbers>

namespace convoy::oracle {
namespace {

/// splitmix64: small, seedable, the same everywhere.
std::uint64_t next(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

double uniform(std::uint64_t& state) { return (static_cast<double>(next(state) >> 11) + 0.5) * 0x1p-53; }

constexpr Index kNone = -1;

/// The image position that extended position `at` shows; written independently of the library, step by step.
Index show(Boundary boundary, Index at, Index n) {
  while (at < 0 || at >= n) {
    switch (boundary) {
      case Boundary::zero:
      case Boundary::constant:
        return kNone;
      case Boundary::nearest:
        at = at < 0 ? 0 : n - 1;
        break;
      case Boundary::wrap:
        at += at < 0 ? n : -n;
        break;
      case Boundary::reflect:
        at = at < 0 ? -1 - at : 2 * n - 1 - at;
        break;
      case Boundary::mirror:
        if (n == 1) return 0;
        at = at < 0 ? -at : 2 * (n - 1) - at;
        break;
    }
  }
  return at;
}

Index origin_index(const Origin& origin, Operation operation, int axis, Index k) {
  switch (origin.rule) {
    case Origin::Rule::center:
      return k / 2;
    case Origin::Rule::scipy:
      return operation == Operation::flip ? k / 2 : (k - 1) / 2;
    case Origin::Rule::at:
      return origin.index[axis];
    default:
      return 0;
  }
}

struct Axis {
  Index n, k, q, shift;  // out[o] = sum of image[o + shift - t] * kernel[t]
};

Axis axis_of(const ConvolutionSpec& spec, int axis) {
  const Index n = spec.image[axis];
  const Index k = spec.kernel[axis];
  switch (spec.mode) {
    case Mode::full:
      return {n, k, n + k - 1, 0};
    case Mode::valid:
      return {n, k, std::abs(n - k) + 1, std::min(n, k) - 1};
    default: {
      const Index origin = origin_index(spec.origin, spec.operation, axis, k);
      return {n, k, n, spec.operation == Operation::flip ? k - 1 - origin : origin};
    }
  }
}

Boundary boundary_of(const ConvolutionSpec& spec) {
  if (spec.mode == Mode::circular) return Boundary::wrap;
  return spec.mode == Mode::valid ? Boundary::zero : spec.boundary;
}

}  // namespace

std::vector<double> random_values(std::size_t count, std::uint64_t seed) {
  std::vector<double> values(count);
  std::uint64_t state = seed * 0x2545f4914f6cdd1d + 1;
  for (double& value : values) {
    value = std::sqrt(-2 * std::log(uniform(state))) * std::cos(2 * std::numbers::pi * uniform(state));
    value = static_cast<double>(static_cast<float>(value));  // exact in float32 too
  }
  return values;
}

std::vector<double> random_image(const Shape& shape, std::uint64_t seed) {
  return random_values(static_cast<std::size_t>(convoy::num_voxels(shape)), seed);
}

std::vector<double> random_separable(const Shape& shape, std::uint64_t seed) {
  std::vector<double> values{1};
  for (int axis = 0; axis < 3; ++axis) {
    const std::vector<double> factors = random_values(static_cast<std::size_t>(shape[axis]), seed + 100 * (1 + axis));
    std::vector<double> longer;
    for (const double value : values) {
      for (const double factor : factors) longer.push_back(value * factor);
    }
    values = std::move(longer);
  }
  return values;
}

std::vector<double> direct(const ConvolutionSpec& spec, const std::vector<double>& image,
                           const std::vector<double>& kernel) {
  const bool adjoint =
      spec.operation == Operation::correlate && (spec.mode == Mode::same || spec.mode == Mode::circular);
  const bool reversed = spec.operation != Operation::convolve && !adjoint;
  const Axis z = axis_of(spec, 0), y = axis_of(spec, 1), x = axis_of(spec, 2);
  const Boundary boundary = boundary_of(spec);
  double scale = 1;
  if (spec.normalize_kernel) {
    scale = 0;
    for (const double value : kernel) scale += value;
    scale = 1 / scale;
  }
  std::vector<double> out(static_cast<std::size_t>(z.q * y.q * x.q), 0.0);
  // One visit per pair of output (of the forward operator) and kernel voxel; `read` is the extended position it reads.
  for (Index oz = 0; oz < z.q; ++oz)
    for (Index oy = 0; oy < y.q; ++oy)
      for (Index ox = 0; ox < x.q; ++ox)
        for (Index tz = 0; tz < z.k; ++tz)
          for (Index ty = 0; ty < y.k; ++ty)
            for (Index tx = 0; tx < x.k; ++tx) {
              const Index iz = show(boundary, oz + z.shift - tz, z.n);
              const Index iy = show(boundary, oy + y.shift - ty, y.n);
              const Index ix = show(boundary, ox + x.shift - tx, x.n);
              const bool outside = iz == kNone || iy == kNone || ix == kNone;
              const Index t = reversed ? ((z.k - 1 - tz) * y.k + (y.k - 1 - ty)) * x.k + (x.k - 1 - tx)
                                       : (tz * y.k + ty) * x.k + tx;
              const double weight = kernel[static_cast<std::size_t>(t)] * scale;
              const auto here = static_cast<std::size_t>((oz * y.q + oy) * x.q + ox);
              if (adjoint) {  // the transpose: what the forward operator reads from, this one adds to
                if (!outside) out[static_cast<std::size_t>((iz * y.n + iy) * x.n + ix)] += weight * image[here];
              } else if (outside) {
                out[here] += weight * (boundary == Boundary::constant ? spec.constant : 0.0);
              } else {
                out[here] += weight * image[static_cast<std::size_t>((iz * y.n + iy) * x.n + ix)];
              }
            }
  return out;
}

template <class T>
double relative_l2(const std::vector<T>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = static_cast<double>(a[i]) - b[i];
    difference += d * d;
    norm += b[i] * b[i];
  }
  if (!std::isfinite(difference)) return std::numeric_limits<double>::infinity();
  return norm > 0 ? std::sqrt(difference / norm) : std::sqrt(difference);
}

template double relative_l2(const std::vector<float>&, const std::vector<double>&);
template double relative_l2(const std::vector<double>&, const std::vector<double>&);

std::string to_text(const ConvolutionSpec& spec) {
  std::string origin = name(spec.origin.rule);
  if (spec.origin.rule == Origin::Rule::at) origin += fmt::format("({})", convoy::to_text(spec.origin.index));
  return fmt::format("image {} kernel {} {} {} origin {} {} {}", convoy::to_text(spec.image),
                     convoy::to_text(spec.kernel), name(spec.mode), name(spec.boundary), origin, name(spec.operation),
                     name(spec.precision));
}

}  // namespace convoy::oracle
