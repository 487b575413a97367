#include "engine/run_tiles.hpp"

#include <utility>

#include "convoy/error.hpp"
#include "engine/shared_run.hpp"
#include "engine/voxel_rules.hpp"

namespace convoy {
namespace {

void transport(const PreparedDevice& on, TileQueue& queue, std::size_t worker, TileSource& source, TileSink& sink,
               const std::function<void()>& tile_done) {
  try {
    run_pipeline(on.loaded, queue, worker, source, sink, tile_done);
  } catch (const Error& problem) {
    if (drops_device(problem)) sink.finish();
    throw;
  }
  if (!queue.stopped()) sink.finish();
}

}  // namespace

RunReport run_tiles(std::vector<PreparedDevice>& devices, RunTiles tiles, const ConvolverOptions& options,
                    RunInput& input, RunOutput& output) {
  SharedRun run(devices, std::move(tiles), options);
  run.run([&](std::size_t i, TileQueue& queue, const std::function<void()>& tile_done) {
    const auto source = input.source(devices[i]);
    const auto sink = output.sink(devices[i]);
    transport(devices[i], queue, i, *source, *sink, tile_done);
  });
  RunReport report = run.report();
  TileSums sums = run.sums();
  sums.outputs.add(output.complete());
  set_sums(sums, report);
  return report;
}

}  // namespace convoy
