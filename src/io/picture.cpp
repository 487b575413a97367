#include "convoy/picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/dense_view.hpp"
#include "base/voxel_rows.hpp"
#include "convoy/error.hpp"

namespace convoy::inline v0 {
namespace {

constexpr std::uint8_t kWhite = 255;
constexpr double kLeast = -std::numeric_limits<double>::infinity();

void require_positive(double value, const char* what) {
  if (value > 0 && std::isfinite(value)) return;
  throw Error(Errc::invalid_argument, fmt::format("{} {} draws nothing; it must be above 0", what, value));
}

/// Largest voxels along z (y rows of x) and along x (y rows of z), of squares of `reduction` voxels along y and x.
class Projections {
 public:
  Projections(const Shape& shape, Index reduction)
      : reduction_(reduction),
        size_{shape.z, (shape.y - 1) / reduction + 1, (shape.x - 1) / reduction + 1},
        along_z_(static_cast<std::size_t>(size_.y * size_.x), kLeast),
        along_x_(static_cast<std::size_t>(size_.y * size_.z), kLeast) {}

  template <class T>
  void take(const T* voxel, const Box& box) {
    for (Index z = 0; z < box.size.z; ++z) {
      for (Index y = 0; y < box.size.y; ++y) {
        const Index row = (box.begin.y + y) / reduction_;
        double& beside = along_x_[static_cast<std::size_t>(row * size_.z + box.begin.z + z)];
        double* above = along_z_.data() + row * size_.x;
        for (Index x = 0; x < box.size.x; ++x, ++voxel) {
          const auto value = static_cast<double>(*voxel);
          double& here = above[(box.begin.x + x) / reduction_];
          if (value > here) here = value;
          if (value > beside) beside = value;
        }
      }
    }
  }

  const Shape& size() const { return size_; }
  const std::vector<double>& along_z() const { return along_z_; }
  const std::vector<double>& along_x() const { return along_x_; }
  double along_z(Index y, Index x) const { return along_z_[static_cast<std::size_t>(y * size_.x + x)]; }
  double along_x(Index y, Index begin_z, Index end_z) const {
    const auto row = along_x_.begin() + y * size_.z;
    return *std::max_element(row + begin_z, row + end_z);
  }

 private:
  Index reduction_;
  Shape size_;
  std::vector<double> along_z_;
  std::vector<double> along_x_;
};

/// Grey for a value: least to largest becomes 0 to 255.
class GreyScale {
 public:
  GreyScale(const Projections& projections, double gamma) : gamma_(gamma) {
    for (const auto* values : {&projections.along_z(), &projections.along_x()}) {
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

/// The pixels that z makes across: with several planes to a pixel their largest, else the plane at its middle.
class DepthAxis {
 public:
  DepthAxis(Index size, double scale) : size_(size), scale_(scale) {
    const double width = std::round(static_cast<double>(size) * scale);
    constexpr double kWidest = 1e6;  // of a PNG
    if (width > kWidest) {
      throw Error(Errc::invalid_argument,
                  fmt::format("z scale {} makes a picture {} pixels wide; {} is the most", scale, width, kWidest));
    }
    width_ = std::max<Index>(1, static_cast<Index>(width));
  }

  Index width() const { return width_; }
  Index begin(Index pixel) const { return std::min(size_ - 1, static_cast<Index>(middle(pixel) - half_width())); }
  Index end(Index pixel) const {
    const auto last = static_cast<Index>(std::ceil(middle(pixel) + half_width()));
    return std::clamp(last, begin(pixel) + 1, size_);
  }

 private:
  double middle(Index pixel) const { return (static_cast<double>(pixel) + 0.5) / scale_; }
  double half_width() const { return std::max(0.0, 0.5 / scale_ - 0.5); }

  Index size_;
  double scale_;
  Index width_ = 1;
};

Index reduction_for(const Shape& shape, const PictureOptions& options) {
  require_positive(options.gamma, "gamma");
  require_positive(options.z_scale, "z scale");
  require_positive(static_cast<double>(options.max_extent), "largest extent");
  return (std::max(shape.y, shape.x) - 1) / options.max_extent + 1;
}

Image draw(const Projections& projections, const PictureOptions& options, Index reduction) {
  const auto [size_z, size_y, size_x] = projections.size();
  const DepthAxis depth(size_z, options.z_scale / static_cast<double>(reduction));
  const Index gap = std::max<Index>(2, size_x / 64);
  const GreyScale grey(projections, options.gamma);
  Image picture = make_image({1, size_y, size_x + gap + depth.width()}, Element::u8);
  auto* pixel = reinterpret_cast<std::uint8_t*>(picture.bytes.data());
  for (Index y = 0; y < size_y; ++y) {
    for (Index x = 0; x < size_x; ++x) *pixel++ = grey(projections.along_z(y, x));
    pixel = std::fill_n(pixel, gap, kWhite);
    for (Index column = 0; column < depth.width(); ++column) {
      *pixel++ = grey(projections.along_x(y, depth.begin(column), depth.end(column)));
    }
  }
  picture.metadata.num_axes = 2;
  return picture;
}

}  // namespace

Image make_projection_picture(const ImageView& given, const PictureOptions& options) {
  const Index reduction = reduction_for(given.shape, options);
  const DenseView dense(given);
  const ImageView& image = dense.view();
  Projections projections(image.shape, reduction);
  with_element(image.element, [&]<class T>(T) {
    projections.take(static_cast<const T*>(image.data), {{0, 0, 0}, image.shape});
  });
  return draw(projections, options, reduction);
}

Image make_projection_picture(const ImageReader& image, const PictureOptions& options) {
  const Shape shape = image.shape();
  const Index reduction = reduction_for(shape, options);
  const Shape step = image.chunk();
  Projections projections(shape, reduction);
  std::vector<std::byte> voxels;
  Box box;
  for (box.begin.z = 0; box.begin.z < shape.z; box.begin.z += step.z) {
    for (box.begin.y = 0; box.begin.y < shape.y; box.begin.y += step.y) {
      for (box.begin.x = 0; box.begin.x < shape.x; box.begin.x += step.x) {
        box.size = {std::min(step.z, shape.z - box.begin.z), std::min(step.y, shape.y - box.begin.y),
                    std::min(step.x, shape.x - box.begin.x)};
        voxels.resize(static_cast<std::size_t>(num_voxels(box.size)) * size_of(image.element()));
        image.read(box, voxels.data());
        with_element(image.element(),
                     [&]<class T>(T) { projections.take(reinterpret_cast<const T*>(voxels.data()), box); });
      }
    }
  }
  return draw(projections, options, reduction);
}

}  // namespace convoy::inline v0
