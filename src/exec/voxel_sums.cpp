#include "exec/voxel_sums.hpp"

#include <algorithm>
#include <vector>

#include "common/worker_pool.hpp"

namespace convoy {

void InputSums::add(const InputSums& part) {
  sum += part.sum;
  non_finite += part.non_finite;
  first_non_finite = std::min(first_non_finite, part.first_non_finite);
}

InputSums scan(const ImageView& image) {
  // Sums of parts of one size, added up in order: the same on every run.
  constexpr Index kPart = 1 << 16;
  const Index voxels = num_voxels(image.shape);
  std::vector<InputSums> parts(static_cast<std::size_t>((voxels + kPart - 1) / kPart));
  host_workers().for_each(static_cast<Index>(parts.size()), 1, [&](int, Index first, Index last) {
    with_element(image.element, [&](auto type) {
      const auto* values = static_cast<const decltype(type)*>(image.data);
      for (Index part = first; part < last; ++part) {
        const Index begin = part * kPart;
        parts[static_cast<std::size_t>(part)].add_row(values + begin, std::min(voxels - begin, kPart), {1, begin, 1});
      }
    });
  });
  InputSums total;
  for (const InputSums& part : parts) total.add(part);
  return total;
}

}  // namespace convoy
