// What convoy's own transform passes are made of. The passes themselves run in the contract suite of every GPU backend.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "fft/bank_padding.hpp"
#include "fft/plan.hpp"
#include "fft/plane_shape.hpp"
#include "fft/shape.hpp"
#include "planner/lengths.hpp"

using namespace convoy;

namespace {

std::vector<Index> smooth_lengths(Index up_to) {
  std::vector<Index> lengths;
  for (Index length = 2; length <= up_to; ++length) {
    if (is_smooth(length)) lengths.push_back(length);
  }
  return lengths;
}

/// Goes through all tickets as the kernels' text does (src/fft/passes/ticket.body): every workgroup of every plane
/// comes once, and those that wait after all that they wait for.
void check_tickets(const PlaneSchedule& schedule, Index num_planes) {
  std::vector<Index> made(static_cast<std::size_t>(num_planes), 0);
  std::vector<Index> waited(static_cast<std::size_t>(num_planes), 0);
  const Index period = schedule.period();
  for (Index ticket = 0; ticket < schedule.num_tickets(num_planes); ++ticket) {
    const Index consumers_before = ticket % period * schedule.consumers / period;
    const bool produces = (ticket % period + 1) * schedule.consumers / period == consumers_before;
    const Index number = produces ? ticket % period - consumers_before + ticket / period * schedule.producers
                                  : consumers_before + ticket / period * schedule.consumers - schedule.lead;
    if (number < 0) continue;
    const auto plane = static_cast<std::size_t>(number / (produces ? schedule.producers : schedule.consumers));
    if (plane >= made.size()) continue;
    if (produces) {
      ++made[plane];
    } else {
      REQUIRE(made[plane] == schedule.producers);
      ++waited[plane];
    }
  }
  CHECK(made == std::vector<Index>(made.size(), schedule.producers));
  CHECK(waited == std::vector<Index>(waited.size(), schedule.consumers));
}

}  // namespace

TEST_CASE("rules: every smooth length has radices that a thread can hold") {
  for (const Index length : smooth_lengths(10000)) {
    CAPTURE(length);
    const auto radices = radices_of(length);
    REQUIRE(radices);
    Index product = 1;
    for (const Index radix : *radices) {
      CHECK(radix <= kLargestRadix);
      product *= radix;
    }
    CHECK(product == length);
    CHECK(std::is_sorted(radices->begin(), radices->end()));
  }
  CHECK(column_radices_of(288) == std::vector<Index>{16, 18});
  CHECK(product_radices_of(288, false) == std::vector<Index>{18, 16});
  CHECK(product_radices_of(768, false) == std::vector<Index>{8, 8, 12});
  CHECK(product_radices_of(768, true) == std::vector<Index>{32, 24});
  CHECK(product_radices_of(576, true) == std::vector<Index>{32, 18});
  CHECK(product_radices_of(288, true) == std::vector<Index>{18, 16});
  CHECK(product_radices_of(1056, true) == product_radices_of(1056, false));
  CHECK_FALSE(radices_of(17));
  CHECK_FALSE(radices_of(2 * 19));
}

TEST_CASE("rules: frequencies in place are a permutation, and each is stored once or its mirror is") {
  for (const Index length : smooth_lengths(400)) {
    CAPTURE(length);
    const std::vector<Index> radices = row_radices_of(length).value();
    const std::vector<Index> frequencies = frequencies_in_place(radices);
    CHECK(std::set<Index>(frequencies.begin(), frequencies.end()).size() == static_cast<std::size_t>(length));

    const auto frequency = [&](Index place) { return frequencies.at(static_cast<std::size_t>(place)); };
    const StoredColumns columns(radices);
    std::vector<Index> stored(static_cast<std::size_t>(length / 2 + 1), -1);
    const auto store = [&](Index column, Index own, Index mirror) {
      CHECK((frequency(own) + frequency(mirror)) % length == 0);
      CHECK(stored.at(static_cast<std::size_t>(column)) == -1);
      stored.at(static_cast<std::size_t>(column)) = std::min(frequency(own), length - frequency(own));
    };
    const auto pairs = mirrored_butterflies(radices);
    REQUIRE(static_cast<Index>(pairs.size()) == columns.num_pairs + 1);
    const Index radix = columns.radix;
    for (Index i = 0; i < columns.num_pairs; ++i) {
      const auto& [first, second] = pairs[static_cast<std::size_t>(i)];
      for (Index j = 0; j < radix; ++j) store(columns.general(j, i), first + j, second + radix - 1 - j);
    }
    const auto& [own, middle] = pairs.back();
    for (Index j = 0; j < columns.num_own(); ++j) store(columns.special(j), own + j, own + (radix - j) % radix);
    for (Index j = 0; j < columns.num_middle(); ++j) {
      store(columns.special(columns.num_own() + j), middle + j, middle + radix - 1 - j);
    }
    CHECK(std::set<Index>(stored.begin(), stored.end()).size() == stored.size());
    CHECK(*std::min_element(stored.begin(), stored.end()) >= 0);
  }
}

