#include "convoy/error.hpp"
#include "deconvolution/engine.hpp"
#include "engine/host_filter.hpp"
#include "engine/load_replanning.hpp"
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
    loaded_ = load_replanning(device, task.options.plan,
                              {task.options.trace_memory, sentinels_wanted(task.options.sentinels)}, make,
                              [](const DeconvolutionPlan& plan) { return plan.convolution.path; });
    std::byte* const kernel = port(ports::kernel);
    if (task.spec.precision == Precision::f32) {
      write_kernel(layout(), task.psf, task.psf_scale, reinterpret_cast<float*>(kernel));
    } else {
      write_kernel(layout(), task.psf, task.psf_scale, reinterpret_cast<double*>(kernel));
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

}  // namespace

std::unique_ptr<DeconvolutionEngine> make_resident_engine(const EngineTask& task, const Limits& limits) {
  return std::make_unique<WholeImageEngine>(task, limits);
}

namespace {

/// Each attempt is for four fifths of the one before, as in load_replanning().
PlannedEngine make_fast_engine(const EngineTask& task, const Limits& limits, DeconvolutionPlan plan) {
  constexpr int kMaxAttempts = 6;
  for (int attempt = 1;; ++attempt) {
    EngineTask of_tile = task;
    of_tile.spec = spec_of_tile(plan);
    of_tile.options.plan.min_tiles = 1;
    log("plan", "{}: {}", task.device.info().id, plan.reasons.front());
    try {
      auto engine = make_resident_engine(of_tile, limits);
      plan.psf_sum = task.psf_sum;
      plan.psf_reach = task.psf_reach;
      return {std::move(plan), std::move(engine)};
    } catch (const OutOfMemory& problem) {
      if (attempt == kMaxAttempts || task.options.plan.deterministic) throw;
      PlanOptions less = task.options.plan;
      less.memory_limit_bytes = plan.footprint_bytes / 5 * 4;
      plan = make_fast_plan(task.spec, limits, less, problem.what());
    }
  }
}

PlannedEngine planned(std::unique_ptr<DeconvolutionEngine> engine) {
  DeconvolutionPlan plan = engine->plan();
  return {std::move(plan), std::move(engine)};
}

}  // namespace

PlannedEngine make_engine(const EngineTask& task) {
  const Limits limits = task.device.limits();  // once: asking is slow on some drivers
  DeconvolutionPlan plan = make_plan(task.spec, limits, task.options.plan);
  if (plan.fast) return make_fast_engine(task, limits, std::move(plan));
  if (plan.is_tiled()) return planned(make_tiled_engine(task, std::move(plan)));
  try {
    return planned(make_resident_engine(task, limits));
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
