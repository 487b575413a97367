#include "deconvolution/frame_steps.hpp"

#include <algorithm>

#include "deconvolution/program.hpp"
#include "deconvolution/spec.hpp"
#include "deconvolution/sum_threads.hpp"
#include "kernels/deconvolution_kernels.hpp"

namespace convoy::inline v0 {
namespace {

/// Threads of a row of kernels over elements.
constexpr Index kRow = 1 << 14;

KernelParameter whole(Index value) { return parameter(static_cast<std::uint32_t>(value)); }
KernelParameter number(double value) { return parameter(static_cast<float>(value)); }

Index num_elements(const Extents& extents) { return static_cast<Index>(product(extents)); }

std::array<std::uint64_t, 3> threads_of(const Extents& extents) {
  return {static_cast<std::uint64_t>(extents[0]), static_cast<std::uint64_t>(extents[1]),
          static_cast<std::uint64_t>(extents[2])};
}

void append(Dispatch& step, const Extents& extents, std::size_t count = 3) {
  for (std::size_t d = 0; d < count; ++d) step.parameters.push_back(whole(extents[d]));
}

void append_rows(Dispatch& step, Index count) {
  const Index row = std::min(kRow, count);
  step.parameters.insert(step.parameters.end(), {whole(count), whole(row)});
  step.threads = threads_of({row, (count + row - 1) / row, 1});
}

}  // namespace

FrameSteps::FrameSteps(const DeconvolutionPlan& plan)
    : plan_(plan),
      geometry_(geometry_of(plan.convolution)),
      frame_(in_order(&FrameAxis::frame)),
      window_begin_(in_order(&FrameAxis::window_begin)),
      window_(in_order(&FrameAxis::window)),
      image_begin_(in_order(&FrameAxis::image_begin)),
      image_(in_order(&FrameAxis::image)),
      shift_(in_order(&FrameAxis::correction_shift)) {}

Extents FrameSteps::in_order(Index FrameAxis::*field) const {
  Extents extents{};
  for (std::size_t d = 0; d < 3; ++d) {
    extents[d] = plan_.axes[static_cast<std::size_t>(plan_.convolution.device_axes[d])].*field;
  }
  return extents;
}

Index FrameSteps::num_threads() const { return num_sum_threads(plan_.convolution.limits, num_elements(frame_)); }

std::vector<Port> FrameSteps::ports() const {
  const Extents kernel = in_device_order(plan_.convolution, &AxisPlan::kernel_size);
  std::vector<Port> ports{{"kernel", reals(num_elements(kernel)), Section::setup},
                          {"observed", window_bytes(), Section::run},
                          {"scalars", reals(kNumScalars), Section::run},
                          {"output", reals(num_elements(image_)), Section::finish}};
  if (plan_.spec.algorithm != Algorithm::wiener) {
    ports.push_back({"sums", reals(kNumQuantities * kSumsPerQuantity), Section::measure});
    if (plan_.spec.stop == Stop::gradient_consensus) ports.push_back({"noise", window_bytes(), Section::run});
  }
  return ports;
}

std::vector<Step> FrameSteps::filter_setup(SlotId work, SlotId spectrum) const {
  std::vector<Step> steps;
  append_filter_setup(plan_.convolution, geometry_, work, spectrum, steps);
  return steps;
}

Transfer FrameSteps::transfer(PortId port, SlotId slot) const {
  Transfer step;
  step.port = port;
  step.slot = slot;
  step.chunk_bytes = ports()[static_cast<std::size_t>(port)].bytes;
  return step;
}

Dispatch FrameSteps::dispatch(const KernelSpec& kernel, std::vector<SlotId> slots) const {
  Dispatch step;
  step.kernel = &kernel;
  step.precision = geometry_.precision;
  step.slots = std::move(slots);
  return step;
}

Dispatch FrameSteps::on_window(const KernelSpec& kernel, std::vector<SlotId> slots,
                               const std::vector<KernelParameter>& more) const {
  Dispatch step = dispatch(kernel, std::move(slots));
  for (const Extents& extents : {frame_, window_begin_, window_}) append(step, extents);
  step.parameters.insert(step.parameters.end(), more.begin(), more.end());
  step.threads = threads_of(frame_);
  return step;
}

Dispatch FrameSteps::on_elements(const KernelSpec& kernel, std::vector<SlotId> slots,
                                 const std::vector<KernelParameter>& more) const {
  Dispatch step = dispatch(kernel, std::move(slots));
  append_rows(step, num_elements(frame_));
  step.parameters.insert(step.parameters.end(), more.begin(), more.end());
  return step;
}

void FrameSteps::append_schedule(Dispatch& step, const Extents& summed) const {
  const Index voxels = num_elements(summed);
  const SumSchedule schedule = sum_schedule(plan_.convolution.limits, num_threads(), voxels);
  for (const Index value :
       {voxels, schedule.row, schedule.num_threads, schedule.thread_stride, schedule.num_steps, schedule.step_stride}) {
    step.parameters.push_back(whole(value));
  }
  step.threads = threads_of({schedule.row, schedule.num_threads / schedule.row, 1});
}

Dispatch FrameSteps::sum_on_elements(const KernelSpec& kernel, std::vector<SlotId> slots) const {
  Dispatch step = dispatch(kernel, std::move(slots));
  append_schedule(step, frame_);
  return step;
}

Dispatch FrameSteps::sum_divergence(std::vector<SlotId> slots) const {
  Dispatch step = dispatch(kernels::sum_divergence, std::move(slots));
  append(step, frame_, 2);
  append(step, window_begin_);
  append(step, window_, 2);
  append_schedule(step, window_);
  return step;
}

Dispatch FrameSteps::add_up(SlotId partials, SlotId sums, Index num_quantities) const {
  Dispatch step = dispatch(kernels::add_up, {partials, sums});
  step.parameters = {whole(kSumsPerQuantity), whole(num_quantities), whole(num_threads())};
  step.threads = threads_of({kSumsPerQuantity, num_quantities, 1});
  return step;
}

Dispatch FrameSteps::acceleration_factor(SlotId products, SlotId scalars) const {
  Dispatch step = dispatch(kernels::acceleration_factor, {products, scalars});
  step.parameters = {whole(kSumsPerQuantity)};
  return step;
}

Dispatch FrameSteps::momentum_factor(SlotId scalars) const {
  constexpr double kMost = 0.9;
  Dispatch step = dispatch(kernels::momentum_factor, {scalars});
  step.parameters = {number(kMost), number(kMost - static_cast<double>(static_cast<float>(kMost)))};
  return step;
}

Dispatch FrameSteps::regularize_tv(std::vector<SlotId> slots) const {
  Dispatch step = dispatch(kernels::regularize_tv, std::move(slots));
  append(step, frame_);
  step.parameters.push_back(number(plan_.spec.tv));
  const auto& distance = plan_.spec.voxel_size;
  const double smallest = *std::min_element(distance.begin(), distance.end());
  for (const int axis : plan_.convolution.device_axes) {
    step.parameters.push_back(number(smallest / distance[static_cast<std::size_t>(axis)]));
  }
  step.threads = threads_of(frame_);
  return step;
}

Dispatch FrameSteps::shift(SlotId from, SlotId to, bool by_correction) const {
  Dispatch step = dispatch(kernels::shift, {from, to});
  append(step, frame_);
  append(step, by_correction ? shift_ : Extents{0, 0, 0});
  step.threads = threads_of(frame_);
  return step;
}

Dispatch FrameSteps::crop(SlotId source, SlotId cropped) const {
  Dispatch step = dispatch(kernels::crop, {source, cropped});
  append(step, frame_, 2);
  append(step, image_begin_);
  append(step, image_);
  step.threads = threads_of(image_);
  return step;
}

Dispatch FrameSteps::remember_response(SlotId spectrum, SlotId response) const {
  Dispatch step = dispatch(kernels::remember_response, {spectrum, response});
  step.parameters = {whole(0)};
  return step;
}

Dispatch FrameSteps::wiener_filter(SlotId response, SlotId spectrum) const {
  Dispatch step = dispatch(kernels::wiener_filter, {response, spectrum});
  append_rows(step, static_cast<Index>(geometry_.spectrum_bytes() / (2 * geometry_.real_bytes())));
  const double noise = std::clamp(plan_.spec.wiener_noise, least_wiener_noise(plan_.spec.precision), 1e30);
  step.parameters.insert(step.parameters.end(), {number(noise), number(plan_.psf_reach)});
  return step;
}

}  // namespace convoy::inline v0
