#include "engine/tile_queue.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace convoy {

TileQueue::TileQueue(RunTiles tiles, std::size_t num_workers) : tiles_(std::move(tiles)), workers_(num_workers) {}

/// Passes over tiles that are held.
bool TileQueue::none_waits() {
  if (!given_back_.empty()) return false;
  while (!next_waits_ && next_ < tiles_.count) {
    next_waits_ = !tiles_.held || !tiles_.held(next_);
    if (next_waits_) break;
    ++next_;
    ++num_held_;
  }
  return next_ == tiles_.count;
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

}  // namespace convoy
