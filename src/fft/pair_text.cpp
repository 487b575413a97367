#include "fft/pair_text.hpp"

#include <algorithm>

#include "fft/pass_body.hpp"

namespace convoy::kernels::pass_text {
namespace {

/// Workgroups along one axis of a launch, at most; more go to the next axis.
constexpr std::uint32_t kGroupsAcross = 32768;

}  // namespace

std::string group_text() { return fmt::format("uint group = group_y * {}u + group_x;\n", kGroupsAcross); }

std::array<std::uint64_t, 3> threads_of_groups(Index groups, Index x, Index y) {
  const Index across = std::min<Index>(groups, kGroupsAcross);
  return {static_cast<std::uint64_t>(across * x), static_cast<std::uint64_t>(ceil_divided(groups, kGroupsAcross) * y),
          1};
}

std::string pair_text(Index num_tiles, Index width, const LaunchKernels& kernels) {
  const Index pairs = ceil_divided(num_tiles, 2);
  std::vector<PassValue> values{{"WIDTH", width}, {"NUM_TILES", num_tiles}};
  if (kernels.fan == KernelFan::Kind::single) {
    values.emplace_back("LAST_PAIR", 2 * (pairs - 1));
    return filled(pass_bodies::line_pair, values);
  }
  values.emplace_back("LAST_PAIR", pairs * kernels.at_once - 1);
  values.emplace_back("PAIRS", pairs);
  return filled(pass_bodies::line_pair_of_kernel, values);
}

std::string name_of_tile(const TileAccess& array, const std::string& row) {
  return array.num_kernels > 1 ? row + "_of_kernel" : row;
}

std::string non_finite_text(const std::string& number, const std::string& one_thread) {
  return fmt::format(
      "uint own_non_finite = {};\n"
      "if ({}) shared_values[own_non_finite] = to_real2(real(0), real(0));\n"
      "// barrier: voxels are read\ngroup_barrier();\n",
      number, one_thread);
}

SpectrumOp product_with_spectrum(ButterflyText& butterfly, std::string begin, Index spacing, bool conjugate) {
  const auto factor = [](Index j) { return fmt::format("f{}", j); };
  SpectrumOp product;
  product.begin = std::move(begin);
  product.declare = [factor](Index j) { return zero(factor(j)); };
  product.load = [factor, spacing](Index j, Index stride) {
    return fmt::format("{} = ELEMENT(spectrum, h, {}u);\n", factor(j), j * stride * spacing);
  };
  product.apply = [factor, &butterfly, conjugate](const ComplexName& value, Index j) {
    return butterfly.multiply(value, {factor(j) + ".x", factor(j) + ".y"}, conjugate);
  };
  return product;
}

}  // namespace convoy::kernels::pass_text
