#include "deconvolution/resident_program.hpp"

#include <cmath>

#include "base/boundary_rule.hpp"
#include "deconvolution/frame_steps.hpp"
#include "deconvolution/observed_data.hpp"
#include "deconvolution/program.hpp"
#include "deconvolution/scalars.hpp"
#include "deconvolution/sum_threads.hpp"
#include "device_arrays/callers_array.hpp"
#include "fft/lower_passes.hpp"
#include "kernels/data_kernels.hpp"
#include "kernels/deconvolution_kernels.hpp"
#include "planner/lengths.hpp"

namespace convoy::inline v0 {
namespace {

/// Sums of data, magnitudes and counts; then squares, squared differences and their number.
constexpr Index kNumDataSums = 3;
constexpr Index kRow = 1 << 14;

using PerAxis = std::array<Index, 3>;  // device order

void add(Dispatch& step, Index value) {
  step.parameters.push_back(parameter(static_cast<std::uint32_t>(value)));  // two's complement
}
void add(Dispatch& step, const PerAxis& values) {
  for (const Index value : values) add(step, value);
}
void add_number(Dispatch& step, double value) { step.parameters.push_back(parameter(static_cast<float>(value))); }
/// As the sum of two single precision numbers, of which the second is 0 beside an infinite one.
void add_high_and_low(Dispatch& step, double value) {
  const auto high = static_cast<float>(value);
  add_number(step, static_cast<double>(high));
  add_number(step, std::isfinite(high) ? value - static_cast<double>(high) : 0);
}

std::array<std::uint64_t, 3> threads_of(const PerAxis& extents) {
  return {static_cast<std::uint64_t>(extents[0]), static_cast<std::uint64_t>(extents[1]),
          static_cast<std::uint64_t>(extents[2])};
}

class ResidentBuilder {
 public:
  explicit ResidentBuilder(const ResidentDeconvolutionPlan& plan)
      : plan_(plan),
        convolution_(plan.convolution),
        callers_image_("image", plan.image_element, plan.spec.image, 1, plan.image_strides),
        callers_output_("output", plan.output_element, plan.spec.image, 1, plan.output_strides),
        num_threads_(FrameSteps(plan).num_threads()) {
    for (std::size_t d = 0; d < 3; ++d) {
      const FrameAxis& axis = plan.axes[static_cast<std::size_t>(convolution_.device_axes[d])];
      window_[d] = axis.window;
      image_[d] = axis.image;
      begin_[d] = axis.image_begin - axis.window_begin;
      if (convolution_.device_axes[d] == 2) x_axis_ = static_cast<Index>(d);
    }
  }

  ResidentProgram build() {
    ResidentProgram made;
    Program& program = made.program;
    program = make_unlowered_program(plan_);
    observed_ = slot_of_upload(program.run, deconvolution_ports::observed);
    scalars_ = slot_of_upload(program.run, deconvolution_ports::scalars);
    const std::vector<Step> finish = std::exchange(program.finish, {});
    const std::vector<Step> start = std::exchange(program.run, {});
    program.ports.resize(1);  // the PSF's
    result_ = std::get<Download>(finish.back()).slot;
    made.slots.image = slot(program, external("caller's image", callers_image_));
    made.slots.output = slot(program, external("caller's output", callers_output_));
    partials_ = slot(program, {.name = "partials of data", .bytes = reals(kNumDataSums * num_threads_)});
    sums_ = slot(program, {.name = "sums of data", .bytes = reals(kNumDataSums * kSumsPerQuantity)});
    units_ = slot(program, {.name = "units", .bytes = reals(kernels::units::count)});

    program.run = look(made.slots.image);
    append(start, program.run);
    for (Index i = 0; i < plan_.spec.iterations; ++i) append(program.iterate, program.run);
    append(finish, program.run);
    program.run.emplace_back(in_units());
    program.run.emplace_back(scatter(made.slots.output));
    program.iterate.clear();
    program.measure.clear();
    lower_native_passes(convolution_.limits, program);
    return made;
  }

 private:
  static SlotId slot(Program& program, Slot&& slot) {
    program.slots.push_back(std::move(slot));
    return static_cast<SlotId>(program.slots.size() - 1);
  }
  static SlotId slot_of_upload(const std::vector<Step>& steps, PortId port) {
    for (const Step& step : steps) {
      const auto* upload = std::get_if<Upload>(&step);
      if (upload != nullptr && upload->port == port) return upload->slot;
    }
    throw std::logic_error("the program uploads no such port");
  }
  /// But for transfers.
  static void append(const std::vector<Step>& steps, std::vector<Step>& run) {
    for (const Step& step : steps) {
      if (!std::holds_alternative<Upload>(step) && !std::holds_alternative<Download>(step)) run.push_back(step);
    }
  }
  std::uint64_t reals(Index count) const {
    return static_cast<std::uint64_t>(count) * real_bytes(plan_.spec.precision);
  }
  static Slot external(const char* name, const CallersArray& array) {
    return {.name = name, .bytes = array.bytes(), .external = true};
  }
  Dispatch dispatch(const KernelSpec& kernel, std::vector<SlotId> slots) const {
    Dispatch step;
    step.kernel = &kernel;
    step.precision = plan_.spec.precision;
    step.slots = std::move(slots);
    return step;
  }

  /// From the image to data in the device's unit, with scalars.
  std::vector<Step> look(SlotId image) const {
    std::vector<Step> steps{gather(image), sum_data(), add_up(), take_units()};
    if (scalar_rules(plan_, plan_.psf_magnitude).start_rule == static_cast<Index>(kernels::StartRule::automatic)) {
      steps.emplace_back(sum_noise());
      steps.emplace_back(add_up());
    }
    steps.emplace_back(take_scalars());
    steps.emplace_back(admit());
    return steps;
  }

