#include "cli/kernel_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "base/voxel_rows.hpp"

namespace convoy::cli {
namespace {

struct KernelFacts {
  Shape peak;  // of several largest voxels, the one nearest to the origin
  Index distance = std::numeric_limits<Index>::max();
  Index num_negative = 0;
};

Index distance_between(const Shape& a, const Shape& b) {
  return std::max({std::abs(a.z - b.z), std::abs(a.y - b.y), std::abs(a.x - b.x)});
}

template <class T>
KernelFacts facts_of(const T* voxels, const Shape& shape, const Shape& origin) {
  const Index count = num_voxels(shape);
  const T largest = *std::max_element(voxels, voxels + count);
  KernelFacts facts;
  for (Index i = 0; i < count; ++i) {
    if (voxels[i] < T{0}) ++facts.num_negative;
    if (voxels[i] != largest) continue;
    const Shape place{i / shape.x / shape.y, i / shape.x % shape.y, i % shape.x};
    if (distance_between(place, origin) >= facts.distance) continue;
    facts.peak = place;
    facts.distance = distance_between(place, origin);
  }
  return facts;
}

KernelFacts facts_of(const ImageView& kernel, const Shape& origin) {
  return with_element(kernel.element, [&](auto type) {
    return facts_of(static_cast<const decltype(type)*>(kernel.data), kernel.shape, origin);
  });
}

std::string text_of_distance(const char* what, const KernelFacts& facts, const Shape& origin) {
  return fmt::format(
      "the {}'s largest voxel is {},{},{} (z,y,x) and its origin {},{},{}: the output will be shifted; "
      "--origin peak follows the largest voxel",
      what, facts.peak.z, facts.peak.y, facts.peak.x, origin.z, origin.y, origin.x);
}

}  // namespace

std::optional<std::string> origin_warning(const char* what, const ImageView& kernel, const Shape& origin) {
  const KernelFacts facts = facts_of(kernel, origin);
  if (facts.distance <= 1) return std::nullopt;
  return text_of_distance(what, facts, origin);
}

std::vector<std::string> kernel_warnings(const ImageView& kernel, const Shape& origin) {
  const KernelFacts facts = facts_of(kernel, origin);
  std::vector<std::string> warnings;
  if (facts.distance > 1) warnings.push_back(text_of_distance("kernel", facts, origin));
  if (facts.num_negative > 0) {
    warnings.push_back(
        fmt::format("the kernel has {} negative voxels: light is taken away there; if that is camera "
                    "background, subtract and clip it first",
                    facts.num_negative));
  }
  return warnings;
}

}  // namespace convoy::cli
