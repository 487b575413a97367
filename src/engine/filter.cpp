#include "engine/filter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "base/dense_view.hpp"
#include "base/voxel_rows.hpp"
#include "base/worker_pool.hpp"
#include "convoy/error.hpp"
#include "direct/separable_terms.hpp"
#include "engine/checks.hpp"
#include "engine/tile_geometry.hpp"
#include "planner/axis.hpp"
#include "planner/kernel_fan.hpp"
#include "planner/layout.hpp"
#include "planner/origin.hpp"

namespace convoy::inline v0 {
namespace {

/// For each kernel element on the device along one axis: the given elements that are added up to it.
std::vector<std::vector<Index>> given_elements(const AxisPlan& axis, Operation operation) {
  std::vector<std::vector<Index>> sources(static_cast<std::size_t>(axis.kernel_size));
  for (Index given = 0; given < axis.kernel; ++given) {
    Index t = mirrors_kernel(operation) ? axis.kernel - 1 - given : given;
    if (axis.fold_kernel) t %= axis.image;
    t -= axis.kernel_begin;
    if (t >= 0 && t < axis.kernel_size) sources[static_cast<std::size_t>(t)].push_back(given);
  }
  return sources;
}

void refuse_non_finite(const char* what, const InputSums& sums, const Shape& shape) {
  if (sums.non_finite == 0) return;
  throw Error(Errc::invalid_argument,
              fmt::format("the {} has {} NaN or infinite voxel(s), the first at z,y,x = {},{},{}; every output voxel "
                          "would be NaN: mend the {}",
                          what, sums.non_finite, sums.first_non_finite / (shape.y * shape.x),
                          sums.first_non_finite / shape.x % shape.y, sums.first_non_finite % shape.x, what));
}

/// Its spectrum must not overflow, nor its voxels lose their digits.
void require_representable(const ConvolutionSpec& spec, const ImageView& kernel, double factor, double magnitude) {
  const double most = largest_number(spec.precision) / 8;
  const bool single = spec.precision == Precision::f32;
  const double least =
      single ? static_cast<double>(std::numeric_limits<float>::min()) : std::numeric_limits<double>::min();
  const double largest = scan(kernel).largest() * std::abs(factor);
  const char* const precision = single ? "single" : "double";
  const char* const remedy = single ? ", compute in double precision (--precision f64)" : "";
  if (!(magnitude <= most)) {
    throw Error(Errc::invalid_argument,
                fmt::format("the magnitudes of the kernel's voxels sum to {:g}, beyond what transforms in {} precision "
                            "hold: normalise the kernel{}, or scale it",
                            magnitude, precision, remedy));
  }
  if (largest > 0 && largest < least) {
    throw Error(Errc::invalid_argument,
                fmt::format("the kernel's largest voxel is {:g}, below what {} precision holds in full: normalise the "
                            "kernel{}, or scale it",
                            largest, precision, remedy));
  }
}

/// Extents of a kernel, added up, beyond which no separable path pays.
constexpr Index kLongestSeparable = 512;

/// How much larger the rounding errors of the kernel that the device is given are than its norm makes believe: where a
/// kernel is folded onto a period, large elements may cancel.
double cancellation(const Plan& plan, const ImageView& kernel, double scale, const std::vector<double>& taps) {
  const auto folds = [](const AxisPlan& axis) { return axis.fold_kernel; };
  if (std::none_of(plan.axes.begin(), plan.axes.end(), folds)) return 1;
  std::vector<double> magnitudes;
  with_element(kernel.element, [&](auto type) {
    const auto* values = static_cast<const decltype(type)*>(kernel.data);
    for (Index i = 0; i < num_voxels(kernel.shape); ++i) magnitudes.push_back(std::abs(static_cast<double>(values[i])));
  });
  std::vector<double> folded(taps.size());
  write_filter(plan, ImageView(magnitudes, kernel.shape), scale, folded.data());
  const auto norm = [](const std::vector<double>& values) {
    return std::sqrt(std::inner_product(values.begin(), values.end(), values.begin(), 0.0));
  };
  const double left = norm(taps);
  return left > 0 ? norm(folded) / left : 1;
}

std::vector<SeparableTerm> terms_of(const Plan& plan, const ImageView& kernel, double scale) {
  std::array<Index, 3> extent{};
  for (int d = 0; d < 3; ++d) extent[static_cast<std::size_t>(d)] = device_axis(plan, d).kernel_size;
  std::vector<double> taps(static_cast<std::size_t>(extent[0] * extent[1] * extent[2]));
  write_filter(plan, kernel, scale, taps.data());
  const double tolerance = separable_tolerance(plan.spec.precision) * cancellation(plan, kernel, scale, taps);
  return separable_terms(taps, extent, tolerance, kMostSeparableTerms);
}

/// As many products as the plan has; those that the kernel does not need are zeros.
template <class Real>
void write_separable_filter(const Plan& plan, const ImageView& kernel, double scale, Real* port) {
  const std::vector<SeparableTerm> terms = terms_of(plan, kernel, scale);
  if (terms.empty() || static_cast<int>(terms.size()) > plan.separable_terms) {
    throw Error(
        Errc::unsupported,
        fmt::format("the kernel of {} zyx is no sum of {} product(s) of functions of z, y and x, as the plan has "
                    "it: take method direct, fft or auto",
                    to_text(plan.spec.kernel), plan.separable_terms));
  }
  std::size_t place = 0;
  const auto write = [&](double value) { port[place++] = static_cast<Real>(value); };
  for (std::size_t i = 0; i < static_cast<std::size_t>(plan.separable_terms); ++i) {
    for (int d = 0; d < 3; ++d) {
      for (std::size_t t = 0; t < static_cast<std::size_t>(device_axis(plan, d).kernel_size); ++t) {
        write(i < terms.size() ? terms[i].factors[static_cast<std::size_t>(d)][t] : 0);
      }
    }
  }
}

}  // namespace

namespace {

/// What the setup's port is given.
template <class Real>
void write_filter_of_path(const Plan& plan, const ImageView& kernel, double scale, Real* port) {
  if (plan.path == Path::separable) {
    write_separable_filter(plan, kernel, scale, port);
  } else {
    write_filter(plan, kernel, scale, port);
  }
}

}  // namespace

namespace {

/// Words for one of several: the number is added to messages.
std::string one_of(const char* what, Index number, Index count) {
  return count > 1 ? fmt::format("{} {}", what, number) : what;
}

/// Kernels or weights as the message says it, where the one is wrong for itself.
template <class Check>
auto of_one(const ConvolutionSpec& spec, Index number, const Check& check) {
  try {
    return check();
  } catch (const Error& problem) {
    if (spec.num_kernels == 1) throw;
    throw Error(problem.code(), fmt::format("kernel {} of {}: {}", number, spec.num_kernels, problem.what()));
  }
}

/// The largest magnitude of each weight image; nothing but ones without any.
std::vector<double> largest_weights(const ConvolutionSpec& spec, const std::optional<ImageView>& weights) {
  std::vector<double> largest(static_cast<std::size_t>(spec.num_kernels), 1.0);
  if (weights.has_value() != (spec.pairing == Pairing::sum)) {
    throw Error(Errc::invalid_argument,
                weights ? fmt::format("weights belong to pairing sum, but this is pairing {}", name(spec.pairing))
                        : fmt::format("pairing sum needs weights: {} image(s) of {} zyx, one for each kernel",
                                      spec.num_kernels, to_text(weights_shape(spec))));
  }
  if (!weights) return largest;
  require_images("weights", *weights, weights_shape(spec), spec.num_kernels);
  for (Index i = 0; i < spec.num_kernels; ++i) {
    const ImageView one = weights->image(i);
    const InputSums sums = scan(one);
    const std::string what = one_of("weights image", i, spec.num_kernels);
    refuse_non_finite(what.c_str(), sums, one.shape);
    largest[static_cast<std::size_t>(i)] = sums.largest();
  }
  return largest;
}

/// As FilterScale says.
double magnitude_of_outputs(const ConvolutionSpec& spec, const std::vector<double>& kernels,
                            const std::vector<double>& weights) {
  const bool adds = spec.pairing == Pairing::sum || kernel_fan(spec).kind == KernelFan::Kind::gather;
  double total = 0;
  double largest_weight = 0;
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    const double of_one = kernels[i] * weights[i];
    total = adds ? total + of_one : std::max(total, of_one);
    largest_weight = std::max(largest_weight, weights[i]);
  }
  return spec.pairing == Pairing::sum ? std::max(total, largest_weight) : total;
}

/// Kernels one behind the other.
template <class Real>
void write_filters(const Plan& plan, const ImageView& kernels, const std::vector<double>& factors, Real* port) {
  Index size = static_cast<Index>(layout_of(plan).num_taps());
  if (!sums_directly(plan.path)) {
    size = 1;
    for (const AxisPlan& axis : plan.axes) size *= axis.kernel_size;
  }
  for (std::size_t i = 0; i < factors.size(); ++i) {
    const auto number = static_cast<Index>(i);
    write_filter_of_path(plan, kernels.image(number), factors[i], port + number * size);
  }
}

}  // namespace

