#include "planner/kernel_fan.hpp"

namespace convoy::inline v0 {

bool has_tiles_in(KernelFan::Kind kind) { return kind == KernelFan::Kind::each || kind == KernelFan::Kind::gather; }
bool has_tiles_out(KernelFan::Kind kind) { return kind == KernelFan::Kind::each || kind == KernelFan::Kind::spread; }

Index KernelFan::num_inputs() const { return has_tiles_in(kind) ? num : 1; }
Index KernelFan::num_outputs() const { return has_tiles_out(kind) ? num : 1; }

KernelFan kernel_fan(const ConvolutionSpec& spec) {
  using Kind = KernelFan::Kind;
  const bool weighs = spec.pairing == Pairing::sum;
  if (spec.num_kernels == 1 && !weighs) return {};
  if (spec.pairing == Pairing::each) return {Kind::each, spec.num_kernels, false};
  const bool adjoint = spec.operation == Operation::correlate;
  return {adjoint == weighs ? Kind::spread : Kind::gather, spec.num_kernels, weighs};
}

Index num_groups(const ConvolutionSpec& spec) {
  return kernel_fan(spec).kind == KernelFan::Kind::each ? 1 : spec.batch;
}

}  // namespace convoy::inline v0
