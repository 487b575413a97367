#include "convoy/shape.hpp"

#include <fmt/format.h>

#include "convoy/error.hpp"

namespace convoy {

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

}  // namespace convoy
