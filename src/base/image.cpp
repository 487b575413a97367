#include "convoy/image.hpp"

#include <fmt/format.h>

#include "convoy/error.hpp"

namespace convoy::inline v0 {
namespace {

void require_voxels(std::size_t voxels, const Shape& image, Index batch) {
  const Shape shape{batch * image.z, image.y, image.x};
  const Index expected = num_voxels(shape);
  if (voxels != static_cast<std::size_t>(expected)) {
    throw Error(Errc::invalid_argument,
                fmt::format("the buffer holds {} voxels, but shape {} zyx has {}", voxels, to_text(shape), expected));
  }
}

/// Without overflow: shapes that no memory holds are refused elsewhere.
Index wrapping_product(Index a, Index b) {
  return static_cast<Index>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}

}  // namespace

const char* name(Element element) {
  const auto place = static_cast<std::size_t>(element);
  return place < kElements.size() ? kElements[place].name : "unknown";
}

void require_element(Element wanted, Element found) {
  if (wanted == found) return;
  throw Error(Errc::invalid_argument, fmt::format("the image's voxels are {}, not {}", name(found), name(wanted)));
}

Image make_image(const Shape& shape, Element element) {
  const std::uint64_t bytes = saturating_product(static_cast<std::uint64_t>(num_voxels(shape)), size_of(element));
  Image image;
  image.shape = shape;
  image.element = element;
  try {
    image.bytes.resize(bytes);
  } catch (const std::exception&) {  // bad_alloc, or length_error beyond the address space
    throw OutOfMemory(fmt::format("an image of {} {} voxels needs {:.3g} GiB of memory, which this machine does not "
                                  "give",
                                  to_text(shape), name(element), static_cast<double>(bytes) / (1ULL << 30)),
                      bytes, 0, "host memory");
  }
  return image;
}

Strides dense_strides(const Shape& shape, Element element) {
  Strides strides;
  strides.x = static_cast<Index>(size_of(element));
  strides.y = wrapping_product(shape.x, strides.x);
  strides.z = wrapping_product(shape.y, strides.y);
  strides.image = wrapping_product(shape.z, strides.z);
  return strides;
}

void ImageView::require_size(std::size_t voxels) const { require_voxels(voxels, shape, batch); }
void MutableImageView::require_size(std::size_t voxels) const { require_voxels(voxels, shape, batch); }

Strides ImageView::strides_in_bytes() const {
  if (!strides) return dense_strides(shape, element);
  Strides given = *strides;
  if (shape.x == 1) given.x = static_cast<Index>(size_of(element));
  if (shape.y == 1) given.y = wrapping_product(shape.x, given.x);
  if (shape.z == 1) given.z = wrapping_product(shape.y, given.y);
  if (batch == 1) given.image = wrapping_product(shape.z, given.z);
  return given;
}

bool ImageView::is_dense() const { return strides_in_bytes() == dense_strides(shape, element); }

ImageView ImageView::as_one() const {
  if (is_dense()) return {data, element, {batch * shape.z, shape.y, shape.x}};
  throw Error(Errc::invalid_argument, "the images do not follow each other without gaps, so they are not one image");
}

ImageView ImageView::part(int number) const {
  const Element element_of_part = part_of(element);
  return {static_cast<const std::byte*>(data) + static_cast<std::size_t>(number) * size_of(element_of_part),
          element_of_part, shape, batch, strides_in_bytes()};
}

MutableImageView MutableImageView::part(int number) const {
  const Element element_of_part = part_of(element);
  return {static_cast<std::byte*>(data) + static_cast<std::size_t>(number) * size_of(element_of_part), element_of_part,
          shape, batch, strides_in_bytes()};
}

ImageView ImageView::image(Index number) const {
  return {static_cast<const std::byte*>(data) + number * strides_in_bytes().image, element, shape, 1, strides};
}

MutableImageView MutableImageView::image(Index number) const {
  return {static_cast<std::byte*>(data) + number * strides_in_bytes().image, element, shape, 1, strides};
}

}  // namespace convoy::inline v0
