// Random problems of every mode, boundary and origin. CONVOY_TEST_SEED repeats a run, CONVOY_TEST_CASES sets its
// length.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <random>

#include "convoy/convoy.hpp"

namespace convoy::test {

inline std::uint64_t number_from(const char* variable, std::uint64_t fallback) {
  const char* text = std::getenv(variable);
  return text != nullptr && *text != '\0' ? std::strtoull(text, nullptr, 10) : fallback;
}

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  Index between(Index low, Index high) { return std::uniform_int_distribution<Index>(low, high)(engine_); }
  template <class T>
  T one_of(std::initializer_list<T> values) {
    return *(values.begin() + between(0, static_cast<Index>(values.size()) - 1));
  }
  Boundary boundary() { return kAllBoundaries[between(0, kAllBoundaries.size() - 1)]; }

 private:
  std::mt19937_64 engine_;
};

inline Shape random_shape(Dice& dice, Index most) {
  switch (dice.between(0, 5)) {
    case 0:
      return {1, 1, dice.between(1, most * most)};
    case 1:
      return {1, dice.between(1, 2 * most), dice.between(1, 2 * most)};
    case 2:
      return {dice.between(1, most), 1, dice.between(1, most)};
    default:
      return {dice.between(1, most), dice.between(1, most), dice.between(1, most)};
  }
}

inline Box random_part(Dice& dice, const Shape& whole) {
  Box box;
  for (int axis = 0; axis < 3; ++axis) {
    box.begin[axis] = dice.between(0, whole[axis] - 1);
    box.size[axis] = dice.between(1, whole[axis] - box.begin[axis]);
  }
  return box;
}

inline ConvolutionSpec random_spec(Dice& dice) {
  ConvolutionSpec spec;
  spec.image = random_shape(dice, 9);
  spec.kernel = {dice.between(1, spec.image.z > 1 ? 5 : 2), dice.between(1, spec.image.y > 1 ? 6 : 2),
                 dice.between(1, 7)};
  spec.mode = dice.one_of({Mode::full, Mode::same, Mode::same, Mode::same, Mode::valid, Mode::circular});
  if (spec.mode == Mode::valid) {
    for (int axis = 0; axis < 3; ++axis) spec.kernel[axis] = std::min(spec.kernel[axis], spec.image[axis]);
    if (dice.between(0, 3) == 0) std::swap(spec.image, spec.kernel);
  }
  if (spec.mode == Mode::same || spec.mode == Mode::circular) {
    const Shape& k = spec.kernel;
    spec.origin =
        dice.one_of({Origin{}, Origin{Origin::Rule::scipy, {}}, Origin{Origin::Rule::first, {}},
                     Origin::at({dice.between(0, k.z - 1), dice.between(0, k.y - 1), dice.between(0, k.x - 1)})});
  }
  spec.operation = dice.one_of({Operation::convolve, Operation::correlate, Operation::flip});
  const bool full_reads = spec.mode == Mode::full && spec.operation != Operation::correlate;
  if (spec.mode == Mode::same || full_reads) {
    spec.boundary = dice.boundary();
    if (spec.boundary == Boundary::constant) spec.constant = static_cast<double>(dice.between(-3, 3));
  }
  // What has no adjoint.
  if (spec.operation == Operation::correlate && spec.boundary == Boundary::constant) spec.constant = 0;
  spec.precision = dice.one_of({Precision::f32, Precision::f64});
  return spec;
}

inline std::uint64_t the_seed() {
  static const std::uint64_t seed = [] {
    const std::uint64_t chosen = number_from("CONVOY_TEST_SEED", 20240601);
    std::printf("CONVOY_TEST_SEED=%llu\n", static_cast<unsigned long long>(chosen));
    return chosen;
  }();
  return seed;
}

}  // namespace convoy::test
