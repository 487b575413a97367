#include "convoy/shape.hpp"

#include <fmt/format.h>

#include <charconv>
#include <vector>

#include "convoy/error.hpp"

namespace convoy::inline v0 {

Index num_voxels(const Shape& shape) {
  Index product = 1;
  for (int axis = 0; axis < 3; ++axis) {
    if (shape[axis] < 1) {
      throw Error(Errc::invalid_argument,
                  fmt::format("shape {} zyx has {} voxels on axis {}; every axis needs at least 1", to_text(shape),
                              shape[axis], axis_name(axis)));
    }
    if (__builtin_mul_overflow(product, shape[axis], &product)) {
      throw Error(Errc::invalid_argument, fmt::format("shape {} zyx has more than 2^63 voxels", to_text(shape)));
    }
  }
  return product;
}

std::uint64_t saturating_product(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

std::uint64_t saturating_sum(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

std::string to_text(const Shape& shape) { return fmt::format("{}x{}x{}", shape.z, shape.y, shape.x); }

std::string to_text(const Box& box) {
  std::string text;
  for (int axis = 0; axis < 3; ++axis) {
    text += fmt::format("{}{}:{}", axis > 0 ? "," : "", box.begin[axis], box.begin[axis] + box.size[axis]);
  }
  return text;
}

namespace {

Index position_from_text(const std::string& part, Index missing, const std::string& text) {
  if (part.empty()) return missing;
  Index value = 0;
  const auto [end, problem] = std::from_chars(part.data(), part.data() + part.size(), value);
  if (problem == std::errc() && end == part.data() + part.size()) return value;
  throw Error(Errc::invalid_argument,
              fmt::format("'{}' is no region: '{}' is no number; write z0:z1,y0:y1,x0:x1", text, part));
}

}  // namespace

Box box_from_text(const std::string& text, const Shape& whole) {
  std::vector<std::string> ranges{""};
  for (const char c : text) {
    if (c == ',') {
      ranges.emplace_back();
    } else {
      ranges.back() += c;
    }
  }
  if (ranges.size() > 3) {
    throw Error(Errc::invalid_argument, fmt::format("'{}' has {} axes; a region has at most 3", text, ranges.size()));
  }
  Box box{{0, 0, 0}, whole};
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    const int axis = static_cast<int>(3 - ranges.size() + i);
    const std::size_t colon = ranges[i].find(':');
    if (colon == std::string::npos) {
      throw Error(Errc::invalid_argument,
                  fmt::format("'{}' is no region: '{}' lacks its colon; write z0:z1,y0:y1,x0:x1", text, ranges[i]));
    }
    const Index begin = position_from_text(ranges[i].substr(0, colon), 0, text);
    const Index end = position_from_text(ranges[i].substr(colon + 1), whole[axis], text);
    if (begin < 0 || begin >= end || end > whole[axis]) {
      throw Error(Errc::invalid_argument, fmt::format("region '{}' is empty or leaves the {} voxels of axis {}", text,
                                                      whole[axis], axis_name(axis)));
    }
    box.begin[axis] = begin;
    box.size[axis] = end - begin;
  }
  return box;
}

}  // namespace convoy::inline v0
