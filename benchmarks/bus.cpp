#include "bus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "ceilings.hpp"
#include "cuda_driver.hpp"
#include "times.hpp"

namespace convoy::bench {
namespace {

/// More than caches hold, and long enough that starting and waiting do not count.
constexpr std::size_t kCopyBytes = std::size_t{1} << 29;
constexpr int kCopies = 4;
constexpr int kBusRepeats = 5;

/// A device with memory to copy, its context current only while it is used.
class BusEnd {
 public:
  explicit BusEnd(int ordinal) : ordinal_(ordinal) {
    const CudaContext context(ordinal_);
    memory_ = std::make_unique<Memory>();
  }
  ~BusEnd() {
    const CudaContext context(ordinal_);
    memory_.reset();
  }
  BusEnd(const BusEnd&) = delete;
  BusEnd& operator=(const BusEnd&) = delete;

  void queue_up() const {
    const CudaContext context(ordinal_);
    cuda().check(cuda().copy_to_device(memory_->to.address(), memory_->sent.data(), kCopyBytes, memory_->up.handle()),
                 "cuMemcpyHtoDAsync");
  }
  void queue_down() const {
    const CudaContext context(ordinal_);
    cuda().check(
        cuda().copy_to_host(memory_->received.data(), memory_->from.address(), kCopyBytes, memory_->down.handle()),
        "cuMemcpyDtoHAsync");
  }
  void wait() const {
    const CudaContext context(ordinal_);
    memory_->up.synchronize();
    memory_->down.synchronize();
  }

 private:
  struct Memory {
    CudaBuffer to{kCopyBytes};
    CudaBuffer from{kCopyBytes};
    CudaPinnedBuffer sent{kCopyBytes};
    CudaPinnedBuffer received{kCopyBytes};
    CudaStream up;
    CudaStream down;
    Memory() {
      std::memset(sent.data(), 0x3c, kCopyBytes);
      std::memset(received.data(), 0x3c, kCopyBytes);
    }
  };

  static const CudaDriver& cuda() { return CudaDriver::instance(); }

  int ordinal_;
  std::unique_ptr<Memory> memory_;
};

double bus_bytes_per_second(const std::vector<std::unique_ptr<BusEnd>>& ends, bool up, bool down) {
  const auto copy_all = [&] {
    const Stopwatch watch;
    for (int copy = 0; copy < kCopies; ++copy) {
      for (const auto& end : ends) {
        if (up) end->queue_up();
        if (down) end->queue_down();
      }
    }
    for (const auto& end : ends) end->wait();
    return watch.seconds();
  };
  const int directions = (up ? 1 : 0) + (down ? 1 : 0);
  return static_cast<double>(kCopyBytes) * kCopies * directions * static_cast<double>(ends.size()) /
         best_seconds(kBusRepeats, copy_all);
}

}  // namespace

double BusRates::bound_seconds(double up_bytes, double down_bytes) const {
  return std::max({up_bytes / up_bytes_per_second, down_bytes / down_bytes_per_second,
                   (up_bytes + down_bytes) / both_bytes_per_second});
}

BusRates measure_bus(const std::vector<Device>& devices) {
  std::vector<int> ordinals;
  ordinals.reserve(devices.size());
  for (const Device& device : devices) ordinals.push_back(cuda_ordinal(device.info()));
  if (std::any_of(ordinals.begin(), ordinals.end(), [](int ordinal) { return ordinal < 0; })) return {};
  std::vector<std::unique_ptr<BusEnd>> ends;
  ends.reserve(ordinals.size());
  for (const int ordinal : ordinals) ends.push_back(std::make_unique<BusEnd>(ordinal));
  BusRates rates;
  rates.up_bytes_per_second = bus_bytes_per_second(ends, true, false);
  rates.down_bytes_per_second = bus_bytes_per_second(ends, false, true);
  rates.both_bytes_per_second = bus_bytes_per_second(ends, true, true);
  rates.measured_by = fmt::format("{} CUDA copies of {} MiB each way, page-locked, {} device(s) at once, best of {}",
                                  kCopies, kCopyBytes >> 20, ends.size(), kBusRepeats);
  return rates;
}

}  // namespace convoy::bench
