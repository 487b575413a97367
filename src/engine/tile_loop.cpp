#include "engine/tile_loop.hpp"

#include <cmath>
#include <utility>

#include "base/stop_scope.hpp"
#include "convoy/error.hpp"
#include "engine/checks.hpp"

namespace convoy::inline v0 {
namespace {

/// Of a part of a tile, roughly: reading, computing, writing.
constexpr double kRead = 0.1;
constexpr double kComputed = 0.9;

/// Flux is that of the first part: the real one.
void add(TileSums& tile, int part, InputSums inputs, OutputSums outputs) {
  if (part > 0) inputs.sum = outputs.sum = 0;
  tile.inputs.add(inputs);
  tile.outputs.add(outputs);
}

}  // namespace

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
        if (finish(queue, worker)) tile_done();
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
  Flight& flight = flying_.emplace_back();
  flight.tile = begun_.front();
  flight.part = next_part_;
  flight.set = set;
  next_part_ = (next_part_ + 1) % num_parts_;
  const bool is_last = next_part_ == 0;
  if (is_last) begun_.pop_front();
  InputSums& inputs = flight.inputs;
  const TileIndex tile = place_of(flight);
  const WorkPart of_tile = part_of_tile(flight);
  {
    const WorkPart reading(0, kRead);
    inputs.add(source_->supply(tile, set));
    if (is_last) flight.holes = source_->holes(tile);
  }
  require_usable(inputs);
  sink_->prepare(tile, set);
  const WorkPart computing(kRead, kComputed);
  session_.submit(Section::run, set);
  inputs.add(source_->scan_input(tile));
  require_usable(inputs);
  inputs.end_tile();
}

bool TileLoop::finish(TileQueue& queue, std::size_t worker) {
  Flight flight = std::move(flying_.front());
  const WorkPart of_tile = part_of_tile(flight);
  const WorkPart writing(kComputed, 1);
  const OutputSums outputs = sink_->take(place_of(flight), flight.set, std::move(flight.holes));
  if (!std::isfinite(outputs.sum)) require_usable(source_->look_again());
  add(of_tile_, flight.part, flight.inputs, outputs);
  const bool is_done = flight.part + 1 == num_parts_;
  if (is_done) queue.done(worker, flight.tile, std::exchange(of_tile_, {}));
  flying_.pop_front();
  session_.wait(flight.set);
  return is_done;
}

TileIndex TileLoop::place_of(const Flight& flight) const {
  TileIndex tile = tile_index(plan_, flight.tile);
  tile.part = flight.part;
  return tile;
}

WorkPart TileLoop::part_of_tile(const Flight& flight) const {
  return {static_cast<double>(flight.part) / num_parts_, (flight.part + 1.0) / num_parts_};
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

}  // namespace convoy::inline v0
