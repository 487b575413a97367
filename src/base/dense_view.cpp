#include "base/dense_view.hpp"

#include <cstdint>
#include <cstring>

namespace convoy::inline v0 {
namespace {

/// Voxels of so many bytes, at these distances. Of a size that is known, so that copies are single moves.
template <std::size_t voxel_bytes>
void copy_row(const std::byte* from, Index from_stride, std::byte* to, Index to_stride, Index count) {
  for (Index i = 0; i < count; ++i) std::memcpy(to + i * to_stride, from + i * from_stride, voxel_bytes);
}

using CopyRow = void (*)(const std::byte*, Index, std::byte*, Index, Index);

CopyRow copy_row_of(std::size_t voxel_bytes) {
  switch (voxel_bytes) {
    case 1:
      return copy_row<1>;
    case 2:
      return copy_row<2>;
    case 4:
      return copy_row<4>;
    case 8:
      return copy_row<8>;
    default:
      return copy_row<16>;
  }
}

bool is_aligned(const ImageView& view) {
  return reinterpret_cast<std::uintptr_t>(view.data) % size_of(view.element) == 0;
}

}  // namespace

void copy_voxels(const ImageView& from, const MutableImageView& to) {
  const Strides in = from.strides_in_bytes();
  const Strides out = to.strides_in_bytes();
  const auto voxel_bytes = static_cast<Index>(size_of(from.element));
  const bool rows_are_dense = in.x == voxel_bytes && out.x == voxel_bytes;
  const CopyRow copy = copy_row_of(size_of(from.element));
  for (Index image = 0; image < from.batch; ++image) {
    for (Index z = 0; z < from.shape.z; ++z) {
      for (Index y = 0; y < from.shape.y; ++y) {
        const auto* row = static_cast<const std::byte*>(from.data) + image * in.image + z * in.z + y * in.y;
        auto* const row_out = static_cast<std::byte*>(to.data) + image * out.image + z * out.z + y * out.y;
        if (rows_are_dense) {
          std::memcpy(row_out, row, static_cast<std::size_t>(from.shape.x * voxel_bytes));
        } else {
          copy(row, in.x, row_out, out.x, from.shape.x);
        }
      }
    }
  }
}

DenseView::DenseView(const ImageView& given) : view_(given) {
  view_.strides.reset();
  if (given.data == nullptr || (given.is_dense() && is_aligned(given))) return;
  num_voxels(given.shape);
  copy_ = make_image({given.batch * given.shape.z, given.shape.y, given.shape.x}, given.element);
  view_ = {copy_.bytes.data(), given.element, given.shape, given.batch};
  copy_voxels(given, {copy_.bytes.data(), given.element, given.shape, given.batch});
}

}  // namespace convoy::inline v0
