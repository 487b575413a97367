#include "convoy/picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/dense_view.hpp"
#include "base/voxel_rows.hpp"
#include "convoy/error.hpp"

namespace convoy {
namespace {

constexpr std::uint8_t kWhite = 255;

/// Largest voxel along z (y rows of x) and along x (y rows of z).
struct Projections {
  std::vector<double> along_z;
  std::vector<double> along_x;
};

template <class T>
Projections project(const T* voxel, const Shape& shape) {
  constexpr double kLeast = -std::numeric_limits<double>::infinity();
  const auto [size_z, size_y, size_x] = shape;
  Projections result{std::vector<double>(static_cast<std::size_t>(size_y * size_x), kLeast),
                     std::vector<double>(static_cast<std::size_t>(size_y * size_z), kLeast)};
  for (Index z = 0; z < size_z; ++z) {
    for (Index y = 0; y < size_y; ++y) {
      double& beside = result.along_x[static_cast<std::size_t>(y * size_z + z)];
      double* above = result.along_z.data() + y * size_x;
      for (Index x = 0; x < size_x; ++x, ++voxel) {
        const auto value = static_cast<double>(*voxel);
        if (value > above[x]) above[x] = value;
        if (value > beside) beside = value;
      }
    }
  }
  return result;
}

/// Grey for a value: least to largest becomes 0 to 255.
class GreyScale {
 public:
  GreyScale(const Projections& projections, double gamma) : gamma_(gamma) {
    for (const auto* values : {&projections.along_z, &projections.along_x}) {
      for (const double value : *values) {
        if (!std::isfinite(value)) continue;
        least_ = std::min(least_, value);
        largest_ = std::max(largest_, value);
      }
    }
  }

  std::uint8_t operator()(double value) const {
    if (!(value > least_) || !(largest_ > least_)) return 0;
    const double part = std::min(1.0, (value - least_) / (largest_ - least_));
    return static_cast<std::uint8_t>(std::lround(255 * std::pow(part, gamma_)));
  }

 private:
  double gamma_;
  double least_ = std::numeric_limits<double>::max();
  double largest_ = std::numeric_limits<double>::lowest();
};

void require_positive(double value, const char* what) {
  if (value > 0 && std::isfinite(value)) return;
  throw Error(Errc::invalid_argument, fmt::format("{} {} draws nothing; it must be above 0", what, value));
}

}  // namespace

Image make_projection_picture(const ImageView& given, const PictureOptions& options) {
  require_positive(options.gamma, "gamma");
  require_positive(options.z_scale, "z scale");
  const DenseView dense(given);
  const ImageView& image = dense.view();
  const auto [size_z, size_y, size_x] = image.shape;
  const double scaled_width = std::round(static_cast<double>(size_z) * options.z_scale);
  constexpr double kWidest = 1e6;  // of a PNG
  if (scaled_width > kWidest) {
    throw Error(Errc::invalid_argument, fmt::format("z scale {} makes a picture {} pixels wide; {} is the most",
                                                    options.z_scale, scaled_width, kWidest));
  }
  const Index side_width = std::max<Index>(1, static_cast<Index>(scaled_width));
  const Index gap = std::max<Index>(2, size_x / 64);

  const Projections projections =
      with_element(image.element, [&]<class T>(T) { return project(static_cast<const T*>(image.data), image.shape); });
  const GreyScale grey(projections, options.gamma);
  Image picture = make_image({1, size_y, size_x + gap + side_width}, Element::u8);
  auto* pixel = reinterpret_cast<std::uint8_t*>(picture.bytes.data());
  for (Index y = 0; y < size_y; ++y) {
    for (Index x = 0; x < size_x; ++x) *pixel++ = grey(projections.along_z[static_cast<std::size_t>(y * size_x + x)]);
    pixel = std::fill_n(pixel, gap, kWhite);
    for (Index column = 0; column < side_width; ++column) {
      const auto z = std::min(size_z - 1, static_cast<Index>((static_cast<double>(column) + 0.5) / options.z_scale));
      *pixel++ = grey(projections.along_x[static_cast<std::size_t>(y * size_z + z)]);
    }
  }
  picture.metadata.num_axes = 2;
  return picture;
}

}  // namespace convoy
