#include <fmt/format.h>

#include <cmath>

#include "backends/backend.hpp"
#include "base/dense_view.hpp"
#include "convoy/error.hpp"
#include "convoy/resident.hpp"
#include "device_arrays/callers_array.hpp"
#include "device_arrays/program.hpp"
#include "engine/checks.hpp"
#include "engine/complex_images.hpp"
#include "engine/device_array_checks.hpp"
#include "engine/filter.hpp"
#include "engine/load_with_retry.hpp"
#include "engine/weighing.hpp"
#include "planner/axis.hpp"

namespace convoy::inline v0 {
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
  DeviceArraySlots slots;
  DeviceArray image;  // as every run's
  DeviceArray output;
  std::unique_ptr<State> imaginary;  // of a complex kernel, whose real part is this one's

  State(const ConvolutionSpec& given, const ImageView& kernel, Device on, const ResidentOptions& with)
      : spec(given), device(std::move(on)), options(with) {
    validate(spec);
    require_kinds(spec, options.image, is_complex(kernel.element), options.output);
    image = planned_array(options.image, spec.image, num_images(spec), options.image_strides);
    output = planned_array(options.output, convoy::output_shape(spec), num_outputs(spec), options.output_strides);
    require_images("image", view_of(image, true), image.shape, image.batch);
    require_writable_images("output", mutable_view_of(output, true), output.shape, output.batch);
    if (is_complex(kernel.element)) {
      prepare_parts(kernel);
    } else if (with.weights) {
      const DenseView dense(*with.weights);
      prepare(kernel, dense.view());
    } else {
      prepare(kernel, {});
    }
  }

  /// Each makes a part of the output.
  void prepare_parts(const ImageView& kernel) {
    if (is_complex(options.image) || spec.num_kernels > 1 || spec.pairing == Pairing::sum) {
      throw Error(Errc::unsupported,
                  "a complex kernel is convolved with one at a time, and on the device with real images: give real and "
                  "imaginary part of the kernel to two convolvers, or take a Convolver");
    }
    const std::uint64_t alignment = device.limits().offset_alignment_bytes;
    if (!implementation_of(device).handles_are_addresses() && alignment > size_of(part_of(options.output))) {
      throw Error(
          Errc::unsupported,
          fmt::format("{}: the imaginary part of a complex kernel's output begins {} bytes behind the real one, and "
                      "buffers of this device at multiples of {}; take a Convolver",
                      device.info().id, size_of(part_of(options.output)), alignment));
    }
    ConvolutionSpec of_part = spec;
    const KernelParts parts = parts_of_kernel(of_part, kernel);
    ResidentOptions with = options;
    with.output = part_of(options.output);
    with.output_strides = view_of(output, true).strides_in_bytes();
    with.plan.memory_limit_bytes /= 2;
    imaginary = std::make_unique<State>(of_part, ImageView(parts.imaginary, spec.kernel), device, with);
    options = with;
    spec = of_part;
    prepare(ImageView(parts.real, spec.kernel), {});
  }

  void prepare(const ImageView& kernel, const std::optional<ImageView>& given_weights) {
    const FilterScale scale = resolve_spec(spec, kernel, given_weights);
    const auto weights = given_weights ? weights_of(spec, *given_weights) : nullptr;
    options.weights.reset();  // they are the caller's
    require_possible();
    ConvolutionSpec of_parts = spec;
    if (is_complex(options.image)) {
      if (spec.num_kernels > 1 || spec.pairing == Pairing::sum) {
        throw Error(Errc::unsupported, "complex images are convolved with one kernel at a time on the device");
      }
      of_parts.batch *= 2;
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
          DeviceArraysPlan plan{make_plan(of_parts, limits, smaller), options.image, options.output};
          plan.image_strides = options.image_strides;
          plan.output_strides = options.output_strides;
          plan.kernel_sum = scale.sum;
          plan.least_weight = rounding_error(spec.precision, 1, scale.magnitude);
          plan.weights = weights;
          if (sums_directly(plan.path) && spec.precision == Precision::f32 && spec.num_kernels == 1)
            plan.taps = filter_taps(plan, kernel, scale.factors.front());
          return plan;
        },
        [](const DeviceArraysPlan& plan) { return plan.path; });
    slots = device_array_slots(loaded.plan);
    set_up_filter(*loaded.session, loaded.plan, kernel, scale.factors);
  }

  void require_possible() const {
    if (std::isnan(spec.constant)) {
      throw Error(Errc::unsupported,
                  "a constant of NaN is not taken for the outside of images that lie on the device; use a Convolver");
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
  }

  void run(const DeviceArray& from, const DeviceArray& to, DeviceStream stream, int part) {
    if (imaginary) imaginary->run(from, to, stream, 1);
    const bool addresses = implementation_of(device).handles_are_addresses();
    const std::uint64_t in = lowest_offset("image", from, addresses);
    const std::uint64_t out =
        lowest_offset("output", to, addresses) + static_cast<std::uint64_t>(part) * size_of(part_of(to.element));
    loaded.session->run_on(stream.handle, {{slots.image, from.handle, in}, {slots.output, to.handle, out}});
  }

  void wait() {
    if (imaginary) imaginary->wait();
    loaded.session->wait(0);
    loaded.session->check_sentinels();
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
  require_array("image", image, state_->image);
  require_array("output", output, state_->output);
  require_apart(image, output, implementation_of(state_->device).handles_are_addresses());
  state_->run(image, output, stream, 0);
}

void ResidentConvolver::wait() { state_->wait(); }

}  // namespace convoy::inline v0
