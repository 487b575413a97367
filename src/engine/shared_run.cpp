#include "engine/shared_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "base/log.hpp"
#include "base/worker_pool.hpp"
#include "convoy/error.hpp"

namespace convoy {

SharedRun::SharedRun(std::vector<PreparedDevice>& devices, RunTiles pieces, const ConvolverOptions& options)
    : devices_(devices), options_(options), num_pieces_(pieces.count), queue_(std::move(pieces), devices.size()) {
  for (const PreparedDevice& one : devices) static_cast<void>(one.device.implementation());  // still this process' own
}

void SharedRun::run(const Work& work) {
  const std::size_t num_working = working().size();
  if (num_working == 1) run_here(working().front(), work);
  if (num_working > 1) run_on_threads(work);
  queue_.rethrow();
  if (queue_.num_left() > 0) end_without_device();
  for (const std::size_t i : working()) devices_[i].loaded.session->check_sentinels();
}

std::vector<std::size_t> SharedRun::working() const {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    if (devices_[i].works()) places.push_back(i);
  }
  return places;
}

void SharedRun::run_here(std::size_t i, const Work& work) {
  queue_.join(i);
  attempt(i, work, [this] { tell(++num_told_); });
  release_dropped();
}

/// This thread tells of progress, as it is promised to do. The others share the host's threads evenly: a device that
/// waits for its own pieces must not keep them from the next.
void SharedRun::run_on_threads(const Work& work) {
  const std::vector<std::size_t> places = working();
  const int share = std::max(1, default_num_threads() / static_cast<int>(places.size()));
  for (const std::size_t i : places) queue_.join(i);
  std::vector<std::thread> threads;
  for (const std::size_t i : places) {
    try {
      threads.emplace_back([this, i, share, &work] {
        WorkerPool pool(share);
        const UseWorkers use(pool);
        attempt(i, work, [] {});
      });
    } catch (const std::exception& problem) {  // no thread, or no memory for one
      devices_[i].problem = std::make_exception_ptr(
          Error(Errc::out_of_memory,
                fmt::format("no thread could be started for it ({}); raise the limits of this process (ulimit -u, -v)",
                            problem.what())));
      queue_.leave(i);
    }
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

/// Throws nothing: failures end in the queue or with the device.
void SharedRun::attempt(std::size_t i, const Work& work, const std::function<void()>& done) {
  try {
    work(i, queue_, done);
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

/// A lone device is kept: it may be tried again.
void SharedRun::release_dropped() {
  if (devices_.size() == 1) return;
  for (PreparedDevice& one : devices_) {
    if (one.problem) one.loaded.session.reset();
  }
}

void SharedRun::end_without_device() {
  if (devices_.size() > 1) throw_no_device_left(devices_);
  const std::exception_ptr problem = std::exchange(devices_.front().problem, nullptr);
  std::rethrow_exception(problem);
}

void SharedRun::tell(Index done) {
  done += queue_.num_held();
  if (options_.trace_memory) {
    options_.trace_memory(fmt::format("tile {} of {}", done, num_pieces_), used_bytes_of(devices_));
  }
  const std::chrono::duration<double> elapsed = Clock::now() - start_;
  const bool go_on = !options_.progress || options_.progress({done, num_pieces_, elapsed.count()});
  if (!go_on && done < num_pieces_) {
    throw Error(Errc::cancelled, fmt::format("stopped after tile {} of {}", done, num_pieces_));
  }
}

RunReport SharedRun::report() const {
  RunReport report;
  report.num_tiles = num_pieces_;
  report.skipped_tiles = queue_.num_held();
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    report.devices.push_back({devices_[i].device.info().id, queue_.num_done_by(i), devices_[i].failure()});
  }
  report.peak_device_bytes = peak_bytes_of(devices_);
  return report;
}

}  // namespace convoy
