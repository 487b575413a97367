#include "deconvolution/program.hpp"

#include "deconvolution/frame_steps.hpp"
#include "deconvolution/sum_threads.hpp"
#include "fft/lower_passes.hpp"
#include "kernels/deconvolution_kernels.hpp"

namespace convoy::inline v0 {
namespace {

/// The slots that a program of this kind has, made as they are asked for.
class SlotList {
 public:
  SlotId add(const char* name, std::uint64_t bytes) {
    slots_.push_back({name, bytes});
    return static_cast<SlotId>(slots_.size() - 1);
  }
  std::vector<Slot> take() { return std::move(slots_); }

 private:
  std::vector<Slot> slots_;
};

class Builder {
 public:
  explicit Builder(const DeconvolutionPlan& plan)
      : plan_(plan),
        steps_(plan),
        iterates_(plan.spec.algorithm != Algorithm::wiener),
        by_sums_(plan.spec.acceleration == Acceleration::biggs),
        accelerated_(by_sums_ || plan.spec.acceleration == Acceleration::momentum),
        by_consensus_(plan.spec.stop == Stop::gradient_consensus) {
    const FftGeometry& geometry = steps_.geometry();
    const std::uint64_t image_bytes = geometry.image_bytes();
    observed_ = slots_.add("observed", steps_.window_bytes());
    scalars_ = slots_.add("scalars", steps_.reals(kNumScalars));
    image_ = slots_.add("image", image_bytes);
    work_ = slots_.add("work", geometry.work_bytes());
    spectrum_ = slots_.add("spectrum", geometry.spectrum_bytes());
    if (!iterates_) {
      response_ = slots_.add("response", steps_.reals(1));
      return;
    }
    estimate_ = slots_.add("estimate", image_bytes);
    weights_ = slots_.add("weights", image_bytes);
    partials_ = slots_.add("partials", steps_.reals(kNumQuantities * steps_.num_threads()));
    sums_ = slots_.add("sums", steps_.reals(kNumQuantities * kSumsPerQuantity));
    if (by_consensus_) {
      noise_ = slots_.add("noise", steps_.window_bytes());
      consensus_ = slots_.add("consensus", image_bytes);
    }
    if (!accelerated_) return;
    previous_ = slots_.add("previous", image_bytes);
    if (!by_sums_) return;
    gradient_ = slots_.add("gradient", image_bytes);
    products_ = slots_.add("products", steps_.reals(kNumProducts * kSumsPerQuantity));
  }

  Program build() {
    Program program;
    program.ports = steps_.ports();
    program.run = iterates_ ? start() : filter();
    program.finish = finish();
    if (iterates_) {
      program.iterate = iteration(false);
      program.measure = iteration(true);
    }
    if (!plan_.is_tiled()) program.setup = setup();
    program.slots = slots_.take();
    return program;
  }

 private:
  std::vector<Step> setup() const {
    std::vector<Step> steps = steps_.filter_setup(work_, spectrum_);
    if (iterates_) return steps;
    steps.emplace_back(steps_.remember_response(spectrum_, response_));
    steps.emplace_back(steps_.wiener_filter(response_, spectrum_));
    return steps;
  }

  std::vector<Step> uploads() const {
    return {steps_.upload(deconvolution_ports::scalars, scalars_),
            steps_.upload(deconvolution_ports::observed, observed_)};
  }

  std::vector<Step> filter() const {
    std::vector<Step> steps = uploads();
    steps.emplace_back(steps_.on_window(kernels::place_data, {observed_, scalars_, image_}));
    steps.emplace_back(convolve(false));
    return steps;
  }

  std::vector<Step> start() const {
    std::vector<Step> steps = uploads();
    if (by_consensus_) steps.emplace_back(steps_.upload(deconvolution_ports::noise, noise_));
    if (plan_.spec.compatibility == Compatibility::skimage) {
      steps.emplace_back(steps_.on_window(kernels::indicate, {observed_, weights_}));
    } else {
      steps.emplace_back(steps_.on_window(kernels::indicate, {observed_, image_}));
      steps.emplace_back(convolve(true));
      steps.emplace_back(steps_.on_elements(kernels::invert_weights, {image_, weights_}, {parameter(kLeastWeight)}));
    }
    const bool is_flat = plan_.spec.start == Start::flat || plan_.spec.start == Start::value;
    const std::uint32_t from_observed = is_flat ? 0 : 1;
    steps.emplace_back(steps_.on_window(kernels::start_estimate, {observed_, weights_, scalars_, estimate_, image_},
                                        {parameter(from_observed)}));
    if (by_sums_) {
      steps.emplace_back(steps_.on_elements(kernels::start_acceleration, {estimate_, previous_, gradient_}));
    } else if (accelerated_) {
      steps.emplace_back(steps_.on_elements(kernels::start_momentum, {estimate_, previous_}));
    }
    return steps;
  }

