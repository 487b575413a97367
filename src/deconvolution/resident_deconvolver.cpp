#include <fmt/format.h>

#include <algorithm>

#include "base/dense_view.hpp"
#include "convoy/error.hpp"
#include "convoy/resident.hpp"
#include "deconvolution/plan.hpp"
#include "deconvolution/psf_set.hpp"
#include "deconvolution/resident_program.hpp"
#include "deconvolution/spec.hpp"
#include "engine/checks.hpp"
#include "engine/device_array_checks.hpp"
#include "engine/filter.hpp"
#include "engine/load_with_retry.hpp"

namespace convoy {
namespace {

/// They are queued one by one.
constexpr Index kMostIterations = 100'000;

[[noreturn]] void refuse_on_device(const std::string& what) {
  throw Error(Errc::unsupported, what + " is not for images that lie on the device; use a Deconvolver");
}

void require_resident(const DeconvolutionSpec& spec) {
  if (spec.compatibility != Compatibility::none) refuse_on_device("compatibility with scikit-image");
  if (spec.stop_relative_change > 0) refuse_on_device("a relative change to stop at, which the host would wait for,");
  if (spec.stop != Stop::none) refuse_on_device(fmt::format("{}, which the host would wait for,", name(spec.stop)));
  if (spec.estimate_background) refuse_on_device("a background that is to be estimated");
  if (spec.num_psfs > 1) refuse_on_device("a number of PSFs");
  if (spec.iterations > kMostIterations) refuse_on_device(fmt::format("more than {} iterations", kMostIterations));
}

DeconvolutionSpec checked(const DeconvolutionSpec& given, const ImageView& psf) {
  DeconvolutionSpec spec = settled(given);
  require_data("PSF", psf.data);
  require_real("PSF", psf.element);
  validate(spec);
  require_images("PSF", psf, spec.psf, spec.num_psfs);
  require_resident(spec);
  return spec;
}

/// Image `number` of a batch.
DeviceArray image_of(const DeviceArray& batch, Index number) {
  DeviceArray image = batch;
  image.batch = 1;
  image.offset_bytes += static_cast<std::uint64_t>(number * num_voxels(batch.shape)) * size_of(batch.element);
  return image;
}

}  // namespace

struct ResidentDeconvolver::State {
  Device device;
  ResidentOptions options;
  PsfSet psfs;
  Loaded<ResidentDeconvolutionPlan> loaded;
  ResidentSlots slots;

  State(const DeconvolutionSpec& given, const ImageView& psf, Device on, const ResidentOptions& with)
      : device(std::move(on)), options(with), psfs(checked(given, psf), psf) {
    require_real("image", options.image);
    require_real("output", options.output);
    options.weights.reset();
    const DeconvolutionSpec& spec = psfs.spec(0);
    const PreparedPsf& prepared = psfs.prepared(0);
    const Limits limits = device.limits();
    PlanOptions plan_options = options.plan;
    plan_options.streaming.reset();
    const auto make = [&](const PlanOptions& smaller) {
      ResidentDeconvolutionPlan plan{make_whole_plan(spec, limits, smaller), options.image, options.output,
                                     prepared.magnitude};
      plan.psf_sum = prepared.sum;
      plan.psf_reach = prepared.reach;
      plan.ledger.push_back(resident_sums_line(plan));
      plan.footprint_bytes += plan.ledger.back().bytes;
      return plan;
    };
    loaded = plan_and_load(device, plan_options, {options.trace_memory, sentinels_wanted(options.sentinels)}, make,
                           [](const ResidentDeconvolutionPlan& plan) { return plan.convolution.path; });
    slots = make_resident_program(loaded.plan).slots;
    set_up(prepared);
    psfs.end_borrowing();
  }

  void set_up(const PreparedPsf& prepared) {
    std::byte* const kernel = loaded.session->port(ports::kernel, 0);
    const Plan& layout = loaded.plan.convolution;
    if (loaded.plan.spec.precision == Precision::f32) {
      write_filter(layout, prepared.view, prepared.scale, reinterpret_cast<float*>(kernel));
    } else {
      write_filter(layout, prepared.view, prepared.scale, reinterpret_cast<double*>(kernel));
    }
    loaded.session->submit(Section::setup, 0);
    loaded.session->wait(0);
    loaded.session->end_setup();
    loaded.session->check_sentinels();
  }

  ~State() {
    loaded.session.reset();
    if (options.trace_memory) options.trace_memory("end", device.used_bytes());
  }
};

ResidentDeconvolver::ResidentDeconvolver(const DeconvolutionSpec& spec, const ImageView& psf, Device device,
                                         const ResidentOptions& options)
    : state_(std::make_unique<State>(spec, psf, std::move(device), options)) {}
ResidentDeconvolver::~ResidentDeconvolver() = default;
ResidentDeconvolver::ResidentDeconvolver(ResidentDeconvolver&&) noexcept = default;
ResidentDeconvolver& ResidentDeconvolver::operator=(ResidentDeconvolver&&) noexcept = default;

const DeconvolutionPlan& ResidentDeconvolver::plan() const { return state_->loaded.plan; }
const PsfReport& ResidentDeconvolver::psf() const { return state_->psfs.report(0); }

void ResidentDeconvolver::run(const DeviceArray& image, const DeviceArray& output, DeviceStream stream) {
  const Shape& shape = plan().spec.image;
  const Index batch = std::max<Index>(1, image.batch);
  require_array("image", image, state_->options.image, shape, batch);
  require_array("output", output, state_->options.output, shape, batch);
  require_apart(image, output, implementation_of(state_->device).handles_are_addresses());
  for (Index i = 0; i < batch; ++i) {
    const DeviceArray from = image_of(image, i);
    const DeviceArray to = image_of(output, i);
    state_->loaded.session->run_on(stream.handle, {{state_->slots.image, from.handle, from.offset_bytes},
                                                   {state_->slots.output, to.handle, to.offset_bytes}});
  }
}

void ResidentDeconvolver::wait() {
  state_->loaded.session->wait(0);
  state_->loaded.session->check_sentinels();
}

}  // namespace convoy
