#include "exec/pipeline.hpp"

#include <fmt/format.h>

#include <chrono>
#include <numeric>

#include "convoy/error.hpp"

namespace convoy {
namespace {

using Clock = std::chrono::steady_clock;

class Pipeline {
 public:
  Pipeline(const LoadedPlan& loaded, const std::vector<Index>& tiles, const ConvolverOptions& options,
           TileSource& source, TileSink& sink, const std::function<std::uint64_t()>& device_bytes)
      : plan_(loaded.plan),
        tiles_(tiles),
        session_(*loaded.session),
        num_sets_(loaded.program.num_sets),
        options_(options),
        source_(source),
        sink_(sink),
        device_bytes_(device_bytes) {}

  RunReport run() {
    try {
      run_all();
    } catch (...) {
      come_to_rest();
      throw;
    }
    session_.check_sentinels();
    outputs_.add(sink_.finish());
    RunReport report;
    report.num_tiles = plan_.num_tiles();
    report.skipped_tiles = report.num_tiles - count();
    report.non_finite_voxels = inputs_.non_finite;
    report.saturated_voxels = outputs_.saturated;
    report.input_sum = inputs_.sum;
    report.output_sum = outputs_.sum;
    return report;
  }

 private:
  /// Tiles go round the session's sets: while the device works on some, the host fills or empties another.
  void run_all() {
    Index finished = 0;
    for (Index submitted = 0; submitted < count(); ++submitted) {
      if (submitted - finished == num_sets_) finish(finished++);
      submit(submitted);
    }
    while (finished < count()) finish(finished++);
  }

  Index count() const { return static_cast<Index>(tiles_.size()); }
  TileIndex tile_at(Index place) const { return tile_index(plan_, tiles_[static_cast<std::size_t>(place)]); }
  int set_of(Index place) const { return static_cast<int>(place % num_sets_); }

  void submit(Index place) {
    const TileIndex tile = tile_at(place);
    const int set = set_of(place);
    note(source_.supply(tile, set));
    sink_.prepare(tile, set);
    session_.submit(Section::run, set);
    note(source_.look_through(tile));
  }

  void finish(Index place) {
    const int set = set_of(place);
    outputs_.add(sink_.take(tile_at(place), set));
    session_.wait(set);
    const Index num_tiles = plan_.num_tiles();
    const Index done = num_tiles - count() + place + 1;  // those that were there already included
    if (options_.trace_memory) options_.trace_memory(fmt::format("tile {} of {}", done, num_tiles), device_bytes_());
    const std::chrono::duration<double> elapsed = Clock::now() - start_;
    const bool go_on = !options_.progress || options_.progress({done, num_tiles, elapsed.count()});
    if (!go_on && done < num_tiles) {
      throw Error(Errc::cancelled, fmt::format("stopped after tile {} of {}", done, num_tiles));
    }
  }

  void note(const InputSums& part) {
    inputs_.add(part);
    if (inputs_.non_finite == 0 || plan_.spec.non_finite == NonFinite::zero) return;
    const InputSums all = source_.all_non_finite(inputs_);
    const Shape& shape = plan_.spec.image;
    throw Error(
        Errc::invalid_argument,
        fmt::format("the image has {} NaN or infinite voxel(s), the first at z,y,x = {},{},{}; a transform would "
                    "spread them over the whole output: mend the image, or have them taken as 0 (--nan zero)",
                    all.non_finite, all.first_non_finite / (shape.y * shape.x),
                    all.first_non_finite / shape.x % shape.y, all.first_non_finite % shape.x));
  }

  /// The next run starts with no set in flight.
  void come_to_rest() {
    for (int set = 0; set < num_sets_; ++set) {
      try {
        session_.wait(set);
      } catch (const Error&) {  // the first error is the one to tell
      }
    }
  }

  const Plan& plan_;
  const std::vector<Index>& tiles_;
  backend::Session& session_;
  int num_sets_;
  const ConvolverOptions& options_;
  TileSource& source_;
  TileSink& sink_;
  const std::function<std::uint64_t()>& device_bytes_;
  Clock::time_point start_ = Clock::now();
  InputSums inputs_;
  OutputSums outputs_;
};

}  // namespace

RunReport run_tiles(const LoadedPlan& loaded, const std::vector<Index>& tiles, const ConvolverOptions& options,
                    TileSource& source, TileSink& sink, const std::function<std::uint64_t()>& device_bytes) {
  return Pipeline(loaded, tiles, options, source, sink, device_bytes).run();
}

std::vector<Index> all_tiles(const Plan& plan) {
  std::vector<Index> tiles(static_cast<std::size_t>(plan.num_tiles()));
  std::iota(tiles.begin(), tiles.end(), Index{0});
  return tiles;
}

}  // namespace convoy
