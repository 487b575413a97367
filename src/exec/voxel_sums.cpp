#include "exec/voxel_sums.hpp"

#include <algorithm>
#include <mutex>

#include "common/worker_pool.hpp"

namespace convoy {

void InputSums::add(const InputSums& part) {
  sum += part.sum;
  non_finite += part.non_finite;
  first_non_finite = std::min(first_non_finite, part.first_non_finite);
}

InputSums scan(const ImageView& image) {
  InputSums total;
  std::mutex mutex;
  host_workers().for_each(num_voxels(image.shape), 1 << 16, [&](int, Index begin, Index end) {
    InputSums part;
    with_element(image.element, [&](auto type) {
      part.add_row(static_cast<const decltype(type)*>(image.data) + begin, end - begin, {1, begin, 1});
    });
    const std::lock_guard lock(mutex);
    total.add(part);
  });
  return total;
}

}  // namespace convoy
