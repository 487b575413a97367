#include <fmt/format.h>

#include <algorithm>

#include "base/dense_view.hpp"
#include "convoy/error.hpp"
#include "convoy/resident.hpp"
#include "deconvolution/plan.hpp"
#include "deconvolution/psf_set.hpp"
#include "deconvolution/resident_program.hpp"
#include "deconvolution/spec.hpp"
#include "device_arrays/callers_array.hpp"
#include "engine/checks.hpp"
#include "engine/device_array_checks.hpp"
#include "engine/filter.hpp"
#include "engine/load_with_retry.hpp"

namespace convoy::inline v0 {
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
  if (spec.damping > 0) refuse_on_device("damping, whose noise the host measures,");
  if (!spec.clip) refuse_on_device("Landweber's iteration without clip");
  if (spec.estimate_background) refuse_on_device("a background that is to be estimated");
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
  image.offset_bytes += static_cast<std::uint64_t>(number * view_of(batch, true).strides_in_bytes().image);
  return image;
}

}  // namespace

struct ResidentDeconvolver::State {
  /// What restores the images of one PSF.
  struct OfPsf {
    Loaded<ResidentDeconvolutionPlan> loaded;
    ResidentSlots slots;
  };

  Device device;
  ResidentOptions options;
  PsfSet psfs;
  std::vector<OfPsf> each;

  State(const DeconvolutionSpec& given, const ImageView& psf, Device on, const ResidentOptions& with)
      : device(std::move(on)), options(with), psfs(checked(given, psf), psf) {
    require_real("image", options.image);
    require_real("output", options.output);
    const DeviceArray image = planned_image(1);
    const DeviceArray output = planned_output(1);
    require_images("image", view_of(image, true), image.shape, image.batch);
    require_writable_images("output", mutable_view_of(output, true), output.shape, output.batch);
    options.weights.reset();
    options.plan.streaming.reset();
    options.plan.memory_limit_bytes /= static_cast<std::uint64_t>(psfs.size());
    for (Index number = 0; number < psfs.size(); ++number) each.push_back(made_ready(number));
    psfs.end_borrowing();
  }

  const DeconvolutionSpec& spec() const { return psfs.spec(0); }
  /// What a run of `batch` images is given.
  DeviceArray planned_image(Index batch) const {
    return planned_array(options.image, spec().image, batch, options.image_strides);
  }
  DeviceArray planned_output(Index batch) const {
    return planned_array(options.output, spec().image, batch, options.output_strides);
  }

  OfPsf made_ready(Index number) {
    const PreparedPsf& prepared = psfs.prepared(number);
    const Limits limits = device.limits();
    const auto make = [&](const PlanOptions& smaller) {
      ResidentDeconvolutionPlan plan{make_whole_plan(psfs.spec(number), limits, smaller),
                                     options.image,
                                     options.output,
                                     options.image_strides,
                                     options.output_strides,
                                     prepared.magnitude};
      plan.psf_sum = prepared.sum;
      plan.psf_reach = prepared.reach;
      plan.ledger.push_back(resident_sums_line(plan));
      plan.footprint_bytes += plan.ledger.back().bytes;
      return plan;
    };
    OfPsf made;
    made.loaded = plan_and_load(device, options.plan, {options.trace_memory, sentinels_wanted(options.sentinels)}, make,
                                [](const ResidentDeconvolutionPlan& plan) { return plan.convolution.path; });
    made.slots = make_resident_program(made.loaded.plan).slots;
    set_up(made.loaded, prepared);
    return made;
  }

  static void set_up(const Loaded<ResidentDeconvolutionPlan>& loaded, const PreparedPsf& prepared) {
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

  void run(const DeviceArray& image, const DeviceArray& output, DeviceStream stream) {
    const bool addresses = implementation_of(device).handles_are_addresses();
    for (Index i = 0; i < image.batch; ++i) {
      const OfPsf& one = each[static_cast<std::size_t>(i % psfs.size())];
      const DeviceArray from = image_of(image, i);
      const DeviceArray to = image_of(output, i);
      one.loaded.session->run_on(stream.handle,
                                 {{one.slots.image, from.handle, lowest_offset("image", from, addresses)},
                                  {one.slots.output, to.handle, lowest_offset("output", to, addresses)}});
    }
  }

  ~State() {
    each.clear();
    if (options.trace_memory) options.trace_memory("end", device.used_bytes());
  }
};

ResidentDeconvolver::ResidentDeconvolver(const DeconvolutionSpec& spec, const ImageView& psf, Device device,
                                         const ResidentOptions& options)
    : state_(std::make_unique<State>(spec, psf, std::move(device), options)) {}
ResidentDeconvolver::~ResidentDeconvolver() = default;
ResidentDeconvolver::ResidentDeconvolver(ResidentDeconvolver&&) noexcept = default;
ResidentDeconvolver& ResidentDeconvolver::operator=(ResidentDeconvolver&&) noexcept = default;

const DeconvolutionPlan& ResidentDeconvolver::plan() const { return state_->each.front().loaded.plan; }
const PsfReport& ResidentDeconvolver::psf(Index number) const { return state_->psfs.report(number); }

void ResidentDeconvolver::run(const DeviceArray& image, const DeviceArray& output, DeviceStream stream) {
  const Index batch = image.batch;
  state_->psfs.require_images_for_each(batch);
  require_array("image", image, state_->planned_image(batch));
  require_array("output", output, state_->planned_output(batch));
  const bool addresses = implementation_of(state_->device).handles_are_addresses();
  require_writable_images("output", mutable_view_of(output, addresses), output.shape, batch);
  require_apart(image, output, addresses);
  state_->run(image, output, stream);
}

void ResidentDeconvolver::wait() {
  for (const State::OfPsf& one : state_->each) {
    one.loaded.session->wait(0);
    one.loaded.session->check_sentinels();
  }
}

}  // namespace convoy::inline v0
