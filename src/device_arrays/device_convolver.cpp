#include <fmt/format.h>

#include <cmath>

#include "backends/backend.hpp"
#include "base/dense_view.hpp"
#include "convoy/error.hpp"
#include "convoy/resident.hpp"
#include "device_arrays/program.hpp"
#include "engine/checks.hpp"
#include "engine/device_array_checks.hpp"
#include "engine/filter.hpp"
#include "engine/load_with_retry.hpp"
#include "engine/weighing.hpp"
#include "planner/axis.hpp"

namespace convoy {
namespace {

/// In the arithmetic's precision.
std::shared_ptr<const std::vector<std::byte>> weights_of(const ConvolutionSpec& spec, const ImageView& given) {
  const Weights weights(spec, given);
  const ImageView first = weights.image(0);
  const auto bytes = static_cast<std::size_t>(num_voxels(first.shape) * spec.num_kernels) * size_of(first.element);
  const auto* begin = static_cast<const std::byte*>(first.data);
  return std::make_shared<const std::vector<std::byte>>(begin, begin + bytes);
}

}  // namespace

struct ResidentConvolver::State {
  ConvolutionSpec spec;  // with the origin resolved
  Device device;
  ResidentOptions options;
  Loaded<DeviceArraysPlan> loaded;

  State(const ConvolutionSpec& given, const ImageView& kernel, Device on, const ResidentOptions& with)
      : spec(given), device(std::move(on)), options(with) {
    require_real("image", options.image);
    require_real("kernel", kernel.element);
    require_real("output", options.output);
    if (with.weights) {
      const DenseView dense(*with.weights);
      prepare(kernel, dense.view());
    } else {
      prepare(kernel, {});
    }
  }

  void prepare(const ImageView& kernel, const std::optional<ImageView>& given_weights) {
    const std::vector<double> factors = resolve_spec(spec, kernel, given_weights).factors;
    const auto weights = given_weights ? weights_of(spec, *given_weights) : nullptr;
    options.weights.reset();  // they are the caller's
    if (spec.non_finite == NonFinite::interpolate || spec.preserve_nan || std::isnan(spec.constant)) {
      throw Error(Errc::unsupported,
                  "missing voxels are not interpolated, preserved or taken for the outside in images that lie on the "
                  "device; set them to 0 there (NonFinite::zero), or use a Convolver");
    }
    if (spec.no_data) {
      throw Error(Errc::unsupported,
                  "no_data is not looked for in images that lie on the device; set those voxels to 0 there, or use a "
                  "Convolver");
    }
    if (spec.region && folds_output(spec)) {
      throw Error(Errc::unsupported,
                  fmt::format("a region of the adjoint of boundary {} is not computed on the device alone; take the "
                              "whole output, or a Convolver",
                              name(spec.boundary)));
    }
    const Limits limits = device.limits();
    PlanOptions plan_options = options.plan;
    plan_options.resident = true;
    if (plan_options.method == Method::automatic || plan_options.method == Method::separable) {
      plan_options.separable_terms = count_separable_terms(spec, kernel);
    }
    loaded = plan_and_load(
        device, plan_options, {options.trace_memory, sentinels_wanted(options.sentinels)},
        [&](const PlanOptions& smaller) {
          DeviceArraysPlan plan{make_plan(spec, limits, smaller), options.image, options.output};
          plan.weights = weights;
          if (sums_directly(plan.path) && spec.precision == Precision::f32 && spec.num_kernels == 1)
            plan.taps = filter_taps(plan, kernel, factors.front());
          return plan;
        },
        [](const DeviceArraysPlan& plan) { return plan.path; });
    set_up_filter(*loaded.session, loaded.plan, kernel, factors);
  }

  ~State() {
    loaded.session.reset();
    if (options.trace_memory) options.trace_memory("end", device.used_bytes());
  }
};

ResidentConvolver::ResidentConvolver(const ConvolutionSpec& spec, const ImageView& kernel, Device device,
                                     const ResidentOptions& options)
    : state_(std::make_unique<State>(spec, DenseView(kernel).view(), std::move(device), options)) {}
ResidentConvolver::~ResidentConvolver() = default;
ResidentConvolver::ResidentConvolver(ResidentConvolver&&) noexcept = default;
ResidentConvolver& ResidentConvolver::operator=(ResidentConvolver&&) noexcept = default;

const Plan& ResidentConvolver::plan() const { return state_->loaded.plan; }
Shape ResidentConvolver::output_shape() const { return convoy::output_shape(state_->spec); }

void ResidentConvolver::run(const DeviceArray& image, const DeviceArray& output, DeviceStream stream) {
  require_array("image", image, state_->options.image, state_->spec.image, num_images(state_->spec));
  require_array("output", output, state_->options.output, output_shape(), num_outputs(state_->spec));
  require_apart(image, output, implementation_of(state_->device).handles_are_addresses());
  const DeviceArraySlots slots = device_array_slots(plan());
  state_->loaded.session->run_on(stream.handle, {{slots.image, image.handle, image.offset_bytes},
                                                 {slots.output, output.handle, output.offset_bytes}});
}

void ResidentConvolver::wait() {
  state_->loaded.session->wait(0);
  state_->loaded.session->check_sentinels();
}

}  // namespace convoy
