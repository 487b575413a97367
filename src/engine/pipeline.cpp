#include "engine/pipeline.hpp"

#include <cmath>
#include <deque>

#include "convoy/error.hpp"
#include "engine/checks.hpp"

namespace convoy {
namespace {

class Pipeline {
 public:
  Pipeline(const LoadedPlan& loaded, TileQueue& queue, std::size_t worker, TileSource& source, TileSink& sink)
      : plan_(loaded.plan),
        session_(*loaded.session),
        num_sets_(static_cast<std::size_t>(loaded.program.num_in_flight)),
        queue_(queue),
        worker_(worker),
        source_(source),
        sink_(sink) {}

  void run(const std::function<void()>& tile_done) {
    try {
      run_all(tile_done);
    } catch (...) {
      drain();
      throw;
    }
    for (std::size_t set = 0; set < num_sets_; ++set) session_.wait(static_cast<int>(set));
  }

 private:
  struct Flight {
    Index tile = 0;
    int set = 0;
    InputSums inputs;
  };

  /// Tiles go round the session's sets: while the device works on some, the host fills or empties another.
  void run_all(const std::function<void()>& tile_done) {
    while (!queue_.stopped()) {
      begin_tiles();
      if (begun_.empty() && flying_.empty()) return;
      if (!begun_.empty() && flying_.size() < num_sets_) {
        submit();
      } else {
        finish();
        tile_done();
      }
    }
  }

  void begin_tiles() {
    const auto wants_one = [&] {
      return begun_.size() < source_.tiles_ahead() || (begun_.empty() && flying_.size() < num_sets_);
    };
    while (wants_one()) {
      const auto tile = queue_.take(worker_, begun_.empty() && flying_.empty());
      if (!tile) return;
      source_.begin(tile_index(plan_, *tile));
      begun_.push_back(*tile);
    }
  }

  void submit() {
    const int set = static_cast<int>(num_submitted_++ % num_sets_);
    flying_.push_back({begun_.front(), set, {}});
    begun_.pop_front();
    InputSums& inputs = flying_.back().inputs;
    const TileIndex tile = tile_index(plan_, flying_.back().tile);
    inputs.add(source_.supply(tile, set));
    require_usable(inputs);
    sink_.prepare(tile, set);
    session_.submit(Section::run, set);
    inputs.add(source_.scan_input(tile));
    require_usable(inputs);
    inputs.end_tile();
  }

  void finish() {
    const Flight& flight = flying_.front();
    const OutputSums outputs = sink_.take(tile_index(plan_, flight.tile), flight.set);
    if (!std::isfinite(outputs.sum)) require_usable(source_.look_again());
    queue_.done(worker_, flight.tile, {flight.inputs, outputs});
    const int set = flight.set;
    flying_.pop_front();
    session_.wait(set);
  }

  void require_usable(const InputSums& met) {
    if (!is_usable(plan_.spec, met)) convoy::require_usable(plan_.spec, source_.all_unusable(met));
  }

  /// The next run starts with no set in flight.
  void drain() {
    for (std::size_t set = 0; set < num_sets_; ++set) {
      try {
        session_.wait(static_cast<int>(set));
      } catch (const Error&) {  // the first error is the one to tell
      }
    }
  }

  const Plan& plan_;
  backend::Session& session_;
  std::size_t num_sets_;
  TileQueue& queue_;
  std::size_t worker_;
  TileSource& source_;
  TileSink& sink_;
  std::size_t num_submitted_ = 0;
  std::deque<Index> begun_;
  std::deque<Flight> flying_;
};

}  // namespace

void run_pipeline(const LoadedPlan& loaded, TileQueue& queue, std::size_t worker, TileSource& source, TileSink& sink,
                  const std::function<void()>& tile_done) {
  Pipeline(loaded, queue, worker, source, sink).run(tile_done);
}

}  // namespace convoy
