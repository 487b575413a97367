// Which axes of an image a kernel's file has.
#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/refuse.hpp"
#include "convoy/io.hpp"

namespace convoy::inline v0 {
namespace {

constexpr std::string_view kAxes = "ZYX";

/// As many as the image extends over; one of extent 1 in front counts for nothing.
int num_axes_of(const Shape& image) { return image.z > 1 ? 3 : image.y > 1 ? 2 : 1; }

void require_names(const std::string& axes) {
  std::size_t from = 0;
  for (const char axis : axes) {
    from = kAxes.find(axis, from);
    if (from++ == std::string_view::npos) {
      refuse(fmt::format("'{}' names no axes of a kernel; name each once, slowest first, of Z, Y and X, as in YX or ZY",
                         axes));
    }
  }
}

Shape placed(const Shape& stored, const std::string& axes) {
  const int num_left_out = 3 - static_cast<int>(axes.size());
  for (int axis = 0; axis < num_left_out; ++axis) {
    if (stored[axis] == 1) continue;
    refuse(
        fmt::format("the kernel is {} zyx, more axes than the {} that '{}' names", to_text(stored), axes.size(), axes));
  }
  Shape shape{1, 1, 1};
  for (std::size_t i = 0; i < axes.size(); ++i) {
    shape[static_cast<int>(kAxes.find(axes[i]))] = stored[num_left_out + static_cast<int>(i)];
  }
  return shape;
}

}  // namespace

void place_kernel(Image& kernel, const Shape& image, const std::string& axes) {
  const int num_axes = kernel.metadata.num_axes;
  if (axes.empty()) {
    if (num_axes >= num_axes_of(image)) return;
    refuse(fmt::format(
        "the kernel's file has {} {} and the image {} ({} zyx): say which they are, as in --kernel-axes {}, "
        "or store the kernel with all of them",
        num_axes, num_axes == 1 ? "axis" : "axes", num_axes_of(image), to_text(image),
        kAxes.substr(static_cast<std::size_t>(3 - num_axes))));
  }
  require_names(axes);
  if (static_cast<int>(axes.size()) > num_axes) {
    refuse(fmt::format("the kernel's file has {} {}, but '{}' names {}", num_axes, num_axes == 1 ? "axis" : "axes",
                       axes, axes.size()));
  }
  kernel.shape = placed(kernel.shape, axes);
  kernel.metadata.num_axes = 3;
}

}  // namespace convoy::inline v0