  /// The image slot holds the estimate before and after.
  std::vector<Step> iteration(bool measured) const {
    std::vector<Step> steps{convolve(false)};
    if (measured) steps.emplace_back(steps_.sum_divergence({observed_, image_, scalars_, partials_}));
    if (by_consensus_) {
      steps.emplace_back(steps_.on_window(kernels::noise_ratio, {noise_, scalars_, image_, consensus_}));
    }
    append_correction(steps);
    if (by_consensus_) append_consensus(steps);
    append_proposal(steps);
    if (measured) {
      steps.emplace_back(steps_.sum_on_elements(kernels::sum_change, {image_, estimate_, partials_}));
      steps.emplace_back(steps_.add_up(partials_, sums_, kNumQuantities));
      steps.emplace_back(steps_.download(deconvolution_ports::sums, sums_));
    }
    if (accelerated_) {
      append_acceleration(steps);
    } else {
      steps.emplace_back(steps_.on_elements(kernels::accept, {image_, estimate_}));
    }
    return steps;
  }

  void append_correction(std::vector<Step>& steps) const {
    const bool landweber = plan_.spec.algorithm == Algorithm::landweber;
    const KernelSpec& of_ratio = plan_.spec.damping > 0 ? kernels::damped_ratio : kernels::ratio;
    steps.emplace_back(steps_.on_window(landweber ? kernels::residual : of_ratio, {observed_, scalars_, image_}));
    steps.emplace_back(convolve(true));
    if (!steps_.shifts_correction()) return;
    steps.emplace_back(steps_.shift(image_, work_, true));
    steps.emplace_back(steps_.shift(work_, image_, false));
  }

  /// Smoothed as far as gradients are: by the blur and its adjoint.
  void append_consensus(std::vector<Step>& steps) const {
    steps.emplace_back(convolve(true, consensus_));
    steps.emplace_back(steps_.on_elements(kernels::agreement, {image_, weights_, consensus_}));
    steps.emplace_back(convolve(false, consensus_));
    steps.emplace_back(steps_.on_window(kernels::keep_window, {consensus_}));
    steps.emplace_back(convolve(true, consensus_));
  }

  void append_proposal(std::vector<Step>& steps) const {
    if (plan_.spec.tv > 0) steps.emplace_back(steps_.regularize_tv({estimate_, scalars_, image_}));
    if (by_consensus_) {
      steps.emplace_back(
          steps_.on_elements(kernels::propose_agreed, {weights_, estimate_, scalars_, consensus_, image_}));
      return;
    }
    const bool landweber = plan_.spec.algorithm == Algorithm::landweber;
    steps.emplace_back(steps_.on_elements(landweber ? kernels::propose_step : kernels::propose_product,
                                          {weights_, estimate_, scalars_, image_}));
  }

  void append_acceleration(std::vector<Step>& steps) const {
    if (!by_sums_) {
      steps.emplace_back(steps_.momentum_factor(scalars_));
      if (by_consensus_) {
        steps.emplace_back(
            steps_.on_elements(kernels::extrapolate_agreed, {scalars_, consensus_, previous_, estimate_, image_}));
        return;
      }
      steps.emplace_back(steps_.on_elements(kernels::extrapolate, {scalars_, previous_, estimate_, image_}));
      return;
    }
    steps.emplace_back(
        steps_.sum_on_elements(kernels::sum_products, {image_, estimate_, gradient_, previous_, partials_}));
    steps.emplace_back(steps_.add_up(partials_, products_, kNumProducts));
    steps.emplace_back(steps_.acceleration_factor(products_, scalars_));
    steps.emplace_back(steps_.on_elements(kernels::accelerate, {scalars_, previous_, gradient_, estimate_, image_}));
  }

  /// The result goes through the work slot, so that an iteration may follow.
  std::vector<Step> finish() const {
    const SlotId result = !iterates_ ? image_ : accelerated_ ? previous_ : estimate_;
    return {steps_.crop(result, work_), steps_.download(deconvolution_ports::output, work_)};
  }

  Convolve convolve(bool conjugate) const { return convolve(conjugate, image_); }
  Convolve convolve(bool conjugate, SlotId image) const {
    return {steps_.geometry(), image, work_, spectrum_, conjugate};
  }

  const DeconvolutionPlan& plan_;
  FrameSteps steps_;
  bool iterates_;
  bool by_sums_;  // its factor is made of sums over the frame
  bool accelerated_;
  bool by_consensus_;
  SlotList slots_;
  SlotId observed_ = 0, scalars_ = 0, image_ = 0, work_ = 0, spectrum_ = 0, response_ = 0;
  SlotId estimate_ = 0, weights_ = 0, partials_ = 0, sums_ = 0;
  SlotId previous_ = 0, gradient_ = 0, products_ = 0;
  SlotId noise_ = 0, consensus_ = 0;
};

/// The frame as one tile without padding, in the image's own order of axes.
Plan unpadded(const DeconvolutionPlan& plan) {
  Plan frame;
  frame.spec = plan.convolution.spec;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    frame.axes[axis].extent = frame.axes[axis].padded = plan.axes[axis].frame;
  }
  return frame;
}

}  // namespace

Program make_unlowered_program(const DeconvolutionPlan& plan) { return Builder(plan).build(); }

Program make_program(const DeconvolutionPlan& plan) {
  Program program = make_unlowered_program(plan);
  lower_native_passes(plan.convolution.limits, program);
  return program;
}

Program make_host_program(const DeconvolutionPlan& plan) {
  DeconvolutionPlan on_host = plan;
  on_host.convolution = unpadded(plan);
  return Builder(on_host).build();
}

}  // namespace convoy::inline v0
