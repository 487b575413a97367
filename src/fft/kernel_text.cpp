// See passes/kernel_fft.body.
#include "fft/kernel_text.hpp"

#include <fmt/format.h>

#include <utility>

#include "fft/pass_body.hpp"
#include "fft/pass_text.hpp"
#include "fft/plan.hpp"

namespace convoy::kernels::pass_text {
namespace {

/// Which element of the kernel lies at row m (counted from the one that holds its first) and residue r; none: outside.
struct Residues {
  Index radix;
  Index first;  ///< residue of the kernel's element 0
  Index extent;

  Index element(Index m, Index r) const { return m * radix + r - first; }
  bool has(Index m, Index r) const { return element(m, r) >= 0 && element(m, r) < extent; }
  Index num_rows() const { return ceil_divided(first + extent, radix); }
};

}  // namespace

std::vector<ComplexName> append_kernel_factors(std::string& body, ButterflyText& butterfly, const PassShape& shape,
                                               const KernelColumns& kernel, Index element_stride) {
  const Index radix = shape.radices.back();
  const Residues residues{radix, kernel.place % radix, kernel.extent};
  const KernelRoots roots(shape.radices);
  // What the butterfly appends is taken away again, part by part, to be put into the pass.
  const auto taken = [&body] { return std::exchange(body, {}); };
  const std::string before = taken();
  const ComplexName step{"kernel_step.x", "kernel_step.y"};
  const ComplexName start{"kernel_start.x", "kernel_start.y"};
  const ComplexName root{"kernel_root.x", "kernel_root.y"};

  const ComplexName nothing{"real(0)", "real(0)"};
  std::vector<ComplexName> sums(static_cast<std::size_t>(radix), nothing);
  std::vector<bool> begun(sums.size(), false);
  for (Index m = residues.num_rows(); m-- > 0;) {
    for (Index r = 0; r < radix; ++r) {
      const auto at = static_cast<std::size_t>(r);
      ComplexName element = nothing;
      if (residues.has(m, r)) {
        const Index number = residues.element(m, r);
        body += fmt::format("real2 e{} = ELEMENT(spectrum, h, {});\n", number, literal(number * element_stride));
        element = {fmt::format("e{}.x", number), fmt::format("e{}.y", number)};
      }
      if (begun[at]) {
        sums[at] = butterfly.multiply_add(sums[at], step, element);
      } else if (residues.has(m, r)) {
        sums[at] = element;
        begun[at] = true;
      }
    }
  }
  const std::string horner = taken();
  // start * root^r: each the product of one of half as many factors and a square.
  std::vector<ComplexName> powers{start};
  ComplexName square = root;
  while (powers.size() < sums.size()) {
    const std::size_t known = powers.size();
    for (std::size_t i = 0; i < known && powers.size() < sums.size(); ++i) {
      powers.push_back(butterfly.multiply(powers[i], square, false));
    }
    if (powers.size() < sums.size()) square = butterfly.multiply(square, square, false);
  }
  for (std::size_t r = 0; r < sums.size(); ++r) {
    if (begun[r]) sums[r] = butterfly.multiply(sums[r], powers[r], false);
  }
  const std::string products = taken();
  std::vector<ComplexName> factors = butterfly.transform(sums, kForward);
  body = before + filled(pass_bodies::kernel_fft, {{"EXTENT", kernel.extent},
                                                   {"RADIX", radix},
                                                   {"STEPS", roots.steps()},
                                                   {"STARTS", roots.starts()},
                                                   {"ROOTS", roots.roots()},
                                                   {"SUMS", horner},
                                                   {"POWERS", products},
                                                   {"BUTTERFLY", taken()}});
  return factors;
}

}  // namespace convoy::kernels::pass_text
