#include "deconvolution/engine.hpp"

#include "base/log.hpp"
#include "convoy/error.hpp"
#include "deconvolution/plan.hpp"
#include "deconvolution/program.hpp"
#include "deconvolution/tiled_engine.hpp"
#include "engine/filter.hpp"
#include "engine/load_with_retry.hpp"

namespace convoy::inline v0 {
namespace {

class WholeImageEngine final : public DeconvolutionEngine {
 public:
  WholeImageEngine(const EngineTask& task, const Limits& limits) {
    Device device = task.devices.front();
    const auto make = [&](const PlanOptions& options) {
      DeconvolutionPlan plan = make_whole_plan(task.spec, limits, options);
      plan.psf_sum = task.psf_sum;
      plan.psf_reach = task.psf_reach;
      return plan;
    };
    loaded_ =
        plan_and_load(device, task.options.plan, {task.options.trace_memory, sentinels_wanted(task.options.sentinels)},
                      make, [](const DeconvolutionPlan& plan) { return plan.convolution.path; });
    std::byte* const kernel = port(ports::kernel);
    if (task.spec.precision == Precision::f32) {
      write_filter(layout(), task.psf, task.psf_scale, reinterpret_cast<float*>(kernel));
    } else {
      write_filter(layout(), task.psf, task.psf_scale, reinterpret_cast<double*>(kernel));
    }
    pass(Section::setup, 1);
    loaded_.session->end_setup();
    loaded_.session->check_sentinels();
  }

  const DeconvolutionPlan& plan() const override { return loaded_.plan; }
  const Plan& layout() const override { return loaded_.plan.convolution; }
  std::byte* port(PortId port) override { return loaded_.session->port(port, 0); }
  void pass(Section section, Index times) override {
    loaded_.session->submit(section, 0, static_cast<int>(times));
    loaded_.session->wait(0);
  }
  void check_sentinels() override { loaded_.session->check_sentinels(); }

 private:
  Loaded<DeconvolutionPlan> loaded_;
};

PlannedEngine make_fast_engine(const EngineTask& task, const Limits& limits, const DeconvolutionPlan& plan) {
  const auto smaller_tiles = [&](const std::optional<Replan>& smaller) {
    if (!smaller) return plan;
    if (task.tiling) throw OutOfMemory(smaller->reason, plan.footprint_bytes, smaller->limit_bytes, "device memory");
    PlanOptions less = task.options.plan;
    less.memory_limit_bytes = smaller->limit_bytes;
    return make_fast_plan(task.spec, limits, less, smaller->reason);
  };
  const auto load = [&](DeconvolutionPlan&& tiles) -> PlannedEngine {
    EngineTask of_tile = task;
    of_tile.tiling.reset();
    of_tile.spec = spec_of_tile(tiles);
    of_tile.options.plan.min_tiles = 1;
    log("plan", "{}: {}", task.devices.front().info().id, tiles.reasons.front());
    auto engine = std::make_unique<WholeImageEngine>(of_tile, limits);
    tiles.psf_sum = task.psf_sum;
    tiles.psf_reach = task.psf_reach;
    return {std::move(tiles), std::move(engine)};
  };
  return load_with_retry(task.devices.front().info().id, task.options.plan.deterministic, smaller_tiles, load);
}

PlannedEngine planned(std::unique_ptr<DeconvolutionEngine> engine) {
  DeconvolutionPlan plan = engine->plan();
  return {std::move(plan), std::move(engine)};
}

}  // namespace

PlannedEngine make_engine(const EngineTask& task) {
  const Limits limits = task.devices.front().limits();  // once: asking is slow on some drivers
  if (task.tiling) {
    return make_fast_engine(task, limits,
                            make_fast_plan_of(task.spec, *task.tiling, limits, task.options.plan, kCutAlike));
  }
  DeconvolutionPlan plan = make_plan(task.spec, limits, task.options.plan);
  if (plan.fast) return make_fast_engine(task, limits, plan);
  if (plan.is_tiled()) return planned(make_tiled_engine(task, limits, std::move(plan)));
  try {
    return planned(std::make_unique<WholeImageEngine>(task, limits));
  } catch (const OutOfMemory& problem) {  // although there had seemed to be enough
    if (!can_be_tiled(task.spec) || task.options.plan.deterministic) throw;
    log("plan", "{}: {}; it goes through it in tiles", task.devices.front().info().id, problem.what());
    PlanOptions less = task.options.plan;
    less.memory_limit_bytes = plan.footprint_bytes / 2;
    if (task.spec.tiles == Tiles::fast) {
      return make_fast_engine(task, limits, make_fast_plan(task.spec, limits, less, problem.what()));
    }
    return planned(make_tiled_engine(task, limits, make_tiled_plan(task.spec, limits, less, problem.what())));
  }
}

}  // namespace convoy::inline v0