TEST_CASE("rules: gaps keep elements apart and butterflies in shape") {
  for (const Index length : smooth_lengths(1200)) {
    CAPTURE(length);
    const std::vector<Index> radices = row_radices_of(length).value();
    const BankPadding bank_padding = best_bank_padding(radices);
    CHECK(bank_padding.place(length - 1) <= length - 1 + 3 * length / 8);
    Index sub_length = length;
    for (const Index radix : radices) {
      const Index stride = sub_length / radix;
      for (Index b = 0; b < length / radix; ++b) {
        const Index first = b / stride * sub_length + b % stride;
        for (Index j = 0; j < radix; ++j) {
          if (bank_padding.place(first + j * stride) == bank_padding.place(first) + bank_padding.place(j * stride))
            continue;
          CAPTURE(b);
          CAPTURE(j);
          FAIL("the elements of a butterfly do not keep their distances");
        }
      }
      sub_length = stride;
    }
  }
}

TEST_CASE("rules: what has native passes has shapes that fit the shared memory") {
  for (const std::uint64_t shared : {16384, 32768, 49152, 65536, 232448}) {
    Limits limits;
    limits.shared_memory_bytes = shared;
    for (const Precision precision : {Precision::f32, Precision::f64}) {
      const std::uint64_t complex = precision == Precision::f32 ? 8 : 16;
      for (const Index length : smooth_lengths(4000)) {
        if (!has_native_passes(2, {length, length, 1}, precision, limits)) continue;
        CAPTURE(length);
        const auto rows = row_shape(length, precision, limits);
        REQUIRE(rows);
        CHECK(static_cast<std::uint64_t>(bank_padded_length(*rows) * rows->width) * complex <= shared);
        CHECK(rows->width * rows->threads <= 1024);
        const auto table_bytes = static_cast<std::size_t>(pass_table_length(length)) * complex;
        for (const ColumnRole role : {ColumnRole::transform, ColumnRole::product}) {
          const auto columns = column_shape(length, role, precision, limits);
          REQUIRE(columns);
          CHECK(static_cast<std::uint64_t>(length * columns->width) * complex <= shared);
          CHECK(columns->width * columns->threads <= 1024);
          CHECK(column_table(length, role, precision, limits).size() == table_bytes);
        }
        CHECK(row_table(length, precision).size() == table_bytes);
        if (length > 700) break;  // tables of all are slow to make
      }
    }
  }
}

TEST_CASE("rules: workgroups of planes fit, and none waits for one that begins later") {
  Limits limits;
  limits.num_multiprocessors = 132;
  limits.workgroups_may_wait = true;
  limits.cache_bytes = 50 << 20;
  for (const std::uint64_t shared : {49152, 101376, 232448}) {
    limits.shared_memory_bytes = shared;
    for (const Precision precision : {Precision::f32, Precision::f64}) {
      for (const Index row : {16, 100, 512, 528, 576, 1056, 2048}) {
        for (const Index column : {6, 64, 96, 512, 640, 1056}) {
          const std::array<Index, 3> padded{row, column, 32};
          const std::uint64_t width = common_width_bytes(3, padded, precision, limits);
          const auto shape = plane_shape(row, column, width, precision, limits);
          if (!shape) continue;
          CAPTURE(row);
          CAPTURE(column);
          CHECK(static_cast<std::uint64_t>(shape->num_shared()) * complex_size(precision) <= shared);
          CHECK(shape->threads() <= 1024);
          CHECK(shape->rows.width * shape->rows.threads <= shape->threads());
          CHECK(shape->num_shared() >= shape->rows.width * bank_padded_length(shape->rows));
          CHECK(shape->num_shared() >= shape->columns.width * shape->columns.length);
          for (const bool rows_make : {true, false}) {
            const PlaneSchedule s = schedule_of_planes(*shape, rows_make, {row, column, 9}, precision, limits);
            CHECK(s.lead >= s.consumers);
            check_tickets(s, 9);
          }
        }
      }
    }
  }
}
