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
constexpr int kRepeats = 5;

/// move(begin, count) for all floats, a part at a time.
template <class Move>
double bytes_per_second(const Move& move) {
  double best_seconds = 1e9;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    const Stopwatch watch;
    host_workers().for_each(kFloats, kFloatsAtATime, [&](int, Index begin, Index end) {
      move(begin, end - begin);
      end_stream();
    });
    best_seconds = std::min(best_seconds, watch.seconds());
  }
  return static_cast<double>(kFloats) * sizeof(float) / best_seconds;
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
