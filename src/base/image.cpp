#include "convoy/image.hpp"

#include <fmt/format.h>

#include "convoy/error.hpp"

namespace convoy {
namespace {

void require_voxels(std::size_t voxels, const Shape& shape) {
  const Index expected = num_voxels(shape);
  if (voxels != static_cast<std::size_t>(expected)) {
    throw Error(Errc::invalid_argument,
                fmt::format("the buffer holds {} voxels, but shape {} zyx has {}", voxels, to_text(shape), expected));
  }
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

void ImageView::require_size(std::size_t voxels) const { require_voxels(voxels, as_one().shape); }
void MutableImageView::require_size(std::size_t voxels) const { require_voxels(voxels, as_one().shape); }

ImageView ImageView::image(Index number) const {
  const std::uint64_t bytes = static_cast<std::uint64_t>(num_voxels(shape)) * size_of(element);
  return {static_cast<const std::byte*>(data) + static_cast<std::uint64_t>(number) * bytes, element, shape};
}

MutableImageView MutableImageView::image(Index number) const {
  const std::uint64_t bytes = static_cast<std::uint64_t>(num_voxels(shape)) * size_of(element);
  return {static_cast<std::byte*>(data) + static_cast<std::uint64_t>(number) * bytes, element, shape};
}

}  // namespace convoy
