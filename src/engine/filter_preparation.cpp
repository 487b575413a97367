#include "engine/filter_preparation.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "convoy/error.hpp"
#include "engine/checks.hpp"
#include "engine/host_filter.hpp"
#include "engine/voxel_rules.hpp"
#include "planner/origin.hpp"

namespace convoy {

namespace {

/// Its spectrum must not overflow, nor its voxels lose their digits.
void require_representable(const ConvolutionSpec& spec, const ImageView& kernel, const KernelScale& scale) {
  const double most = largest_number(spec.precision) / 8;
  const bool single = spec.precision == Precision::f32;
  const double least =
      single ? static_cast<double>(std::numeric_limits<float>::min()) : std::numeric_limits<double>::min();
  const double largest = scan(kernel).largest() * std::abs(scale.factor);
  const char* const precision = single ? "single" : "double";
  const char* const remedy = single ? ", compute in double precision (--precision f64)" : "";
  if (!(scale.magnitude <= most)) {
    throw Error(Errc::invalid_argument,
                fmt::format("the magnitudes of the kernel's voxels sum to {:g}, beyond what transforms in {} precision "
                            "hold: normalise the kernel{}, or scale it",
                            scale.magnitude, precision, remedy));
  }
  if (largest > 0 && largest < least) {
    throw Error(Errc::invalid_argument,
                fmt::format("the kernel's largest voxel is {:g}, below what {} precision holds in full: normalise the "
                            "kernel{}, or scale it",
                            largest, precision, remedy));
  }
}

}  // namespace

KernelScale resolve_spec(ConvolutionSpec& spec, const ImageView& kernel) {
  require_data("kernel", kernel.data);
  validate(spec);
  require_shape("kernel", kernel.shape, spec.kernel);
  KernelScale scale{kernel_scale(spec, kernel), 0};
  scale.magnitude = std::abs(scale.factor) * magnitude(kernel);
  require_representable(spec, kernel, scale);
  spec.origin = Origin::at(resolve_origin(spec, &kernel));
  return scale;
}

void set_up_kernel(backend::Session& session, const Plan& plan, const ImageView& kernel, double scale) {
  std::byte* const port = session.port(ports::kernel, 0);
  if (plan.spec.precision == Precision::f32) {
    write_kernel(plan, kernel, scale, reinterpret_cast<float*>(port));
  } else {
    write_kernel(plan, kernel, scale, reinterpret_cast<double*>(port));
  }
  session.submit(Section::setup, 0);
  session.wait(0);
  session.end_setup();
  session.check_sentinels();
}

}  // namespace convoy
