#include "exec/run_tiles.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "common/log.hpp"
#include "common/worker_pool.hpp"
#include "convoy/error.hpp"

namespace convoy {
namespace {

using Clock = std::chrono::steady_clock;

class Run {
 public:
  Run(std::vector<PreparedDevice>& devices, std::vector<Index> tiles, const ConvolverOptions& options, RunInput& input,
      RunOutput& output)
      : devices_(devices),
        options_(options),
        input_(input),
        output_(output),
        num_tiles_(common_plan(devices).num_tiles()),
        num_skipped_(num_tiles_ - static_cast<Index>(tiles.size())),
        queue_(std::move(tiles), devices.size()) {}

  RunReport run() {
    const std::size_t num_working = working().size();
    if (num_working == 1) run_here(working().front());
    if (num_working > 1) run_on_threads();
    queue_.rethrow();
    if (queue_.num_left() > 0) end_without_device();
    for (const std::size_t i : working()) devices_[i].loaded.session->check_sentinels();
    return report();
  }

 private:
  std::vector<std::size_t> working() const {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < devices_.size(); ++i) {
      if (devices_[i].works()) places.push_back(i);
    }
    return places;
  }

  void run_here(std::size_t i) {
    queue_.join(i);
    work(i, [this] { tell(++num_told_); });
    release_dropped();
  }

  /// This thread tells of progress, as it is promised to do. The others share the host's threads evenly: a device that
  /// waits for its own pieces must not keep them from the next.
  void run_on_threads() {
    const std::vector<std::size_t> places = working();
    const int share = std::max(1, default_num_threads() / static_cast<int>(places.size()));
    for (const std::size_t i : places) queue_.join(i);
    std::vector<std::thread> threads;
    for (const std::size_t i : places) {
      threads.emplace_back([this, i, share] {
        WorkerPool pool(share);
        const UseWorkers use(pool);
        work(i, [] {});
      });
    }
    for (Index done = 0; (done = queue_.wait_for_more_than(num_told_)) > num_told_;) {
      num_told_ = done;
      try {
        tell(done);
      } catch (...) {
        queue_.stop(std::current_exception());
      }
    }
    for (std::thread& thread : threads) thread.join();
    release_dropped();
  }

  /// All that a device does in a run. Throws nothing: failures end in the queue or with the device.
  void work(std::size_t i, const std::function<void()>& tile_done) {
    try {
      transport(i, tile_done);
    } catch (const Error& problem) {
      if (drops_device(problem)) {
        devices_[i].problem = std::current_exception();
        log("run", "{} is dropped: {}", devices_[i].device.info().id, problem.what());
      } else {
        queue_.stop(std::current_exception());
      }
    } catch (...) {
      queue_.stop(std::current_exception());
    }
    queue_.leave(i);
  }

  void transport(std::size_t i, const std::function<void()>& tile_done) {
    const auto source = input_.source(devices_[i]);
    const auto sink = output_.sink(devices_[i]);
    try {
      run_pipeline(devices_[i].loaded, queue_, i, *source, *sink, tile_done);
    } catch (const Error& problem) {
      if (drops_device(problem)) sink->finish();
      throw;
    }
    if (!queue_.stopped()) sink->finish();
  }

  /// A lone device is kept: it may be tried again.
  void release_dropped() {
    if (devices_.size() == 1) return;
    for (PreparedDevice& one : devices_) {
      if (one.problem) one.loaded.session.reset();
    }
  }

  [[noreturn]] void end_without_device() {
    if (devices_.size() > 1) throw_no_device_left(devices_);
    const std::exception_ptr problem = std::exchange(devices_.front().problem, nullptr);
    std::rethrow_exception(problem);
  }

  void tell(Index done) {
    done += num_skipped_;
    if (options_.trace_memory)
      options_.trace_memory(fmt::format("tile {} of {}", done, num_tiles_), used_bytes_of(devices_));
    const std::chrono::duration<double> elapsed = Clock::now() - start_;
    const bool go_on = !options_.progress || options_.progress({done, num_tiles_, elapsed.count()});
    if (!go_on && done < num_tiles_) {
      throw Error(Errc::cancelled, fmt::format("stopped after tile {} of {}", done, num_tiles_));
    }
  }

  RunReport report() {
    RunReport report;
    report.num_tiles = num_tiles_;
    report.skipped_tiles = num_skipped_;
    for (std::size_t i = 0; i < devices_.size(); ++i) {
      report.devices.push_back({devices_[i].device.info().id, queue_.num_done_by(i), devices_[i].failure()});
    }
    report.peak_device_bytes = peak_bytes_of(devices_);
    TileSums sums = queue_.sums();
    sums.outputs.add(output_.complete());
    report.non_finite_voxels = sums.inputs.non_finite;
    report.saturated_voxels = sums.outputs.saturated;
    report.input_sum = sums.inputs.sum;
    report.output_sum = sums.outputs.sum;
    return report;
  }

  std::vector<PreparedDevice>& devices_;
  const ConvolverOptions& options_;
  RunInput& input_;
  RunOutput& output_;
  Index num_tiles_;
  Index num_skipped_;
  TileQueue queue_;
  Index num_told_ = 0;
  Clock::time_point start_ = Clock::now();
};

}  // namespace

RunReport run_tiles(std::vector<PreparedDevice>& devices, std::vector<Index> tiles, const ConvolverOptions& options,
                    RunInput& input, RunOutput& output) {
  return Run(devices, std::move(tiles), options, input, output).run();
}

}  // namespace convoy
