#include "engine/whole_images.hpp"

#include "engine/tile_geometry.hpp"

namespace convoy::inline v0 {
namespace {

constexpr Index kSlabVoxels = Index{1} << 21;

/// The image in slabs of whole rows, each dense in it; move(box, offset in bytes).
template <class Move>
void for_each_dense_slab(const Shape& shape, const Shape& chunk, Element element, const Move& move) {
  for (const PlacedBox& slab : slabs_of({{{0, 0, 0}, shape}, {0, 0, 0}}, chunk, kSlabVoxels)) {
    const Index first = (slab.to.z * shape.y + slab.to.y) * shape.x + slab.to.x;
    move(slab.from, static_cast<std::size_t>(first) * size_of(element));
  }
}

}  // namespace

Image read_whole(const ImageReader& reader) {
  Image image = make_image(reader.shape(), reader.element());
  for_each_dense_slab(image.shape, reader.chunk(), image.element,
                      [&](const Box& box, std::size_t offset) { reader.read(box, image.bytes.data() + offset); });
  return image;
}

void write_whole(const ImageView& dense, ImageWriter& writer) {
  const auto* const voxels = static_cast<const std::byte*>(dense.data);
  for_each_dense_slab(dense.shape, writer.chunk(), dense.element,
                      [&](const Box& box, std::size_t offset) { writer.write(box, voxels + offset); });
}

}  // namespace convoy::inline v0
