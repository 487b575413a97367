#include "engine/voxel_sums.hpp"

#include <algorithm>
#include <vector>

#include "base/worker_pool.hpp"

namespace convoy {

void InputSums::add(const InputSums& part) {
  sum += part.sum;
  lowest = std::min(lowest, part.lowest);
  highest = std::max(highest, part.highest);
  non_finite += part.non_finite;
  first_non_finite = std::min(first_non_finite, part.first_non_finite);
  too_large += part.too_large;
  first_too_large = std::min(first_too_large, part.first_too_large);
  no_data += part.no_data;
  inexact += part.inexact;
  exponents += part.exponents;
  segments += part.segments;
  dynamic_range = std::max(dynamic_range, part.dynamic_range);
}

void InputSums::end_tile() {
  if (segments > 0) {
    const double typical = std::exp2(0.5 + static_cast<double>(exponents) / static_cast<double>(segments));
    dynamic_range = std::max(1.0, largest() / typical);
  }
  exponents = segments = 0;
}

InputSums scan(const ImageView& image, const VoxelRules& rules) {
  // Sums of parts of one size, added up in order: the same on every run.
  constexpr Index kPart = 1 << 16;
  const Index voxels = num_voxels(image.shape);
  std::vector<InputSums> parts(static_cast<std::size_t>((voxels + kPart - 1) / kPart));
  host_workers().for_each(static_cast<Index>(parts.size()), 1, [&](int, Index first, Index last) {
    with_element(image.element, [&](auto type) {
      const auto* values = static_cast<const decltype(type)*>(image.data);
      for (Index part = first; part < last; ++part) {
        const Index begin = part * kPart;
        parts[static_cast<std::size_t>(part)].add_row(values + begin, std::min(voxels - begin, kPart), {1, begin, 1},
                                                      rules);
      }
    });
  });
  InputSums total;
  for (const InputSums& part : parts) total.add(part);
  return total;
}

}  // namespace convoy
