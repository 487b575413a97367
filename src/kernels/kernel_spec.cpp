#include "kernels/kernel_spec.hpp"

#include <bit>

#include "bodies.hpp"
#include "kernels/deconvolution_kernels.hpp"

namespace convoy {

KernelParameter parameter(std::uint32_t value) { return {value}; }
KernelParameter parameter(float value) { return {std::bit_cast<std::uint32_t>(value)}; }

std::array<std::uint64_t, 3> num_groups(const std::array<std::uint64_t, 3>& threads) {
  std::array<std::uint64_t, 3> groups{};
  for (std::size_t axis = 0; axis < 3; ++axis) groups[axis] = (threads[axis] + kWorkgroup[axis] - 1) / kWorkgroup[axis];
  return groups;
}

namespace kernels {
namespace {

constexpr auto u32 = KernelSpec::Parameter::Kind::u32;
constexpr auto f32 = KernelSpec::Parameter::Kind::f32;
constexpr auto real = KernelBuffer::Kind::real;
constexpr auto real2 = KernelBuffer::Kind::real2;

}  // namespace

const KernelSpec place_kernel{.name = "place_kernel",
                              .buffers = {{"source", real, false}, {"spectrum", real, true}},
                              .parameters = {{"size_x", u32},
                                             {"size_y", u32},
                                             {"size_z", u32},
                                             {"shift_x", u32},
                                             {"shift_y", u32},
                                             {"shift_z", u32},
                                             {"padded_x", u32},
                                             {"padded_y", u32},
                                             {"padded_z", u32},
                                             {"pitch", u32},
                                             {"plane_rows", u32}},
                              .body = bodies::k_place_kernel};

const KernelSpec multiply_spectrum{.name = "multiply_spectrum",
                                   .buffers = {{"spectrum", real2, false}, {"work", real2, true}},
                                   .parameters = {{"count", u32}, {"row", u32}, {"scale", f32}, {"sign", f32}},
                                   .body = bodies::k_multiply_spectrum};

const std::vector<const KernelSpec*>& all() {
  static const std::vector<const KernelSpec*> list = [] {
    std::vector<const KernelSpec*> kernels{&place_kernel, &multiply_spectrum};
    kernels.insert(kernels.end(), of_deconvolution().begin(), of_deconvolution().end());
    return kernels;
  }();
  return list;
}

}  // namespace kernels
}  // namespace convoy
