#include <doctest/doctest.h>

#include <algorithm>

#include "planner/lengths.hpp"

using namespace convoy;

namespace {

Limits gpu(std::uint64_t shared_memory_bytes, std::uint64_t coalesced_bytes) {
  Limits limits;
  limits.shared_memory_bytes = shared_memory_bytes;
  limits.coalesced_bytes = coalesced_bytes;
  return limits;
}

bool is_seven_smooth(Index length) {
  for (const Index prime : {2, 3, 5, 7}) {
    while (length % prime == 0) length /= prime;
  }
  return length == 1;
}

Index longest_power_of_two(const TransformLengths& lengths) {
  Index longest = 1;
  for (Index length = 1; length < (1 << 20); length *= 2) {
    if (lengths.admits(length)) longest = length;
  }
  return longest;
}

Index longest_seven_smooth(const TransformLengths& lengths) {
  Index longest = 1;
  for (Index length = 1; length < 40000; ++length) {
    if (is_seven_smooth(length) && lengths.admits(length)) longest = length;
  }
  return longest;
}

struct LimitRow {
  std::uint64_t shared_memory_bytes;
  std::uint64_t coalesced_bytes;
  Precision precision;
  bool contiguous;
  Index power_of_two;
  Index seven_smooth;
};

}  // namespace

TEST_CASE("single-pass lengths are those that VkFFT's scheduler allows") {
  // What VkFFT 1.3.4's own scheduler answers: the longest power of two and the longest 7-smooth length of one upload.
  const Precision f32 = Precision::f32;
  const Precision f64 = Precision::f64;
  const LimitRow rows[] = {{32768, 64, f32, true, 4096, 4096},    {32768, 64, f32, false, 512, 512},
                           {32768, 64, f64, true, 2048, 2048},    {32768, 64, f64, false, 512, 512},
                           {32768, 32, f32, false, 1024, 1024},   {32768, 32, f64, false, 1024, 1024},
                           {49152, 32, f32, true, 4096, 6144},    {49152, 32, f32, false, 1024, 1536},
                           {49152, 32, f64, true, 2048, 3072},    {49152, 32, f64, false, 1024, 1536},
                           {65536, 32, f32, true, 8192, 8192},    {65536, 32, f32, false, 2048, 2048},
                           {65536, 32, f64, true, 4096, 4096},    {65536, 32, f64, false, 2048, 2048},
                           {101376, 32, f32, true, 8192, 12600},  {101376, 32, f32, false, 2048, 3150},
                           {101376, 32, f64, true, 4096, 6300},   {101376, 32, f64, false, 2048, 3150},
                           {166912, 32, f32, true, 16384, 20736}, {166912, 32, f32, false, 4096, 5184},
                           {166912, 32, f64, true, 8192, 10368},  {166912, 32, f64, false, 4096, 5184},
                           {232448, 32, f32, true, 16384, 28812}, {232448, 32, f32, false, 4096, 7203},
                           {232448, 32, f64, true, 8192, 14406},  {232448, 32, f64, false, 4096, 7203}};
  for (const LimitRow& row : rows) {
    CAPTURE(row.shared_memory_bytes);
    CAPTURE(row.coalesced_bytes);
    CAPTURE(row.contiguous);
    const TransformLengths lengths(gpu(row.shared_memory_bytes, row.coalesced_bytes), row.precision, row.contiguous,
                                   30000);
    CHECK(longest_power_of_two(lengths) == row.power_of_two);
    CHECK(longest_seven_smooth(lengths) == row.seven_smooth);
  }
}

TEST_CASE("lists agree with the definition of smooth") {
  const TransformLengths lengths(Limits{}, Precision::f32, true, 3000);
  for (Index at_least = 1; at_least <= 3000; ++at_least) {
    Index expected = at_least;
    while (!is_smooth(expected)) ++expected;
    REQUIRE(lengths.smallest(at_least) == expected);
    REQUIRE(next_smooth(at_least) == expected);
    const Index cheapest = lengths.cheapest(at_least).value();
    REQUIRE(cheapest >= at_least);
    REQUIRE(is_smooth(cheapest));
  }
  CHECK(is_smooth(1));
  CHECK(is_smooth(2 * 3 * 5 * 7 * 11 * 13));
  CHECK_FALSE(is_smooth(17));
  CHECK_FALSE(is_smooth(0));
}

TEST_CASE("the cheapest length has the least length times weight") {
  const TransformLengths lengths(Limits{}, Precision::f32, true, 3000);
  const auto cost = [](Index length) { return static_cast<double>(length) * length_weight(length); };
  for (Index at_least = 1; at_least <= 2000; ++at_least) {
    const double best = cost(lengths.cheapest(at_least).value());
    for (Index length = at_least; length <= 2 * at_least; ++length) {
      if (is_smooth(length)) REQUIRE(best <= cost(length));
    }
  }
}

TEST_CASE("weights order lengths as measured") {
  const auto cost = [](Index length) { return static_cast<double>(length) * length_weight(length); };
  CHECK(cost(576) < cost(560));
  CHECK(cost(1056) < cost(1152));
  CHECK(cost(1152) < cost(1080));
}

TEST_CASE("no length beyond the device's longest") {
  const TransformLengths lengths(gpu(32768, 64), Precision::f32, false, 10000);
  CHECK(lengths.longest() == 512);
  CHECK(lengths.smallest(512) == 512);
  CHECK_FALSE(lengths.smallest(513).has_value());
  CHECK_FALSE(lengths.cheapest(513).has_value());
}

TEST_CASE("lengths beyond 32 bits") {
  const TransformLengths lengths(Limits{}, Precision::f32, true, Index{1} << 40);
  const Index length = lengths.smallest((Index{1} << 40) + 1).value();
  CHECK(length > Index{1} << 40);
  CHECK(length < (Index{1} << 40) + (Index{1} << 32));
  CHECK(is_smooth(length));
}

TEST_CASE("factors are spelled out") {
  CHECK(factors_to_text(1) == "1");
  CHECK(factors_to_text(576) == "2^6*3^2");
  CHECK(factors_to_text(1056) == "2^5*3*11");
  CHECK(factors_to_text(34) == "2*17");
}
