#include "engine/complex_images.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <mutex>

#include "convoy/error.hpp"
#include "engine/checks.hpp"
#include "engine/filter.hpp"
#include "engine/row_loop.hpp"
#include "planner/origin.hpp"

namespace convoy::inline v0 {
namespace {

std::vector<double> doubles_of(const ImageView& image) {
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(num_voxels(image.shape)));
  with_element(image.element, [&]<class T>(T) {
    const VoxelRows<T> rows(image);
    for (Index row = 0; row < image.shape.z * image.shape.y; ++row) {
      for (Index x = 0; x < image.shape.x; ++x) {
        values.push_back(static_cast<double>(rows.row(row)[x * rows.stride()]));
      }
    }
  });
  return values;
}

void normalize(KernelParts& parts) {
  std::complex<double> sum = 0;
  double magnitude = 0;
  for (std::size_t i = 0; i < parts.real.size(); ++i) {
    const std::complex<double> voxel(parts.real[i], parts.imaginary[i]);
    sum += voxel;
    magnitude += std::abs(voxel);
  }
  const std::complex<double> factor = 1.0 / sum;
  if (std::abs(sum) <= 1e-7 * magnitude || !std::isfinite(factor.real()) || !std::isfinite(factor.imag())) {
    throw Error(
        Errc::invalid_argument,
        fmt::format("the kernel's sum is {:g} + {:g}i, so it cannot be normalised to 1; switch normalisation off "
                    "(--no-normalize) to use it as it is",
                    sum.real(), sum.imag()));
  }
  for (std::size_t i = 0; i < parts.real.size(); ++i) {
    const std::complex<double> voxel = std::complex<double>(parts.real[i], parts.imaginary[i]) * factor;
    parts.real[i] = voxel.real();
    parts.imaginary[i] = voxel.imag();
  }
  parts.factor = std::abs(factor);
}

}  // namespace

bool KernelParts::is_real() const {
  return std::all_of(imaginary.begin(), imaginary.end(), [](double value) { return value == 0; });
}

KernelParts parts_of_kernel(ConvolutionSpec& spec, const ImageView& kernel) {
  require_data("kernel", kernel.data);
  validate(spec);
  require_images("kernel", kernel, spec.kernel, 1);
  for (const int part : {0, 1}) require_finite_filter("kernel", kernel.part(part));
  KernelParts parts{doubles_of(kernel.part(0)), doubles_of(kernel.part(1)), 1};
  spec.origin = Origin::at(resolve_origin(spec, &kernel));
  if (spec.normalize_kernel) normalize(parts);
  spec.normalize_kernel = false;
  if (spec.operation != Operation::convolve) {
    for (double& value : parts.imaginary) value = -value;
  }
  return parts;
}

void require_kinds(const ConvolutionSpec& spec, Element image, bool complex_kernel, Element output) {
  const bool complex = is_complex(image) || complex_kernel;
  if (complex && !is_complex(output)) {
    throw Error(Errc::invalid_argument,
                fmt::format("the {} is complex, and so is the result, which an output of {} does not hold: take c64 or "
                            "c128 (--dtype c64)",
                            complex_kernel ? "kernel" : "image", name(output)));
  }
  if (!complex && is_complex(output)) {
    throw Error(Errc::invalid_argument,
                fmt::format("image and kernel are real, and so is the result: take an output of {}, not {}",
                            name(part_of(output)), name(output)));
  }
  if (!complex) return;
  const auto refuse = [](const std::string& what) {
    throw Error(Errc::unsupported, fmt::format("{} is not possible with complex images and kernels; convolve real and "
                                               "imaginary parts as images of their own",
                                               what));
  };
  if (spec.non_finite == NonFinite::interpolate) refuse("interpolation of missing voxels (--nan interpolate)");
  if (spec.preserve_nan) refuse("preserving NaN (--preserve-nan)");
  if (spec.no_data) refuse("a value for missing data (--no-data)");
  if (is_complex(image) && spec.boundary == Boundary::constant && spec.constant != 0) {
    refuse(fmt::format("a constant of {:g} outside the image", spec.constant));
  }
}

OutputSums add_voxels(double sign, const ImageView& more, const MutableImageView& sums) {
  OutputSums total;
  std::mutex mutex;
  const Index length = sums.shape.x;
  const auto add_rows = [&]<class From, class To>(From, To) {
    const VoxelRows<From> from(more);
    const VoxelRows<To> to(sums);
    for_each_rows(sums.batch * sums.shape.z * sums.shape.y, length * Index{sizeof(To)}, [&](Index begin, Index end) {
      OutputSums part;
      for (Index row = begin; row < end; ++row) {
        To* const out = to.mutable_row(row);
        for (Index x = 0; x < length; ++x) {
          To& voxel = out[x * to.stride()];
          const double value = sign * static_cast<double>(from.row(row)[x * from.stride()]);
          voxel = to_voxel<To>(static_cast<double>(voxel) + value, part.saturated);
        }
      }
      const std::lock_guard lock(mutex);
      total.add(part);
    });
  };
  const auto as_written = [&](auto from) {
    sums.element == Element::f32 ? add_rows(from, float{}) : add_rows(from, double{});
  };
  more.element == Element::f32 ? as_written(float{}) : as_written(double{});
  return total;
}

void set_zero(const MutableImageView& image) {
  with_element(image.element, [&]<class T>(T) {
    const VoxelRows<T> rows(image);
    for (Index row = 0; row < image.batch * image.shape.z * image.shape.y; ++row) {
      for (Index x = 0; x < image.shape.x; ++x) rows.mutable_row(row)[x * rows.stride()] = T{};
    }
  });
}

void add_run(RunReport more, RunReport& report) {
  more.input_sum = more.output_sum = 0;
  report.add(more);
}

}  // namespace convoy::inline v0
