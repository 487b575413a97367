#include "program/deconvolution_program.hpp"

#include <algorithm>

#include "kernels/deconvolution_kernels.hpp"
#include "plan/reduction.hpp"
#include "program/kernel_setup.hpp"
#include "program/native_passes.hpp"

namespace convoy {
namespace {

constexpr SlotId kObserved = 0;
constexpr SlotId kScalars = 1;
constexpr SlotId kEstimate = 2;
constexpr SlotId kWeights = 3;
constexpr SlotId kImage = 4;
constexpr SlotId kWork = 5;
constexpr SlotId kSpectrum = 6;
constexpr SlotId kPartials = 7;
constexpr SlotId kSums = 8;

KernelParameter whole(Index value) { return parameter(static_cast<std::uint32_t>(value)); }

std::array<std::uint64_t, 3> threads_of(const Extents& extents) {
  return {static_cast<std::uint64_t>(extents[0]), static_cast<std::uint64_t>(extents[1]),
          static_cast<std::uint64_t>(extents[2])};
}

/// Makes the steps of one plan.
class Steps {
 public:
  explicit Steps(const DeconvolutionPlan& plan)
      : plan_(plan),
        geometry_(geometry_of(plan.convolution)),
        frame_(in_order(&FrameAxis::frame)),
        window_begin_(in_order(&FrameAxis::window_begin)),
        window_(in_order(&FrameAxis::window)),
        image_begin_(in_order(&FrameAxis::image_begin)),
        image_(in_order(&FrameAxis::image)) {}

  std::vector<Slot> slots() const {
    const std::uint64_t real = geometry_.real_bytes();
    const std::uint64_t partials = static_cast<std::uint64_t>(kNumQuantities * num_threads()) * real;
    return {{"observed", product(window_) * real},
            {"scalars", kNumScalars * real},
            {"estimate", geometry_.image_bytes()},
            {"weights", geometry_.image_bytes()},
            {"image", geometry_.image_bytes()},
            {"work", geometry_.work_bytes()},
            {"spectrum", geometry_.spectrum_bytes()},
            {"partials", partials},
            {"sums", sums_bytes()}};
  }

  std::vector<Port> ports() const {
    const std::uint64_t real = geometry_.real_bytes();
    const Extents kernel = in_device_order(plan_.convolution, &AxisPlan::kernel_size);
    return {{"kernel", product(kernel) * real, Section::setup},
            {"observed", product(window_) * real, Section::run},
            {"scalars", kNumScalars * real, Section::run},
            {"output", product(image_) * real, Section::finish},
            {"sums", sums_bytes(), Section::measure}};
  }

  std::vector<Step> setup() const {
    std::vector<Step> steps;
    append_kernel_setup(plan_.convolution, geometry_, kWork, kSpectrum, steps);
    return steps;
  }

  std::vector<Step> run() const {
    return {upload(deconvolution_ports::scalars, kScalars),
            upload(deconvolution_ports::observed, kObserved),
            on_frame(kernels::indicate, {kObserved, kImage}),
            convolve(true),
            on_elements(kernels::invert_weights, {kImage, kWeights}, {parameter(kLeastWeight)}),
            on_frame(kernels::start_estimate, {kObserved, kWeights, kScalars, kEstimate, kImage},
                     {whole(plan_.spec.start == Start::image ? 1 : 0)})};
  }

  /// The image slot holds the estimate before and after.
  std::vector<Step> iterate(bool measured) const {
    std::vector<Step> steps{convolve(false)};
    if (measured) steps.emplace_back(sum_divergence());
    steps.emplace_back(on_frame(kernels::ratio, {kObserved, kScalars, kImage}));
    steps.emplace_back(convolve(true));
    if (measured) {
      steps.emplace_back(sum_change());
      steps.emplace_back(add_up());
      steps.emplace_back(download(deconvolution_ports::sums, kSums));
    }
    steps.emplace_back(on_elements(kernels::update_estimate, {kWeights, kEstimate, kImage}));
    return steps;
  }

  /// The result goes through the work slot, so that an iteration may follow.
  std::vector<Step> finish() const { return {crop(), download(deconvolution_ports::output, kWork)}; }

 private:
  Extents in_order(Index FrameAxis::*field) const {
    Extents extents{};
    for (std::size_t d = 0; d < 3; ++d) {
      extents[d] = plan_.axes[static_cast<std::size_t>(plan_.convolution.device_axes[d])].*field;
    }
    return extents;
  }

