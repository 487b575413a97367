#include "host_rates.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>

#include "base/row_sums.hpp"
#include "base/worker_pool.hpp"
#include "times.hpp"

namespace convoy::bench {
namespace {

constexpr Index kFloats = Index{1} << 27;
constexpr Index kRingFloats = Index{1} << 22;
constexpr Index kFloatsAtATime = 1 << 15;
constexpr int kHostRepeats = 5;

/// move(begin, count) for all floats, a part at a time.
template <class Move>
double bytes_per_second(const Move& move) {
  const auto move_all = [&] {
    const Stopwatch watch;
    host_workers().for_each(kFloats, kFloatsAtATime, [&](int, Index begin, Index end) {
      move(begin, end - begin);
      end_stream();
    });
    return watch.seconds();
  };
  return static_cast<double>(kFloats) * sizeof(float) / best_seconds(kHostRepeats, move_all);
}

}  // namespace

HostRates measure_host() {
  const auto image = std::make_unique<float[]>(kFloats);
  const auto output = std::make_unique<float[]>(kFloats);
  std::atomic<double> total{0};  // so that sums are not left out
  HostRates rates;
  rates.copy = bytes_per_second([&](Index begin, Index count) {
    total = total + stream_copy_and_sum(output.get() + begin, image.get() + begin, count);
  });
  rates.sum = bytes_per_second([&](Index begin, Index count) { total = total + sum_of(image.get() + begin, count); });
  rates.into_ring = bytes_per_second([&](Index begin, Index count) {
    std::memcpy(output.get() + begin % kRingFloats, image.get() + begin,
                static_cast<std::size_t>(count) * sizeof(float));
  });
  rates.from_ring = bytes_per_second([&](Index begin, Index count) {
    stream_copy(output.get() + begin, image.get() + begin % kRingFloats,
                static_cast<std::size_t>(count) * sizeof(float));
  });
  return rates;
}

}  // namespace convoy::bench
