#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "base/dense_view.hpp"
#include "base/voxel_rows.hpp"
#include "convoy/error.hpp"
#include "convoy/psf.hpp"

namespace convoy::inline v0 {
namespace {

/// The light in each plane across an axis, for z, y and x.
struct Profiles {
  std::array<std::vector<double>, 3> of_axis;
  double sum = 0;

  explicit Profiles(const Shape& shape) {
    const std::array<Index, 3> sizes{shape.z, shape.y, shape.x};
    for (std::size_t axis = 0; axis < 3; ++axis) of_axis[axis].assign(static_cast<std::size_t>(sizes[axis]), 0.0);
  }

  template <class T>
  void add(const T* voxel) {
    for (double& in_z : of_axis[0]) {
      for (double& in_y : of_axis[1]) {
        for (double& in_x : of_axis[2]) {
          const auto value = static_cast<double>(*voxel++);
          if (!std::isfinite(value)) throw Error(Errc::invalid_argument, "the PSF has NaN or infinite voxels");
          const double light = std::max(0.0, value);
          in_z += light;
          in_y += light;
          in_x += light;
          sum += light;
        }
      }
    }
    if (sum > 0) return;
    throw Error(Errc::invalid_argument, "the PSF has no voxel above 0; there is nothing to keep");
  }
};

/// Begin and size of what is kept along an axis.
std::array<Index, 2> kept_part(const std::vector<double>& profile, Index origin, double most_left_out) {
  const auto size = static_cast<Index>(profile.size());
  double left_out = 0;
  Index reach = std::max(origin, size - 1 - origin);
  for (; reach > 0; --reach) {  // the planes at that distance are left out as long as they may be
    for (const Index plane : {origin - reach, origin + reach}) {
      if (plane >= 0 && plane < size) left_out += profile[static_cast<std::size_t>(plane)];
    }
    if (left_out > most_left_out) break;
  }
  const Index begin = std::max<Index>(0, origin - reach);
  return {begin, std::min(size, origin + reach + 1) - begin};
}

}  // namespace

Box psf_box(const ImageView& psf, const Shape& origin, double energy) {
  if (!(energy > 0) || energy > 1) {
    throw Error(Errc::invalid_argument,
                fmt::format("a part of {} of the PSF is none; give one above 0 and at most 1", energy));
  }
  const Shape& shape = psf.shape;
  const auto is_inside = [](Index index, Index size) { return index >= 0 && index < size; };
  if (!is_inside(origin.z, shape.z) || !is_inside(origin.y, shape.y) || !is_inside(origin.x, shape.x)) {
    throw Error(Errc::invalid_argument, fmt::format("origin {},{},{} lies outside the PSF of {} voxels", origin.z,
                                                    origin.y, origin.x, to_text(shape)));
  }
  const DenseView dense(psf);
  Profiles profiles(shape);
  with_element(psf.element, [&]<class T>(T) { profiles.add(static_cast<const T*>(dense.view().data)); });
  const double most_left_out = (1 - energy) / 3 * profiles.sum;
  const auto z = kept_part(profiles.of_axis[0], origin.z, most_left_out);
  const auto y = kept_part(profiles.of_axis[1], origin.y, most_left_out);
  const auto x = kept_part(profiles.of_axis[2], origin.x, most_left_out);
  return {{z[0], y[0], x[0]}, {z[1], y[1], x[1]}};
}

Image cut_out(const ImageView& image, const Box& box) {
  for (int axis = 0; axis < 3; ++axis) {
    const Index begin = box.begin[axis], size = box.size[axis];
    if (begin >= 0 && size > 0 && size <= image.shape[axis] && begin <= image.shape[axis] - size) continue;
    throw Error(Errc::invalid_argument,
                fmt::format("{} lies outside an image of {} voxels", to_text(box), to_text(image.shape)));
  }
  const Strides strides = image.strides_in_bytes();
  const auto* first = static_cast<const std::byte*>(image.data) + box.begin.z * strides.z + box.begin.y * strides.y +
                      box.begin.x * strides.x;
  Image part = make_image(box.size, image.element);
  copy_voxels({first, image.element, box.size, 1, strides}, part.mutable_view());
  return part;
}

}  // namespace convoy::inline v0