  Index num_voxels_of(const Extents& extents) const { return static_cast<Index>(product(extents)); }
  Index num_threads() const { return num_sum_threads(plan_.convolution.limits, num_voxels_of(frame_)); }
  std::uint64_t sums_bytes() const {
    return static_cast<std::uint64_t>(kNumQuantities * kSumsPerQuantity) * geometry_.real_bytes();
  }

  Upload upload(PortId port, SlotId slot) const {
    Upload step;
    step.port = port;
    step.slot = slot;
    step.chunk_bytes = ports()[static_cast<std::size_t>(port)].bytes;
    return step;
  }
  Download download(PortId port, SlotId slot) const {
    Download step;
    step.port = port;
    step.slot = slot;
    step.chunk_bytes = ports()[static_cast<std::size_t>(port)].bytes;
    return step;
  }
  Convolve convolve(bool conjugate) const { return {geometry_, kImage, kWork, kSpectrum, conjugate}; }

  Dispatch dispatch(const KernelSpec& kernel, std::vector<SlotId> slots) const {
    Dispatch step;
    step.kernel = &kernel;
    step.precision = geometry_.precision;
    step.slots = std::move(slots);
    return step;
  }

  static void append(Dispatch& step, const Extents& extents, std::size_t count = 3) {
    for (std::size_t d = 0; d < count; ++d) step.parameters.push_back(whole(extents[d]));
  }

  /// A kernel over the frame that is told where the window lies.
  Dispatch on_frame(const KernelSpec& kernel, std::vector<SlotId> slots,
                    const std::vector<KernelParameter>& more = {}) const {
    Dispatch step = dispatch(kernel, std::move(slots));
    for (const Extents& extents : {frame_, window_begin_, window_}) append(step, extents);
    step.parameters.insert(step.parameters.end(), more.begin(), more.end());
    step.threads = threads_of(frame_);
    return step;
  }

  /// A kernel over the frame's voxels one by one.
  Dispatch on_elements(const KernelSpec& kernel, std::vector<SlotId> slots,
                       const std::vector<KernelParameter>& more = {}) const {
    constexpr Index kRow = 1 << 14;
    const Index count = num_voxels_of(frame_);
    const Index row = std::min(kRow, count);
    Dispatch step = dispatch(kernel, std::move(slots));
    step.parameters = {whole(count), whole(row)};
    step.parameters.insert(step.parameters.end(), more.begin(), more.end());
    step.threads = threads_of({row, (count + row - 1) / row, 1});
    return step;
  }

  void append_schedule(Dispatch& step, const Extents& summed) const {
    const SumSchedule schedule = sum_schedule(plan_.convolution.limits, num_threads(), num_voxels_of(summed));
    for (const Index value : {num_voxels_of(summed), schedule.row, schedule.num_threads, schedule.thread_stride,
                              schedule.num_steps, schedule.step_stride}) {
      step.parameters.push_back(whole(value));
    }
    step.threads = threads_of({schedule.row, schedule.num_threads / schedule.row, 1});
  }

  Dispatch sum_divergence() const {
    Dispatch step = dispatch(kernels::sum_divergence, {kObserved, kImage, kScalars, kPartials});
    append(step, frame_, 2);
    append(step, window_begin_);
    append(step, window_, 2);
    append_schedule(step, window_);
    return step;
  }
  Dispatch sum_change() const {
    Dispatch step = dispatch(kernels::sum_change, {kImage, kWeights, kEstimate, kPartials});
    append_schedule(step, frame_);
    step.parameters.push_back(whole(2));
    return step;
  }
  Dispatch add_up() const {
    Dispatch step = dispatch(kernels::add_up, {kPartials, kSums});
    step.parameters = {whole(kSumsPerQuantity), whole(kNumQuantities), whole(num_threads())};
    step.threads = threads_of({kSumsPerQuantity, kNumQuantities, 1});
    return step;
  }
  Dispatch crop() const {
    Dispatch step = dispatch(kernels::crop, {kEstimate, kWork});
    append(step, frame_, 2);
    append(step, image_begin_);
    append(step, image_);
    step.threads = threads_of(image_);
    return step;
  }

  const DeconvolutionPlan& plan_;
  FftGeometry geometry_;
  Extents frame_;
  Extents window_begin_;
  Extents window_;
  Extents image_begin_;
  Extents image_;
};

}  // namespace

Program make_program(const DeconvolutionPlan& plan) {
  const Steps steps(plan);
  Program program;
  program.slots = steps.slots();
  program.ports = steps.ports();
  program.setup = steps.setup();
  program.run = steps.run();
  program.iterate = steps.iterate(false);
  program.measure = steps.iterate(true);
  program.finish = steps.finish();
  lower_native_passes(plan.convolution.limits, program);
  return program;
}

}  // namespace convoy
