#include "samples.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <random>
#include <set>
#include <tuple>

#include "base/worker_pool.hpp"
#include "convoy/device.hpp"
#include "convoy/error.hpp"
#include "selftest/tolerances.hpp"

namespace convoy::bench {
namespace {

constexpr std::size_t kNumSamples = 64;
constexpr Index kSmallVoxels = Index{1} << 21;

/// One axis of output[o] = sum over u of reversed[u] * image[o + first + u], 0 <= u < k.
struct AxisSum {
  Index image;
  Index kernel;
  Index first;
  bool wraps;
};

AxisSum axis_sum(const ConvolutionSpec& spec, int axis) {
  const Index n = spec.image[axis];
  const Index k = spec.kernel[axis];
  Index shift = 0;
  if (spec.mode == Mode::valid) shift = std::min(n, k) - 1;
  if (spec.mode == Mode::same || spec.mode == Mode::circular) shift = k / 2;
  return {n, k, shift - (k - 1), spec.mode == Mode::circular};
}

/// Neighbouring voxels of the image that meet neighbouring voxels of the reversed kernel.
struct Run {
  Index image;
  Index kernel;
  Index length;
};

std::vector<Run> runs_of(const AxisSum& axis, Index output) {
  const Index begin = output + axis.first;
  if (!axis.wraps) {
    const Index low = std::max<Index>(0, begin);
    const Index high = std::min(axis.image, begin + axis.kernel);
    return low < high ? std::vector<Run>{{low, low - begin, high - low}} : std::vector<Run>{};
  }
  std::vector<Run> runs;
  for (Index u = 0; u < axis.kernel;) {
    const Index at = ((begin + u) % axis.image + axis.image) % axis.image;
    const Index length = std::min(axis.image - at, axis.kernel - u);
    runs.push_back({at, u, length});
    u += length;
  }
  return runs;
}

double dot(const float* a, const float* b, Index length) {
  double lanes[8] = {};  // independent sums, so that the compiler may use vectors
  Index i = 0;
  for (; i + 8 <= length; i += 8) {
    for (Index lane = 0; lane < 8; ++lane) {
      lanes[lane] += static_cast<double>(a[i + lane]) * static_cast<double>(b[i + lane]);
    }
  }
  for (; i < length; ++i) lanes[0] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

/// Summed row by row, then plane by plane: rounding stays near that of one row.
double direct_sum(const ConvolutionSpec& spec, std::span<const float> image, const std::vector<float>& reversed,
                  const Shape& output) {
  const Shape& n = spec.image;
  const Shape& k = spec.kernel;
  const auto runs_z = runs_of(axis_sum(spec, 0), output.z);
  const auto runs_y = runs_of(axis_sum(spec, 1), output.y);
  const auto runs_x = runs_of(axis_sum(spec, 2), output.x);
  double sum = 0;
  for (const Run& z : runs_z) {
    for (Index i = 0; i < z.length; ++i) {
      double plane = 0;
      for (const Run& y : runs_y) {
        for (Index j = 0; j < y.length; ++j) {
          const float* image_row = image.data() + ((z.image + i) * n.y + y.image + j) * n.x;
          const float* kernel_row = reversed.data() + ((z.kernel + i) * k.y + y.kernel + j) * k.x;
          for (const Run& x : runs_x) plane += dot(image_row + x.image, kernel_row + x.kernel, x.length);
        }
      }
      sum += plane;
    }
  }
  return sum;
}

std::vector<Shape> sample_positions(const Shape& shape) {
  std::set<std::tuple<Index, Index, Index>> chosen;
  for (const Index z : {Index{0}, shape.z / 2, shape.z - 1}) {
    for (const Index y : {Index{0}, shape.y / 2, shape.y - 1}) {
      for (const Index x : {Index{0}, shape.x / 2, shape.x - 1}) chosen.emplace(z, y, x);
    }
  }
  std::mt19937_64 engine(3);
  const auto pick = [&](Index extent) { return static_cast<Index>(engine() % static_cast<std::uint64_t>(extent)); };
  const std::size_t wanted = std::min(kNumSamples, static_cast<std::size_t>(num_voxels(shape)));
  while (chosen.size() < wanted) {
    const Index z = pick(shape.z);
    const Index y = pick(shape.y);
    chosen.emplace(z, y, pick(shape.x));
  }
  std::vector<Shape> positions;
  for (const auto& [z, y, x] : chosen) positions.push_back({z, y, x});
  return positions;
}

double value_at(const ImageView& view, Index position) {
  return view.element == Element::f32 ? static_cast<const float*>(view.data)[position]
                                      : static_cast<const double*>(view.data)[position];
}

/// Sums of squares that make up a relative L2 error.
struct SquareSums {
  double difference = 0;
  double truth = 0;

  void add(double value, double expected) {
    difference += (value - expected) * (value - expected);
    truth += expected * expected;
  }
  double relative() const {
    const double ratio = truth > 0 ? std::sqrt(difference / truth) : std::sqrt(difference);
    return std::isfinite(ratio) ? ratio : std::numeric_limits<double>::infinity();
  }
};

}  // namespace

Samples make_samples(const Problem& problem) { return make_samples(problem.spec, problem.image, problem.kernel); }

Samples make_samples(const ConvolutionSpec& spec, std::span<const float> image, std::span<const float> kernel) {
  Samples samples;
  samples.positions = sample_positions(output_shape(spec));
  samples.truth.resize(samples.positions.size());
  const std::vector<float> reversed(kernel.rbegin(), kernel.rend());
  host_workers().for_each(static_cast<std::int64_t>(samples.positions.size()), 1,
                          [&](int, std::int64_t begin, std::int64_t end) {
                            for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
                              samples.truth[i] = direct_sum(spec, image, reversed, samples.positions[i]);
                            }
                          });
  return samples;
}

double relative_error(const Samples& samples, const ImageView& output) {
  SquareSums sums;
  for (std::size_t i = 0; i < samples.positions.size(); ++i) {
    const Shape& at = samples.positions[i];
    sums.add(value_at(output, (at.z * output.shape.y + at.y) * output.shape.x + at.x), samples.truth[i]);
  }
  return sums.relative();
}

namespace {

bool is_small(const Problem& problem) {
  return num_voxels(problem.spec.image) + num_voxels(problem.spec.kernel) <= kSmallVoxels;
}

/// The CPU backend needs FFTW, which a GPU machine may lack: then the samples alone decide.
std::optional<Device> cpu_if_there() {
  try {
    return open_device("cpu");
  } catch (const Error& absent) {
    if (absent.code() != Errc::backend_unavailable) throw;
    return std::nullopt;
  }
}

double relative_error_of_every_voxel(const Problem& problem, Device& cpu, const ImageView& output) {
  ConvolutionSpec spec = problem.spec;
  spec.precision = Precision::f64;
  Convolver oracle(spec, problem.kernel_view(), cpu);
  std::vector<double> truth(static_cast<std::size_t>(num_voxels(oracle.output_shape())));
  oracle.run(problem.image_view(), MutableImageView(truth, oracle.output_shape()));
  SquareSums sums;
  for (std::size_t i = 0; i < truth.size(); ++i) sums.add(value_at(output, static_cast<Index>(i)), truth[i]);
  return sums.relative();
}

}  // namespace

Verdict check_output(const Problem& problem, const Samples& samples, const ImageView& output) {
  Verdict verdict{relative_error(samples, output), tolerances::convolution(problem.spec.precision),
                  samples.positions.size()};
  if (!is_small(problem)) return verdict;
  if (std::optional<Device> cpu = cpu_if_there()) {
    verdict.relative_l2 = std::max(verdict.relative_l2, relative_error_of_every_voxel(problem, *cpu, output));
    verdict.num_checked = static_cast<std::size_t>(num_voxels(output.shape));
  }
  return verdict;
}

}  // namespace convoy::bench
