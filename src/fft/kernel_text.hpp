// The factors of a product, made where they are used: from a kernel that is not transformed along the columns. What is
// short in space is then never stored, nor read, as long as its spectrum.
#pragma once

#include <string>
#include <vector>

#include "fft/passes.hpp"
#include "fft/stages.hpp"

namespace convoy::kernels::pass_text {

/// Appends the frequencies that butterfly `b` of the last stage holds, in the order of its results. `h` is the cursor
/// of element 0 of the kernel's column, `element_stride` apart from element 1.
std::vector<ComplexName> append_kernel_factors(std::string& body, ButterflyText& butterfly, const PassShape& shape,
                                               const KernelColumns& kernel, Index element_stride);

}  // namespace convoy::kernels::pass_text