double magnitude(const ImageView& kernel) {
  // As in scan().
  constexpr Index kPart = 1 << 16;
  const Index voxels = num_voxels(kernel.shape);
  std::vector<double> parts(static_cast<std::size_t>((voxels + kPart - 1) / kPart));
  host_workers().for_each(static_cast<Index>(parts.size()), 1, [&](int, Index first, Index last) {
    with_element(kernel.element, [&](auto type) {
      const auto* values = static_cast<const decltype(type)*>(kernel.data);
      for (Index i = first * kPart; i < std::min(voxels, last * kPart); ++i) {
        parts[static_cast<std::size_t>(i / kPart)] += std::abs(static_cast<double>(values[i]));
      }
    });
  });
  double total = 0;
  for (const double part : parts) total += part;
  return total;
}

void require_finite_filter(const char* what, const ImageView& kernel) {
  refuse_non_finite(what, scan(kernel), kernel.shape);
}

/// Rounding errors of the kernel's voxels themselves, of magnitude 1.
double noise_of(Element element) {
  return element == Element::bf16 ? 4e-3 : element == Element::f16 ? 5e-4 : element == Element::f32 ? 1e-7 : 1e-12;
}

double filter_scale(const ConvolutionSpec& spec, const ImageView& kernel) {
  const InputSums sums = scan(kernel);
  refuse_non_finite("kernel", sums, kernel.shape);
  if (!spec.normalize_kernel) return 1;
  const double noise = noise_of(kernel.element);
  if (!std::isfinite(sums.sum) || (sums.sum != 0 && !std::isfinite(1 / sums.sum))) {
    throw Error(Errc::invalid_argument,
                fmt::format("the kernel's sum is {:g}, which is too {} to normalise it in double precision; scale it",
                            sums.sum, std::isfinite(sums.sum) ? "small" : "large"));
  }
  if (std::abs(sums.sum) <= noise * magnitude(kernel)) {
    throw Error(Errc::invalid_argument,
                fmt::format("the kernel's sum is {:g}, so it cannot be normalised to 1; switch normalisation off "
                            "(--no-normalize) to use it as it is",
                            sums.sum));
  }
  return 1 / sums.sum;
}

