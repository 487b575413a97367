// What every convolver does with the caller's kernel, once: check it, and have the device transform it.
#pragma once

#include "backends/backend.hpp"
#include "convoy/image.hpp"
#include "convoy/plan.hpp"

namespace convoy {

/// What the kernel shall be multiplied with, and the sum of its magnitudes then.
struct KernelScale {
  double factor = 1;
  double magnitude = 0;
};

/// Checks spec and kernel, and resolves the spec's origin. Throws Error(invalid_argument) as Convolver's constructor
/// does.
KernelScale resolve_spec(ConvolutionSpec& spec, const ImageView& kernel);

/// Runs the set-up of a session whose program has ports::kernel, and waits for it.
void set_up_kernel(backend::Session& session, const Plan& plan, const ImageView& kernel, double scale);

}  // namespace convoy
