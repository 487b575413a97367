#include "convoy/error.hpp"
#include "deconvolution/engine.hpp"
#include "engine/filter.hpp"
#include "engine/load_with_retry.hpp"
#include "deconvolution/plans.hpp"
#include "deconvolution/program.hpp"

namespace convoy {
namespace {

class WholeImageEngine final : public DeconvolutionEngine {
 public:
  WholeImageEngine(const EngineTask& task, const Limits& limits) {
    Device device = task.device;
    const auto make = [&](const PlanOptions& options) {
      DeconvolutionPlan plan = make_whole_plan(task.spec, limits, options);
      plan.psf_sum = task.psf_sum;
      plan.psf_reach = task.psf_reach;
      return plan;
    };
    loaded_ = plan_and_load(device, task.options.plan,
                              {task.options.trace_memory, sentinels_wanted(task.options.sentinels)}, make,
                              [](const DeconvolutionPlan& plan) { return plan.convolution.path; });
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

std::unique_ptr<DeconvolutionEngine> make_whole_image_engine(const EngineTask& task, const Limits& limits) {
  return std::make_unique<WholeImageEngine>(task, limits);
}

PlannedEngine make_fast_engine(const EngineTask& task, const Limits& limits, const DeconvolutionPlan& plan) {
  const auto smaller_tiles = [&](const std::optional<Replan>& smaller) {
    if (!smaller) return plan;
    PlanOptions less = task.options.plan;
    less.memory_limit_bytes = smaller->limit_bytes;
    return make_fast_plan(task.spec, limits, less, smaller->reason);
  };
  const auto load = [&](DeconvolutionPlan&& tiles) -> PlannedEngine {
    EngineTask of_tile = task;
    of_tile.spec = spec_of_tile(tiles);
    of_tile.options.plan.min_tiles = 1;
    log("plan", "{}: {}", task.device.info().id, tiles.reasons.front());
    auto engine = make_whole_image_engine(of_tile, limits);
    tiles.psf_sum = task.psf_sum;
    tiles.psf_reach = task.psf_reach;
    return {std::move(tiles), std::move(engine)};
  };
  return load_with_retry(task.device.info().id, task.options.plan.deterministic, smaller_tiles, load);
}

PlannedEngine planned(std::unique_ptr<DeconvolutionEngine> engine) {
  DeconvolutionPlan plan = engine->plan();
  return {std::move(plan), std::move(engine)};
}

}  // namespace

PlannedEngine make_engine(const EngineTask& task) {
  const Limits limits = task.device.limits();  // once: asking is slow on some drivers
  DeconvolutionPlan plan = make_plan(task.spec, limits, task.options.plan);
  if (plan.fast) return make_fast_engine(task, limits, plan);
  if (plan.is_tiled()) return planned(make_tiled_engine(task, std::move(plan)));
  try {
    return planned(make_whole_image_engine(task, limits));
  } catch (const OutOfMemory& problem) {  // although there had seemed to be enough
    if (!can_be_tiled(task.spec) || task.options.plan.deterministic) throw;
    log("plan", "{}: {}; it goes through it in tiles", task.device.info().id, problem.what());
    PlanOptions less = task.options.plan;
    less.memory_limit_bytes = plan.footprint_bytes / 2;
    if (task.spec.tiles == Tiles::fast) {
      return make_fast_engine(task, limits, make_fast_plan(task.spec, limits, less, problem.what()));
    }
    return planned(make_tiled_engine(task, make_tiled_plan(task.spec, limits, less, problem.what())));
  }
}

}  // namespace convoy
