#include "deconvolution/image_boxes.hpp"

#include <algorithm>

#include "base/dense_view.hpp"

namespace convoy::inline v0 {
namespace {

/// The address of the box's first voxel.
template <class View>
auto* first_voxel(const View& image, const Box& box) {
  const Strides strides = image.strides_in_bytes();
  const Index offset = box.begin.z * strides.z + box.begin.y * strides.y + box.begin.x * strides.x;
  using Byte =
      std::conditional_t<std::is_const_v<std::remove_pointer_t<decltype(image.data)>>, const std::byte, std::byte>;
  return static_cast<Byte*>(image.data) + offset;
}

}  // namespace

ImageView MemoryBoxes::read(const Box& box, std::vector<std::byte>& storage) const {
  const ImageView there(first_voxel(image_, box), image_.element, box.size, 1, image_.strides_in_bytes());
  if (there.is_dense()) return {there.data, there.element, there.shape};
  storage.resize(static_cast<std::size_t>(num_voxels(box.size)) * size_of(image_.element));
  const MutableImageView copy(storage.data(), image_.element, box.size);
  copy_voxels(there, copy);
  return copy;
}

Index ReaderBoxes::planes_at_once() const {
  const Shape whole = shape();
  const Index plane_bytes = whole.y * whole.x * static_cast<Index>(size_of(element()));
  const Index planes = std::max<Index>(1, kBytesAtOnce / plane_bytes);
  const Index chunk = std::clamp<Index>(reader_.chunk().z, 1, whole.z);
  return planes < chunk ? planes : planes / chunk * chunk;
}

ImageView ReaderBoxes::read(const Box& box, std::vector<std::byte>& storage) const {
  storage.resize(static_cast<std::size_t>(num_voxels(box.size)) * size_of(element()));
  reader_.read(box, storage.data());
  return {storage.data(), element(), box.size};
}

MutableImageView MemoryOutput::begin(const Box& box) {
  return {first_voxel(image_, box), image_.element, box.size, 1, image_.strides_in_bytes()};
}

MutableImageView WriterOutput::begin(const Box& box) {
  voxels_.resize(static_cast<std::size_t>(num_voxels(box.size)) * size_of(element()));
  return {voxels_.data(), element(), box.size};
}

void WriterOutput::end(const Box& box) {
  writer_.write(box, voxels_.data());
  voxels_ = std::vector<std::byte>();  // = {} would keep its memory
}

}  // namespace convoy::inline v0