template <class Real>
void write_filter(const Plan& plan, const ImageView& kernel, double scale, Real* port) {
  const auto axis = [&](int d) -> const AxisPlan& { return plan.axes[static_cast<std::size_t>(plan.device_axes[d])]; };
  const auto x = given_elements(axis(0), plan.spec.operation);
  const auto y = given_elements(axis(1), plan.spec.operation);
  const auto z = given_elements(axis(2), plan.spec.operation);
  const std::array<Index, 3> stride = device_strides(plan, kernel.shape);
  const Index rows = static_cast<Index>(y.size());
  const auto row_length = static_cast<Index>(x.size());
  host_workers().for_each(rows * static_cast<Index>(z.size()), 16, [&](int, Index begin, Index end) {
    with_element(kernel.element, [&](auto type) {
      const auto* voxels = static_cast<const decltype(type)*>(kernel.data);
      for (Index i = begin; i < end; ++i) {
        for (Index column = 0; column < row_length; ++column) {
          double sum = 0;
          for (const Index from_z : z[static_cast<std::size_t>(i / rows)]) {
            for (const Index from_y : y[static_cast<std::size_t>(i % rows)]) {
              for (const Index from_x : x[static_cast<std::size_t>(column)]) {
                sum += static_cast<double>(voxels[from_z * stride[2] + from_y * stride[1] + from_x * stride[0]]);
              }
            }
          }
          port[i * row_length + column] = static_cast<Real>(sum * scale);
        }
      }
    });
  });
}

