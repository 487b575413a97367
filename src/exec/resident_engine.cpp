#include "convoy/error.hpp"
#include "exec/deconvolution_engine.hpp"
#include "exec/host_kernel.hpp"
#include "exec/load_replanning.hpp"
#include "plan/deconvolution_plans.hpp"
#include "program/deconvolution_program.hpp"

namespace convoy {
namespace {

class ResidentEngine final : public DeconvolutionEngine {
 public:
  ResidentEngine(const EngineTask& task, const Limits& limits) {
    Device device = task.device;
    const auto make = [&](const PlanOptions& options) {
      DeconvolutionPlan plan = make_whole_plan(task.spec, limits, options);
      plan.psf_sum = task.psf_sum;
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
  return std::make_unique<ResidentEngine>(task, limits);
}

std::unique_ptr<DeconvolutionEngine> make_engine(const EngineTask& task) {
  const Limits limits = task.device.limits();  // once: asking is slow on some drivers
  DeconvolutionPlan plan = make_plan(task.spec, limits, task.options.plan);
  if (plan.is_tiled()) return make_tiled_engine(task, std::move(plan));
  try {
    return make_resident_engine(task, limits);
  } catch (const OutOfMemory& problem) {  // although there had seemed to be enough
    if (!can_be_tiled(task.spec)) throw;
    log("plan", "{}: {}; each convolution goes through it in tiles", task.device.info().id, problem.what());
    PlanOptions less = task.options.plan;
    less.memory_limit_bytes = plan.footprint_bytes / 2;
    return make_tiled_engine(task, make_tiled_plan(task.spec, limits, less, problem.what()));
  }
}

}  // namespace convoy
