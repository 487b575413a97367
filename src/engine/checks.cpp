#include "engine/checks.hpp"

#include <fmt/format.h>

#include <functional>

#include "convoy/error.hpp"

namespace convoy {

void require_data(const char* what, const void* data) {
  if (data == nullptr) throw Error(Errc::invalid_argument, fmt::format("the {} has no data (null pointer)", what));
}

void require_shape(const char* what, const Shape& given, const Shape& expected) {
  if (given == expected) return;
  throw Error(Errc::invalid_argument, fmt::format("the {} is {} zyx, but this was planned for {} zyx", what,
                                                  to_text(given), to_text(expected)));
}

void require_apart(const ImageView& image, const MutableImageView& output) {
  const auto* in = static_cast<const std::byte*>(image.data);
  const auto* out = static_cast<const std::byte*>(output.data);
  const std::size_t in_bytes = static_cast<std::size_t>(num_voxels(image.shape)) * size_of(image.element);
  const std::size_t out_bytes = static_cast<std::size_t>(num_voxels(output.shape)) * size_of(output.element);
  if (std::less<>()(in, out + out_bytes) && std::less<>()(out, in + in_bytes)) {
    throw Error(Errc::invalid_argument, "the output overlaps the image in memory; give it a buffer of its own");
  }
}

bool is_usable(const ConvolutionSpec& spec, const InputSums& met) {
  return met.too_large == 0 && (met.non_finite == 0 || spec.non_finite == NonFinite::zero);
}

void require_usable(const ConvolutionSpec& spec, const InputSums& met) {
  if (is_usable(spec, met)) return;
  const auto place = [&](Index voxel) {
    const Shape& shape = spec.image;
    return fmt::format("{},{},{}", voxel / (shape.y * shape.x), voxel / shape.x % shape.y, voxel % shape.x);
  };
  if (met.non_finite > 0 && spec.non_finite == NonFinite::error) {
    throw Error(Errc::invalid_argument,
                fmt::format("the image has {} NaN or infinite voxel(s), the first at z,y,x = {}; a transform would "
                            "spread them over the whole output: mend the image, or have them taken as 0 (--nan zero)",
                            met.non_finite, place(met.first_non_finite)));
  }
  const double value = -met.lowest > met.highest ? met.lowest : met.highest;
  const bool single = spec.precision == Precision::f32;
  throw Error(Errc::invalid_argument,
              fmt::format("the image has {} voxel(s) so large that a transform in {} precision may overflow, the first "
                          "at z,y,x = {}, the largest {:.9g}: if that value marks missing data, have it taken as 0 "
                          "(--no-data {:.9g}); else {}scale the image down",
                          met.too_large, single ? "single" : "double", place(met.first_too_large), value, value,
                          single ? "compute in double precision (--precision f64), or " : ""));
}

}  // namespace convoy