template void write_filter(const Plan&, const ImageView&, double, float*);
template void write_filter(const Plan&, const ImageView&, double, double*);

namespace {

/// Of the only kernel that there is with NonFinite::interpolate.
void set_sum(const ImageView& kernel, FilterScale& scale) {
  scale.sum = scale.factors.front() * scan(kernel).sum;
  if (std::abs(scale.sum) > noise_of(kernel.element) * scale.magnitude) return;
  throw Error(
      Errc::invalid_argument,
      fmt::format("the kernel's sum is {:g}, so it cannot interpolate what is missing: take missing voxels as 0 "
                  "(--nan zero)",
                  scale.sum));
}

}  // namespace

FilterScale resolve_spec(ConvolutionSpec& spec, const ImageView& kernels, const std::optional<ImageView>& weights) {
  require_data("kernel", kernels.data);
  validate(spec);
  require_images("kernel", kernels, spec.kernel, spec.num_kernels);
  const std::vector<double> largest = largest_weights(spec, weights);
  FilterScale scale;
  std::vector<double> magnitudes;
  for (Index i = 0; i < spec.num_kernels; ++i) {
    of_one(spec, i, [&] {
      const ImageView kernel = kernels.image(i);
      const double factor = filter_scale(spec, kernel);
      const double its_magnitude = std::abs(factor) * magnitude(kernel);
      require_representable(spec, kernel, factor, its_magnitude);
      scale.factors.push_back(factor);
      magnitudes.push_back(its_magnitude);
    });
  }
  scale.magnitude = magnitude_of_outputs(spec, magnitudes, largest);
  if (spec.non_finite == NonFinite::interpolate) set_sum(kernels, scale);
  spec.origin = Origin::at(resolve_origin(spec, &kernels));
  return scale;
}

std::optional<int> count_separable_terms(const ConvolutionSpec& spec, const ImageView& given) {
  validate(spec);
  const DenseView dense(given);
  const ImageView& kernels = dense.view();
  Plan plan;
  plan.spec = spec;
  for (int axis = 0; axis < 3; ++axis) plan.axes[static_cast<std::size_t>(axis)] = axis_task(spec, axis).plan;
  const auto& [z, y, x] = plan.axes;
  if (z.kernel_size + y.kernel_size + x.kernel_size > kLongestSeparable) return {};
  std::size_t most = 0;
  for (Index i = 0; i < kernels.batch; ++i) {
    const std::size_t terms = terms_of(plan, kernels.image(i), 1).size();
    if (terms == 0) return 0;
    most = std::max(most, terms);
  }
  return static_cast<int>(most);
}

std::vector<float> filter_taps(const Plan& plan, const ImageView& kernel, double scale) {
  std::vector<float> taps(layout_of(plan).num_taps());
  write_filter_of_path(plan, kernel, scale, taps.data());
  return taps;
}

void set_up_filter(backend::Session& session, const Plan& plan, const ImageView& kernels,
                   const std::vector<double>& factors) {
  std::byte* const port = session.port(ports::kernel, 0);
  if (plan.spec.precision == Precision::f32) {
    write_filters(plan, kernels, factors, reinterpret_cast<float*>(port));
  } else {
    write_filters(plan, kernels, factors, reinterpret_cast<double*>(port));
  }
  session.submit(Section::setup, 0);
  session.wait(0);
  session.end_setup();
  session.check_sentinels();
}

}  // namespace convoy::inline v0
