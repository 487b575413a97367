#include "planner/kernel_fan.hpp"

namespace convoy {

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

}  // namespace convoy
