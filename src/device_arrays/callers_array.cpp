#include "device_arrays/callers_array.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "convoy/error.hpp"
#include "engine/device_array_checks.hpp"

namespace convoy::inline v0 {
namespace {

/// Kernels count voxels in 32 bits, and positions of twice an axis in 31.
constexpr Index kMostVoxels = std::numeric_limits<std::uint32_t>::max();
constexpr Index kLongestAxis = Index{1} << 30;

/// In bytes, of the first bytes of all voxels from that of voxel 0.
struct Reach {
  std::uint64_t before = 0;
  std::uint64_t behind = 0;
};

Reach reach_of(const ImageView& array) {
  const Strides strides = array.strides_in_bytes();
  Reach reach;
  const auto add = [&](Index extent, Index stride) {
    std::uint64_t& sum = stride < 0 ? reach.before : reach.behind;
    sum = saturating_sum(
        sum, saturating_product(static_cast<std::uint64_t>(extent - 1), static_cast<std::uint64_t>(std::abs(stride))));
  };
  for (int axis = 0; axis < 3; ++axis) add(array.shape[axis], strides[axis]);
  add(array.batch, strides.image);
  return reach;
}

}  // namespace

std::uint64_t bytes_before(const ImageView& array) { return reach_of(array).before; }

std::uint64_t lowest_offset(const char* what, const DeviceArray& array, bool handles_are_addresses) {
  const std::uint64_t before = bytes_before(view_of(array, true));
  if (!handles_are_addresses && before > array.offset_bytes) {
    throw Error(Errc::invalid_argument,
                fmt::format("the {} reaches {} bytes before its voxel 0,0,0, which lies at byte {} of its buffer", what,
                            before, array.offset_bytes));
  }
  return array.offset_bytes - before;
}

DeviceArray planned_array(Element element, const Shape& shape, Index batch, const std::optional<Strides>& strides) {
  DeviceArray array(std::uint64_t{1} << 40, element, shape);
  array.batch = batch;
  array.strides = strides;
  return array;
}

CallersArray::CallersArray(const char* what, Element element, const Shape& shape, Index batch,
                           const std::optional<Strides>& strides)
    : view_(nullptr, element, shape, batch, strides),
      strides_(view_.strides_in_bytes()),
      parts_(is_complex(element) ? 2 : 1) {
  const Index longest = std::max({shape.z, shape.y, shape.x});
  const std::uint64_t reals = bytes() / size_of(part_of(element));
  if (reals <= static_cast<std::uint64_t>(kMostVoxels) && longest <= kLongestAxis) return;
  throw Error(
      Errc::unsupported,
      fmt::format("{} of {} zyx on the device has more voxels than device kernels count (2^32 - 1, and 2^30 on an "
                  "axis); run it in parts, or from host memory with a Convolver",
                  batch > 1 ? fmt::format("a batch of {} {}s", batch, what) : fmt::format("the {}", what),
                  to_text(shape)));
}

std::uint64_t CallersArray::bytes() const {
  const Reach reach = reach_of(view_);
  return saturating_sum(saturating_sum(reach.before, reach.behind), size_of(view_.element));
}

std::array<Index, 3> CallersArray::strides(const Plan& plan) const {
  std::array<Index, 3> strides{};
  for (std::size_t d = 0; d < 3; ++d) strides[d] = std::abs(in_reals(strides_[plan.device_axes[d]]));
  return strides;
}

Index CallersArray::reversed(const Plan& plan) const {
  Index bits = 0;
  for (std::size_t d = 0; d < 3; ++d) bits |= Index{strides_[plan.device_axes[d]] < 0 ? 1 : 0} << d;
  return bits;
}

Index CallersArray::origin(Index image) const {
  return in_reals(static_cast<Index>(bytes_before(view_)) + image / parts_ * strides_.image) + image % parts_;
}

TileAccess CallersArray::access(const Plan& plan) const {
  TileAccess access;
  access.element = element();
  access.num_images = num_images();
  access.num_parts = parts_;
  access.image_stride = std::abs(in_reals(strides_.image));
  access.images_reversed = strides_.image < 0;
  const std::array<Index, 3> distances = strides(plan);
  for (std::size_t d = 0; d < 3; ++d) {
    ArrayAxis& along = access.axes[d];
    along.size = shape()[plan.device_axes[d]];
    along.stride = distances[d];
    along.reversed = (reversed(plan) >> d & 1) != 0;
  }
  return access;
}

}  // namespace convoy::inline v0
