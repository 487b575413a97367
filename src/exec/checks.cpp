#include "exec/checks.hpp"

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

void require_finite(const ConvolutionSpec& spec, const InputSums& met) {
  if (met.non_finite == 0 || spec.non_finite == NonFinite::zero) return;
  const Shape& shape = spec.image;
  throw Error(Errc::invalid_argument,
              fmt::format("the image has {} NaN or infinite voxel(s), the first at z,y,x = {},{},{}; a transform would "
                          "spread them over the whole output: mend the image, or have them taken as 0 (--nan zero)",
                          met.non_finite, met.first_non_finite / (shape.y * shape.x),
                          met.first_non_finite / shape.x % shape.y, met.first_non_finite % shape.x));
}

}  // namespace convoy
