#include <fmt/format.h>

#include <cmath>

#include "backends/backend.hpp"
#include "base/dense_view.hpp"
#include "convoy/error.hpp"
#include "convoy/resident.hpp"
#include "device_arrays/program.hpp"
#include "engine/checks.hpp"
#include "engine/filter.hpp"
#include "engine/load_with_retry.hpp"
#include "planner/axis.hpp"

namespace convoy {
namespace {

void require_array(const char* what, const DeviceArray& given, Element element, const Shape& shape, Index batch) {
  if (given.handle == 0) throw Error(Errc::invalid_argument, fmt::format("the {} has no memory (null handle)", what));
  if (given.shape == shape && given.element == element && given.batch == batch) return;
  const auto text = [](Index images, const Shape& extents, Element kind) {
    return fmt::format("{}{} zyx of {}", images == 1 ? "" : fmt::format("{} times ", images), to_text(extents),
                       name(kind));
  };
  throw Error(Errc::invalid_argument,
              fmt::format("the {} is {}, but this convolution was planned for {}", what,
                          text(given.batch, given.shape, given.element), text(batch, shape, element)));
}

std::uint64_t num_bytes(const DeviceArray& array) {
  return static_cast<std::uint64_t>(num_voxels(array.shape) * array.batch) * size_of(array.element);
}

/// Arrays in two Vulkan buffers may lie in the same memory all the same: that is the caller's to know.
void require_apart(const DeviceArray& image, const DeviceArray& output, bool handles_are_addresses) {
  if (!handles_are_addresses && image.handle != output.handle) return;
  const std::uint64_t in = handles_are_addresses ? image.handle + image.offset_bytes : image.offset_bytes;
  const std::uint64_t out = handles_are_addresses ? output.handle + output.offset_bytes : output.offset_bytes;
  if (in < out + num_bytes(output) && out < in + num_bytes(image)) {
    throw Error(Errc::invalid_argument, "the output overlaps the image in device memory; give it an array of its own");
  }
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
    const double scale = resolve_spec(spec, kernel).factor;
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
          if (sums_directly(plan.path) && spec.precision == Precision::f32)
            plan.taps = filter_taps(plan, kernel, scale);
          return plan;
        },
        [](const DeviceArraysPlan& plan) { return plan.path; });
    set_up_filter(*loaded.session, loaded.plan, kernel, scale);
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
  require_array("image", image, state_->options.image, state_->spec.image, state_->spec.batch);
  require_array("output", output, state_->options.output, output_shape(), state_->spec.batch);
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
