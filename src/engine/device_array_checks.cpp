#include "engine/device_array_checks.hpp"

#include <fmt/format.h>

#include "convoy/error.hpp"

namespace convoy {
namespace {

std::uint64_t num_bytes(const DeviceArray& array) {
  return static_cast<std::uint64_t>(num_voxels(array.shape) * array.batch) * size_of(array.element);
}

}  // namespace

void require_array(const char* what, const DeviceArray& given, Element element, const Shape& shape, Index batch) {
  if (given.handle == 0) throw Error(Errc::invalid_argument, fmt::format("the {} has no memory (null handle)", what));
  if (given.shape == shape && given.element == element && given.batch == batch) return;
  const auto text = [](Index images, const Shape& extents, Element kind) {
    return fmt::format("{}{} zyx of {}", images == 1 ? "" : fmt::format("{} times ", images), to_text(extents),
                       name(kind));
  };
  throw Error(Errc::invalid_argument,
              fmt::format("the {} is {}, but this was planned for {}", what,
                          text(given.batch, given.shape, given.element), text(batch, shape, element)));
}

void require_apart(const DeviceArray& image, const DeviceArray& output, bool handles_are_addresses) {
  if (!handles_are_addresses && image.handle != output.handle) return;
  const std::uint64_t in = handles_are_addresses ? image.handle + image.offset_bytes : image.offset_bytes;
  const std::uint64_t out = handles_are_addresses ? output.handle + output.offset_bytes : output.offset_bytes;
  if (in < out + num_bytes(output) && out < in + num_bytes(image)) {
    throw Error(Errc::invalid_argument, "the output overlaps the image in device memory; give it an array of its own");
  }
}

}  // namespace convoy
