// Work that devices share: numbered pieces, each done by whichever device is free.
#pragma once

#include <chrono>
#include <functional>

#include "convoy/convolution.hpp"
#include "engine/prepared_devices.hpp"
#include "engine/tile_queue.hpp"

namespace convoy {

class SharedRun {
 public:
  /// What one device does: takes pieces from the queue, as this worker, until there are none; calls `done` after each.
  using Work = std::function<void(std::size_t device, TileQueue& queue, const std::function<void()>& done)>;

  SharedRun(std::vector<PreparedDevice>& devices, RunTiles pieces, const ConvolverOptions& options);

  /// A lone device works on the calling thread, several on one each. A device that fails is dropped
  /// (PreparedDevice::problem), gives its memory back, and its pieces are done by the others; throw_no_device_left()
  /// when none is left. Throws Error(cancelled), and what `work` throws and drops no device.
  void run(const Work& work);

  /// Pieces, devices and their memory.
  RunReport report() const;
  TileSums sums() const { return queue_.sums(); }

 private:
  using Clock = std::chrono::steady_clock;

  std::vector<std::size_t> working() const;
  void run_here(std::size_t i, const Work& work);
  void run_on_threads(const Work& work);
  void attempt(std::size_t i, const Work& work, const std::function<void()>& done);
  void release_dropped();
  [[noreturn]] void end_without_device();
  void tell(Index done);

  std::vector<PreparedDevice>& devices_;
  const ConvolverOptions& options_;
  Index num_pieces_;
  TileQueue queue_;
  Index num_told_ = 0;
  Clock::time_point start_ = Clock::now();
};

}  // namespace convoy
