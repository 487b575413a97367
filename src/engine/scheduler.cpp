#include "engine/scheduler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <thread>
#include <utility>

#include "base/log.hpp"
#include "base/stop_scope.hpp"
#include "base/work_meter.hpp"
#include "base/worker_pool.hpp"
#include "convoy/error.hpp"
#include "engine/checks.hpp"

namespace convoy::inline v0 {

TileQueue::TileQueue(RunTiles tiles, std::size_t num_workers) : tiles_(std::move(tiles)), workers_(num_workers) {}

/// Passes over tiles that are held.
bool TileQueue::none_waits() {
  if (!given_back_.empty()) return false;
  const WorkMeter unmetered;  // looking is no part of a tile, and who reports asks this queue, which is locked
  while (!next_waits_ && next_ < tiles_.count) {
    next_waits_ = !tiles_.held || !tiles_.held(next_);
    if (next_waits_) break;
    note_done(next_++);
    ++num_held_;
  }
  return next_ == tiles_.count;
}

bool TileQueue::is_in_window() const {
  const Index next = given_back_.empty() ? next_ : given_back_.front();
  return tiles_.window == 0 || next - first_undone_ < tiles_.window;
}

void TileQueue::note_done(Index tile) {
  if (tiles_.window == 0) return;
  done_after_.insert(tile);
  while (done_after_.erase(first_undone_) > 0) ++first_undone_;
}

void TileQueue::join(std::size_t worker) {
  const std::lock_guard lock(mutex_);
  workers_.at(worker).joined = true;
  workers_.at(worker).since = Clock::now();
}

bool TileQueue::others_hold_some(const Worker& self) const {
  return std::any_of(workers_.begin(), workers_.end(),
                     [&](const Worker& other) { return &other != &self && !other.taken.empty(); });
}

/// A slow device beside a fast one must not be the last to finish.
bool TileQueue::others_are_sooner(const Worker& self) const {
  if (self.seconds_a_tile <= 0 || !others_hold_some(self)) return false;
  double tiles_a_second = 0;
  double soonest = std::numeric_limits<double>::infinity();  // that another has done one tile more
  Index before_the_last = num_waiting();
  for (const Worker& other : workers_) {
    if (&other == &self || !other.joined) continue;
    if (other.seconds_a_tile <= 0) return false;
    tiles_a_second += 1 / other.seconds_a_tile;
    soonest = std::min(soonest, other.seconds_for(other.num_taken() + 1));
    before_the_last += other.num_taken();
  }
  const double others = std::max(soonest, static_cast<double>(before_the_last) / tiles_a_second);
  return self.seconds_for(self.num_taken() + 1) > others;
}

std::optional<Index> TileQueue::take(std::size_t worker, bool wait) {
  std::unique_lock lock(mutex_);
  Worker& self = workers_.at(worker);
  if (wait) {
    news_.wait(lock, [&] { return stopped_ || may_take(self) || (none_waits() && !others_hold_some(self)); });
  }
  if (stopped_ || !may_take(self)) return {};
  Index tile = next_;
  if (given_back_.empty()) {
    ++next_;
    next_waits_ = false;
  } else {
    tile = given_back_.front();
    given_back_.pop_front();
  }
  self.taken.push_back(tile);
  return tile;
}

void TileQueue::done(std::size_t worker, Index tile, const TileSums& sums) {
  {
    const std::lock_guard lock(mutex_);
    Worker& self = workers_.at(worker);
    std::erase(self.taken, tile);
    note_done(tile);
    ++self.num_done;
    const std::chrono::duration<double> elapsed = Clock::now() - self.since;
    self.seconds_a_tile = elapsed.count() / static_cast<double>(self.num_done);
    ++num_done_;
    sums_.inputs.add(sums.inputs);
    sums_.outputs.add(sums.outputs);
  }
  news_.notify_all();
}

void TileQueue::leave(std::size_t worker) {
  {
    const std::lock_guard lock(mutex_);
    Worker& self = workers_.at(worker);
    given_back_.insert(given_back_.begin(), self.taken.begin(), self.taken.end());
    self.taken.clear();
    self.joined = false;
  }
  news_.notify_all();
}

void TileQueue::stop(std::exception_ptr reason) {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    if (!reason_) reason_ = std::move(reason);
  }
  news_.notify_all();
}

