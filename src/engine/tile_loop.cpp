#include "engine/tile_loop.hpp"

#include <cmath>

#include "base/stop_scope.hpp"
#include "convoy/error.hpp"
#include "engine/checks.hpp"

namespace convoy {

/// Tiles go round the session's sets: while the device works on some, the host fills or empties another.
void TileLoop::run(TileQueue& queue, std::size_t worker, const std::function<void()>& tile_done) {
  try {
    while (!queue.stopped()) {
      throw_if_stopped();
      begin_tiles(queue, worker);
      if (begun_.empty() && flying_.empty()) break;
      if (!begun_.empty() && flying_.size() < num_sets_) {
        submit();
      } else {
        finish(queue, worker);
        tile_done();
      }
    }
    wait_for_all();
  } catch (const Error& problem) {
    drain();
    if (drops_device(problem)) sink_->finish();
    throw;
  } catch (...) {
    drain();
    throw;
  }
  if (!queue.stopped()) sink_->finish();
}

void TileLoop::begin_tiles(TileQueue& queue, std::size_t worker) {
  const auto wants_one = [&] {
    return begun_.size() < source_->tiles_ahead() || (begun_.empty() && flying_.size() < num_sets_);
  };
  while (wants_one()) {
    const auto tile = queue.take(worker, begun_.empty() && flying_.empty());
    if (!tile) return;
    source_->begin(tile_index(plan_, *tile));
    begun_.push_back(*tile);
  }
}

void TileLoop::submit() {
  const int set = first_set_ + static_cast<int>(num_submitted_++ % num_sets_);
  flying_.push_back({begun_.front(), set, {}});
  begun_.pop_front();
  InputSums& inputs = flying_.back().inputs;
  const TileIndex tile = tile_index(plan_, flying_.back().tile);
  inputs.add(source_->supply(tile, set));
  require_usable(inputs);
  sink_->prepare(tile, set);
  session_.submit(Section::run, set);
  inputs.add(source_->scan_input(tile));
  require_usable(inputs);
  inputs.end_tile();
}

void TileLoop::finish(TileQueue& queue, std::size_t worker) {
  const Flight& flight = flying_.front();
  const OutputSums outputs = sink_->take(tile_index(plan_, flight.tile), flight.set);
  if (!std::isfinite(outputs.sum)) require_usable(source_->look_again());
  queue.done(worker, flight.tile, {flight.inputs, outputs});
  const int set = flight.set;
  flying_.pop_front();
  session_.wait(set);
}

void TileLoop::require_usable(const InputSums& met) const {
  if (!is_usable(plan_.spec, met)) convoy::require_usable(plan_.spec, source_->all_unusable(met));
}

void TileLoop::wait_for_all() {
  for (std::size_t i = 0; i < num_sets_; ++i) session_.wait(first_set_ + static_cast<int>(i));
}

/// The next run starts with no set in flight; the first error is the one that is thrown.
void TileLoop::drain() {
  for (std::size_t i = 0; i < num_sets_; ++i) {
    try {
      session_.wait(first_set_ + static_cast<int>(i));
    } catch (const Error&) {
    }
  }
}

}  // namespace convoy
