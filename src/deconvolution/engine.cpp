#include "deconvolution/engine.hpp"

#include <algorithm>
#include <cstring>

#include "base/log.hpp"
#include "convoy/convolution.hpp"
#include "convoy/error.hpp"
#include "deconvolution/plan.hpp"
#include "deconvolution/program.hpp"
#include "engine/filter.hpp"
#include "engine/load_with_retry.hpp"
#include "kernels/cpp_kernels.hpp"

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

ConvolverOptions convolver_options(const EngineTask& task, const DeconvolutionPlan& plan, const Limits& limits) {
  ConvolverOptions options;
  options.plan = options_of_convolutions(plan, limits, task.options.plan);
  options.trace_memory = task.options.trace_memory;
  options.sentinels = task.options.sentinels;
  options.progress = [keep_going = task.keep_going](const Progress&) { return keep_going(); };
  return options;
}

/// Runs the program in host memory. Slots are the host's, ports are slots, and a Convolve step is a run of one of two
/// convolvers, out of the image slot and into the work slot, which then change places.
class TiledEngine final : public DeconvolutionEngine {
 public:
  TiledEngine(const EngineTask& task, const Limits& limits, DeconvolutionPlan plan)
      : plan_(std::move(plan)),
        program_(make_host_program(plan_)),
        blur_(plan_.convolution.spec, task.psf, task.devices, convolver_options(task, plan_, limits)),
        adjoint_(plan_.adjoint->spec, task.psf, task.devices, convolver_options(task, plan_, limits)) {
    for (const std::string& reason : plan_.reasons) log("plan", "{}: {}", task.devices.front().info().id, reason);
    plan_.convolution = blur_.plan();
    plan_.adjoint = adjoint_.plan();
    set_ledgers_of_tiled(limits, task.options.plan, plan_);
    plan_.psf_sum = task.psf_sum;
    plan_.psf_reach = task.psf_reach;
    const auto& first = std::get<Convolve>(program_.iterate.front());
    try {
      for (std::size_t id = 0; id < program_.slots.size(); ++id) {
        std::uint64_t bytes = program_.slots[id].bytes;
        if (static_cast<SlotId>(id) == first.work) bytes = first.geometry.image_bytes();
        if (static_cast<SlotId>(id) == first.spectrum) bytes = 0;  // the convolvers have it
        slots_.emplace_back(bytes);
      }
    } catch (const std::bad_alloc&) {
      throw OutOfMemory("the estimate and the data do not fit this machine's memory; crop the image", plan_.host_bytes,
                        0, "memory of this process");
    }
  }

  const DeconvolutionPlan& plan() const override { return plan_; }
  const Plan& layout() const override { return layout_; }
  std::byte* port(PortId port) override { return slots_.at(slot_of(port)).data(); }
  void pass(Section section, Index times) override {
    for (Index time = 0; time < times; ++time) {
      for (const Step& step : program_.steps(section)) {
        std::visit([this](const auto& known) { run(known); }, step);
      }
    }
  }
  void check_sentinels() override {}  // the convolvers look after their own
  std::vector<DeviceShare> shares() const override { return shares_; }

 private:
  std::size_t slot_of(PortId port) const {
    for (const Section section : kSections) {
      for (const Step& step : program_.steps(section)) {
        const Transfer* transfer = std::get_if<Upload>(&step);
        if (transfer == nullptr) transfer = std::get_if<Download>(&step);
        if (transfer != nullptr && transfer->port == port) return static_cast<std::size_t>(transfer->slot);
      }
    }
    throw Error(Errc::invalid_argument, "the program does not move that port");
  }

  void run(const Upload&) {}    // the port is the slot
  void run(const Download&) {}  // likewise
  void run(const Clear& step) { std::ranges::fill(slots_.at(static_cast<std::size_t>(step.slot)), std::byte{0}); }
  void run(const TransformKernel&) {}
  void run(const Dispatch& step) {
    std::vector<void*> buffers;
    for (const SlotId slot : step.slots) buffers.push_back(slots_.at(static_cast<std::size_t>(slot)).data());
    run_on_host(*step.kernel, step.precision, buffers, step.parameters, step.threads, host_workers());
  }
  void run(const ConvolveDirect&) { throw std::logic_error("restorations have no direct convolutions"); }
  void run(const Convolve& step) {
    auto& image = slots_.at(static_cast<std::size_t>(step.image));
    auto& work = slots_.at(static_cast<std::size_t>(step.work));
    const Element element = plan_.spec.precision == Precision::f32 ? Element::f32 : Element::f64;
    const Shape frame = plan_.frame();
    const RunReport report =
        (step.conjugate ? adjoint_ : blur_).run({image.data(), element, frame}, {work.data(), element, frame});
    add_shares(report.devices);
    std::swap(image, work);
  }
  void add_shares(const std::vector<DeviceShare>& shares) {
    if (shares_.empty()) {
      shares_ = shares;
      return;
    }
    for (std::size_t i = 0; i < shares.size(); ++i) {
      shares_[i].num_tiles += shares[i].num_tiles;
      if (!shares[i].failure.empty()) shares_[i].failure = shares[i].failure;
    }
  }

  DeconvolutionPlan plan_;
  Plan layout_;  // z, y, x
  Program program_;
  Convolver blur_;
  Convolver adjoint_;
  std::vector<std::vector<std::byte>> slots_;
  std::vector<DeviceShare> shares_;
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
  if (plan.is_tiled()) return planned(std::make_unique<TiledEngine>(task, limits, std::move(plan)));
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
    return planned(
        std::make_unique<TiledEngine>(task, limits, make_tiled_plan(task.spec, limits, less, problem.what())));
  }
}

}  // namespace convoy::inline v0
