// Copies that sum up: every voxel once, wherever the row begins, and nothing beside it.
#include "base/row_sums.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace convoy;

namespace {

template <class Real>
void check_rows() {
  constexpr Index kMost = 70;
  std::vector<Real> from(2 * kMost);
  for (Index i = 0; i < 2 * kMost; ++i) from[static_cast<std::size_t>(i)] = static_cast<Real>(i * i % 97) / 8;
  for (Index count = 0; count <= kMost; ++count) {
    for (Index shift = 0; shift < 9; ++shift) {
      const Real* const row = from.data() + shift % 5;
      double sum = 0;  // exact: all values are multiples of 1/8
      for (Index i = 0; i < count; ++i) sum += static_cast<double>(row[i]);
      std::vector<Real> to(2 * kMost, Real(-1));
      CHECK(stream_copy_and_sum(to.data() + shift, row, count) == sum);
      end_stream();
      CHECK(sum_of(row, count) == sum);
      for (Index i = 0; i < 2 * kMost; ++i) {
        const bool copied = i >= shift && i < shift + count;
        REQUIRE(to[static_cast<std::size_t>(i)] == (copied ? row[i - shift] : Real(-1)));
      }
    }
  }
}

}  // namespace

TEST_CASE("rows of any length and alignment are copied and summed up") {
  check_rows<float>();
  check_rows<double>();
}

TEST_CASE("sums of floats are taken in double precision") {
  std::vector<float> values(1 << 20, 0.1F);
  values.front() = 1e8F;
  std::vector<float> copy(values.size());
  const double sum = 1e8 + static_cast<double>(values.size() - 1) * static_cast<double>(0.1F);
  CHECK(sum_of(values.data(), static_cast<Index>(values.size())) == doctest::Approx(sum).epsilon(1e-9));
  CHECK(stream_copy_and_sum(copy.data(), values.data(), static_cast<Index>(values.size())) ==
        doctest::Approx(sum).epsilon(1e-9));
}
