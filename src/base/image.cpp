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
  switch (element) {
    case Element::u8:
      return "u8";
    case Element::u16:
      return "u16";
    case Element::f32:
      return "f32";
    case Element::f64:
      return "f64";
  }
  return "unknown";
}

void ImageView::require_size(std::size_t voxels) const { require_voxels(voxels, shape); }
void MutableImageView::require_size(std::size_t voxels) const { require_voxels(voxels, shape); }

}  // namespace convoy
