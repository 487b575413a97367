#include "exec/callers_kernel.hpp"

#include "exec/checks.hpp"
#include "exec/host_kernel.hpp"
#include "plan/origin.hpp"

namespace convoy {

double resolve_spec(ConvolutionSpec& spec, const ImageView& kernel) {
  require_data("kernel", kernel.data);
  validate(spec);
  require_shape("kernel", kernel.shape, spec.kernel);
  const double scale = kernel_scale(spec, kernel);
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