bool TileQueue::stopped() const {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

Index TileQueue::wait_for_more_than(Index known) const {
  std::unique_lock lock(mutex_);
  const auto left = [](const Worker& worker) { return !worker.joined; };
  news_.wait(lock,
             [&] { return stopped_ || num_done_ > known || std::all_of(workers_.begin(), workers_.end(), left); });
  return num_done_;
}

void TileQueue::rethrow() const {
  const std::lock_guard lock(mutex_);
  if (reason_) std::rethrow_exception(reason_);
}

Index TileQueue::num_left() const {
  const std::lock_guard lock(mutex_);
  Index left = num_waiting();
  for (const Worker& worker : workers_) left += worker.num_taken();
  return left;
}

Index TileQueue::num_held() const {
  const std::lock_guard lock(mutex_);
  return num_held_;
}

Index TileQueue::num_done_by(std::size_t worker) const {
  const std::lock_guard lock(mutex_);
  return workers_.at(worker).num_done;
}

TileSums TileQueue::sums() const {
  const std::lock_guard lock(mutex_);
  return sums_;
}

Scheduler::Scheduler(std::vector<PreparedDevice>& devices, RunTiles pieces, const ConvolverOptions& options)
    : devices_(devices), options_(options), num_pieces_(pieces.count), queue_(std::move(pieces), devices.size()) {
  for (const PreparedDevice& one : devices)
    static_cast<void>(implementation_of(one.device));  // still this process' own
}

void Scheduler::run(const DeviceLoops& loops) {
  const std::vector<std::size_t> places = working();
  for (const std::size_t i : places) queue_.join(i);
  if (places.size() == 1) run_alone(*loops[places.front()], places.front());
  if (places.size() > 1) run_on_threads(loops, places);
  release_dropped();
  queue_.rethrow();
  if (queue_.num_left() > 0) end_without_device();
  for (const std::size_t i : working()) devices_[i].loaded.session->check_sentinels();
}

std::vector<std::size_t> Scheduler::working() const {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    if (devices_[i].works()) places.push_back(i);
  }
  return places;
}

/// Progress is reported within pieces, too.
void Scheduler::run_alone(DeviceLoop& loop, std::size_t i) {
  WorkMeter meter(options_.progress ? [this](double part) { report_part(part); } : WorkMeter::Report());
  run_loop(loop, i, [&] {
    report_progress(++num_reported_);
    meter.start_anew();
  });
}

/// Progress is reported on this thread, as it is documented. The others share the host's threads evenly: a device that
/// waits for its own pieces must not keep them from the next.
void Scheduler::run_on_threads(const DeviceLoops& loops, const std::vector<std::size_t>& places) {
  const int share = std::max(1, default_num_threads() / static_cast<int>(places.size()));
  const StopScope* const stop = StopScope::current();
  std::vector<std::thread> threads;
  for (const std::size_t i : places) {
    try {
      threads.emplace_back([this, i, share, stop, &loops] {
        WorkerPool pool(share);
        const UnderStopScope under(stop);
        const UseWorkers use(pool);
        run_loop(*loops[i], i, [] {});
      });
    } catch (const std::exception& problem) {  // no thread, or no memory for one
      devices_[i].problem = std::make_exception_ptr(
          Error(Errc::out_of_memory,
                fmt::format("no thread could be started for it ({}); raise the limits of this process (ulimit -u, -v)",
                            problem.what())));
      queue_.leave(i);
    }
  }
  for (Index done = 0; (done = queue_.wait_for_more_than(num_reported_)) > num_reported_;) {
    num_reported_ = done;
    try {
      report_progress(done);
    } catch (...) {
      queue_.stop(std::current_exception());
    }
  }
  for (std::thread& thread : threads) thread.join();
}

/// Throws nothing: failures end in the queue or with the device.
void Scheduler::run_loop(DeviceLoop& loop, std::size_t i, const std::function<void()>& piece_done) {
  try {
    loop.run(queue_, i, piece_done);
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
void Scheduler::release_dropped() {
  if (devices_.size() == 1) return;
  for (PreparedDevice& one : devices_) {
    if (one.problem) one.loaded.session.reset();
  }
}

void Scheduler::end_without_device() {
  if (devices_.size() > 1) throw_no_device_left(devices_);
  const std::exception_ptr problem = std::exchange(devices_.front().problem, nullptr);
  std::rethrow_exception(problem);
}

void Scheduler::report_progress(Index done) {
  done += queue_.num_held();
  if (options_.trace_memory) {
    options_.trace_memory(fmt::format("tile {} of {}", done, num_pieces_), used_bytes_of(devices_));
  }
  if (!goes_on(done, 0) && done < num_pieces_) {
    throw Error(Errc::cancelled, fmt::format("stopped after tile {} of {}", done, num_pieces_));
  }
}

void Scheduler::report_part(double part_of_next) {
  const Index done = num_reported_ + queue_.num_held();
  if (done >= num_pieces_ || goes_on(done, part_of_next)) return;
  throw Error(Errc::cancelled, fmt::format("stopped within tile {} of {}", done + 1, num_pieces_));
}

bool Scheduler::goes_on(Index done, double part_of_next) const {
  const std::chrono::duration<double> elapsed = Clock::now() - start_;
  return !options_.progress || options_.progress({done, num_pieces_, elapsed.count(), part_of_next});
}

RunReport Scheduler::report(const OutputSums& more) const {
  RunReport report;
  report.num_tiles = num_pieces_;
  report.skipped_tiles = queue_.num_held();
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    report.devices.push_back({devices_[i].device.info().id, queue_.num_done_by(i), devices_[i].failure()});
  }
  report.peak_device_bytes = peak_bytes_of(devices_);
  TileSums sums = queue_.sums();
  sums.outputs.add(more);
  set_sums(sums, report);
  return report;
}

}  // namespace convoy::inline v0
