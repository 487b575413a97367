#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/dense_view.hpp"
#include "convoy/error.hpp"
#include "convoy/picture.hpp"

namespace convoy::inline v0 {
namespace {

constexpr std::uint8_t kBlack = 0;
constexpr std::uint8_t kFrame = 160;
constexpr std::uint8_t kWhite = 255;
constexpr Index kGap = 8;

/// A white picture to draw on.
class Canvas {
 public:
  explicit Canvas(const Shape& size) : picture_(make_image(size, Element::u8)) {
    picture_.metadata.num_axes = 2;
    std::ranges::fill(picture_.bytes, std::byte{kWhite});
  }

  const Shape& size() const { return picture_.shape; }
  void set(Index y, Index x, std::uint8_t grey) {
    picture_.bytes[static_cast<std::size_t>(y * size().x + x)] = std::byte{grey};
  }
  void frame(std::uint8_t grey) {
    for (Index x = 0; x < size().x; ++x) set(0, x, grey), set(size().y - 1, x, grey);
    for (Index y = 0; y < size().y; ++y) set(y, 0, grey), set(y, size().x - 1, grey);
  }
  void paste(const Image& picture, Index top, Index left) {
    const std::size_t width = static_cast<std::size_t>(picture.shape.x);
    for (Index y = 0; y < picture.shape.y; ++y) {
      std::copy_n(picture.bytes.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(y) * width), width,
                  picture_.bytes.begin() + (top + y) * size().x + left);
    }
  }
  Image take() { return std::move(picture_); }

 private:
  Image picture_;
};

/// Where a curve goes: rows of a canvas inside its frame, at each of its columns.
class Curve {
 public:
  Curve(const std::vector<double>& values, const Shape& size) : size_(size) {
    const bool logarithmic = std::ranges::all_of(values, [](double value) { return value > 0; });
    for (const double value : values) {
      heights_.push_back(logarithmic ? std::log(value) : value);
      if (!std::isfinite(heights_.back())) continue;
      least_ = least_ ? std::min(*least_, heights_.back()) : heights_.back();
      largest_ = largest_ ? std::max(*largest_, heights_.back()) : heights_.back();
    }
  }

  /// Between neighbours the curve is straight; nothing where one of them is not finite.
  std::optional<Index> row(Index column) const {
    if (!least_) return std::nullopt;
    const double at = static_cast<double>(column) * static_cast<double>(heights_.size() - 1) /
                      static_cast<double>(std::max<Index>(1, last_column()));
    const auto left = std::min(static_cast<std::size_t>(at), heights_.size() - 1);
    const std::size_t right = std::min(left + 1, heights_.size() - 1);
    const double weight = at - static_cast<double>(left);
    const double height = weight > 0 ? (1 - weight) * heights_[left] + weight * heights_[right] : heights_[left];
    if (!std::isfinite(height)) return std::nullopt;
    const double range = *largest_ - *least_;
    const double part = range > 0 ? (height - *least_) / range : 0.5;
    return std::lround((1 - part) * static_cast<double>(size_.y - 1 - 2 * kMargin)) + kMargin;
  }

  Index last_column() const { return size_.x - 1 - 2 * kMargin; }
  static constexpr Index kMargin = 3;

 private:
  Shape size_;
  std::vector<double> heights_;
  std::optional<double> least_;
  std::optional<double> largest_;
};

void require_picture(const Image& picture) {
  if (picture.element == Element::u8 && picture.shape.z == 1) return;
  throw Error(Errc::invalid_argument,
              fmt::format("a picture is one u8 plane, not {} {}", to_text(picture.shape), name(picture.element)));
}

Shape size_of_row(const std::vector<Image>& pictures) {
  Shape size{1, 0, 0};
  for (const Image& picture : pictures) {
    require_picture(picture);
    size.x += picture.shape.x + (size.x > 0 ? kGap : 0);
    size.y = std::max(size.y, picture.shape.y);
  }
  return size;
}

}  // namespace

Image make_curve_picture(const std::vector<double>& values, const Shape& size) {
  constexpr Index kSmallest = 8;
  if (size.z != 1 || size.y < kSmallest || size.x < kSmallest) {
    throw Error(Errc::invalid_argument,
                fmt::format("a curve needs a picture of 1x{0}x{0} pixels or more, not {1}", kSmallest, to_text(size)));
  }
  Canvas canvas(size);
  canvas.frame(kFrame);
  const Curve curve(values, size);
  std::optional<Index> previous;
  for (Index column = 0; column <= curve.last_column(); ++column) {
    const std::optional<Index> row = curve.row(column);
    if (row) {
      const auto [top, bottom] = std::minmax({previous.value_or(*row), *row});
      for (Index y = top; y <= bottom + 1; ++y) canvas.set(y, column + Curve::kMargin, kBlack);
    }
    previous = row;
  }
  return canvas.take();
}

Image arrange_pictures(const std::vector<std::vector<Image>>& rows) {
  Shape size{1, 0, 0};
  for (const std::vector<Image>& row : rows) {
    const Shape of_row = size_of_row(row);
    size.x = std::max(size.x, of_row.x);
    size.y += of_row.y + (size.y > 0 ? kGap : 0);
  }
  if (size.y == 0) throw Error(Errc::invalid_argument, "there is no picture to arrange");
  Canvas canvas(size);
  Index top = 0;
  for (const std::vector<Image>& row : rows) {
    Index left = 0;
    for (const Image& picture : row) {
      canvas.paste(picture, top, left);
      left += picture.shape.x + kGap;
    }
    top += size_of_row(row).y + kGap;
  }
  return canvas.take();
}

}  // namespace convoy::inline v0
