#include "engine/device_array_checks.hpp"

#include <fmt/format.h>

#include "convoy/error.hpp"
#include "engine/checks.hpp"

namespace convoy::inline v0 {

ImageView view_of(const DeviceArray& array, bool handles_are_addresses) {
  // Buffers that are no addresses begin somewhere.
  const std::uint64_t begin = handles_are_addresses ? array.handle : std::uint64_t{1} << 40;
  return {reinterpret_cast<const void*>(static_cast<std::uintptr_t>(begin + array.offset_bytes)), array.element,
          array.shape, array.batch, array.strides};
}
MutableImageView mutable_view_of(const DeviceArray& array, bool handles_are_addresses) {
  const ImageView view = view_of(array, handles_are_addresses);
  return {const_cast<void*>(view.data), view.element, view.shape, view.batch, view.strides};
}

void require_array(const char* what, const DeviceArray& given, const DeviceArray& planned) {
  if (given.handle == 0) throw Error(Errc::invalid_argument, fmt::format("the {} has no memory (null handle)", what));
  const bool same = given.shape == planned.shape && given.element == planned.element && given.batch == planned.batch;
  const auto strides = [](const DeviceArray& array) { return view_of(array, true).strides_in_bytes(); };
  if (same && strides(given) == strides(planned)) return;
  const auto text = [&](const DeviceArray& array) {
    const std::string distances = same ? fmt::format(" with strides of {} bytes", to_text(strides(array))) : "";
    return fmt::format("{}{} zyx of {}{}", array.batch == 1 ? "" : fmt::format("{} times ", array.batch),
                       to_text(array.shape), name(array.element), distances);
  };
  throw Error(Errc::invalid_argument,
              fmt::format("the {} is {}, but this was planned for {}", what, text(given), text(planned)));
}

void require_apart(const DeviceArray& image, const DeviceArray& output, bool handles_are_addresses) {
  if (!handles_are_addresses && image.handle != output.handle) return;
  require_apart(view_of(image, handles_are_addresses), mutable_view_of(output, handles_are_addresses));
}

}  // namespace convoy::inline v0
