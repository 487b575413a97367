#include "io/box.hpp"

#include <fmt/format.h>

#include "convoy/error.hpp"

namespace convoy::io {

void require_inside(const Shape& shape, const Box& box) {
  if (contains(shape, box)) return;
  throw Error(Errc::invalid_argument,
              fmt::format("a box of {} voxels from {},{},{} on does not lie in an image of {} zyx", to_text(box.size),
                          box.begin.z, box.begin.y, box.begin.x, to_text(shape)));
}

}  // namespace convoy::io