  Dispatch gather(SlotId image) const {
    Dispatch step = dispatch(kernels::gather_voxels(plan_.image_element), {image, observed_});
    const auto rule = [&](std::size_t d) { return boundary_rule(Boundary::reflect, image_[d]); };
    add(step, window_);
    add(step, window_);
    add(step, PerAxis{-begin_[0], -begin_[1], -begin_[2]});
    add(step, image_);
    add(step, callers_image_.strides(convolution_));
    add(step, static_cast<Index>(rule(0).kind));
    add(step, PerAxis{rule(0).period, rule(1).period, rule(2).period});
    add(step, rule(0).offset);
    add_number(step, 0);
    add_number(step, 0);
    add(step, Index{0});
    add(step, callers_image_.origin(0));
    add(step, callers_image_.reversed(convolution_));
    step.threads = threads_of(window_);
    return step;
  }

  void add_rule(Dispatch& step) const {
    add_high_and_low(step, plan_.spec.saturation);
    add(step, Index{keeps_negative_data(plan_.spec) ? 1 : 0});
  }
  void add_box(Dispatch& step) const {
    add(step, window_[0]);
    add(step, window_[1]);
    add(step, begin_);
    add(step, image_[0]);
    add(step, image_[1]);
    add_rule(step);
  }
  void add_schedule(Dispatch& step) const {
    const Index voxels = image_[0] * image_[1] * image_[2];
    const SumSchedule schedule = sum_schedule(convolution_.limits, num_threads_, voxels);
    for (const Index value : {voxels, schedule.row, schedule.num_threads, schedule.thread_stride, schedule.num_steps,
                              schedule.step_stride}) {
      add(step, value);
    }
    step.threads = threads_of({schedule.row, schedule.num_threads / schedule.row, 1});
  }
  Dispatch sum_data() const {
    Dispatch step = dispatch(kernels::sum_data, {observed_, partials_});
    add_box(step);
    add_schedule(step);
    return step;
  }
  Dispatch sum_noise() const {
    Dispatch step = dispatch(kernels::sum_noise, {observed_, units_, partials_});
    add_box(step);
    add(step, x_axis_);
    add(step, PerAxis{1, window_[0], window_[0] * window_[1]}[static_cast<std::size_t>(x_axis_)]);
    add_schedule(step);
    return step;
  }
  Dispatch add_up() const {
    Dispatch step = dispatch(kernels::add_up, {partials_, sums_});
    for (const Index value : {kSumsPerQuantity, kNumDataSums, num_threads_}) add(step, value);
    step.threads = threads_of({kSumsPerQuantity, kNumDataSums, 1});
    return step;
  }
  Dispatch take_units() const {
    Dispatch step = dispatch(kernels::take_units, {sums_, units_});
    add(step, kSumsPerQuantity);
    add_high_and_low(step, plan_.spec.background);
    add_high_and_low(step, 1 / plan_.psf_sum);
    return step;
  }
  Dispatch take_scalars() const {
    const ScalarRules rules = scalar_rules(plan_, plan_.psf_magnitude);
    Dispatch step = dispatch(kernels::take_scalars, {sums_, units_, scalars_});
    add(step, kSumsPerQuantity);
    add(step, rules.start_rule);
    for (const double value : {plan_.spec.background, rules.start, rules.step}) add_high_and_low(step, value);
    for (const double value : {rules.least_start_part, rules.least_blurred_part, rules.softness_part,
                               rules.least_threshold, rules.highest_start}) {
      add_number(step, value);
    }
    return step;
  }
  void add_rows(Dispatch& step, Index count) const {
    const Index row = std::min(kRow, count);
    add(step, count);
    add(step, row);
    step.threads = threads_of({row, (count + row - 1) / row, 1});
  }
  Dispatch admit() const {
    Dispatch step = dispatch(kernels::admit, {units_, observed_});
    add_rows(step, window_[0] * window_[1] * window_[2]);
    add_rule(step);
    return step;
  }
  Dispatch in_units() const {
    Dispatch step = dispatch(kernels::in_units, {units_, result_});
    add_rows(step, image_[0] * image_[1] * image_[2]);
    return step;
  }
  Dispatch scatter(SlotId output) const {
    Dispatch step = dispatch(kernels::scatter_voxels(plan_.output_element), {result_, output});
    add(step, image_[0]);
    add(step, image_[1]);
    add(step, image_);
    add(step, PerAxis{0, 0, 0});
    add(step, callers_output_.strides(convolution_));
    add(step, callers_output_.origin(0));
    add(step, callers_output_.reversed(convolution_));
    step.threads = threads_of(image_);
    return step;
  }

  const ResidentDeconvolutionPlan& plan_;
  const Plan& convolution_;
  CallersArray callers_image_;
  CallersArray callers_output_;
  Index num_threads_;
  PerAxis window_{};
  PerAxis image_{};
  PerAxis begin_{};  // of the image in the window
  Index x_axis_ = 0;
  SlotId observed_ = 0, scalars_ = 0, result_ = 0, partials_ = 0, sums_ = 0, units_ = 0;
};

}  // namespace

ResidentProgram make_resident_program(const ResidentDeconvolutionPlan& plan) { return ResidentBuilder(plan).build(); }

Program make_program(const ResidentDeconvolutionPlan& plan) { return make_resident_program(plan).program; }

LedgerLine resident_sums_line(const DeconvolutionPlan& plan) {
  const Index reals = kNumDataSums * (FrameSteps(plan).num_threads() + kSumsPerQuantity) + kernels::units::count;
  return {"sums of data", static_cast<std::uint64_t>(reals) * real_bytes(plan.spec.precision), ""};
}

}  // namespace convoy::inline v0
