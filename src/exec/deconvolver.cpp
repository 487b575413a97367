#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <numeric>

#include "convoy/deconvolution.hpp"
#include "convoy/error.hpp"
#include "exec/checks.hpp"
#include "exec/host_kernel.hpp"
#include "exec/load_replanning.hpp"
#include "exec/observed.hpp"
#include "exec/scatter.hpp"
#include "plan/origin.hpp"
#include "plan/reduction.hpp"
#include "program/deconvolution_program.hpp"

namespace convoy {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Between two of these the host looks whether to go on; devices shared with a screen bear no longer batches.
constexpr double kBatchSeconds = 0.1;
/// A blurred value counts as at least this part of the data's mean: what is below is rounding errors.
constexpr double kLeastBlurred = 1e-6;
/// A start value counts as at least this part of the data's mean: voxels that start at 0 stay there.
constexpr double kLeastStart = 0.01;

ConvolutionSpec blur_of(const DeconvolutionSpec& spec) {
  ConvolutionSpec blur;
  blur.image = spec.image;
  blur.kernel = spec.psf;
  blur.origin = spec.origin;
  blur.normalize_kernel = spec.normalize_psf;
  return blur;
}

/// The image as a tile of its own, in the plan's order of axes.
Plan image_tile(const DeconvolutionPlan& plan) {
  Plan tile;
  tile.device_axes = plan.convolution.device_axes;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    AxisPlan& of = tile.axes[axis];
    of.image = of.output = of.tile_output = of.tile_input = of.extent = plan.axes[axis].image;
    tile.piece_extent = std::max(tile.piece_extent, of.extent);  // in one piece
  }
  return tile;
}

void require_data_somewhere(const ObservedCounts& counts, const DeconvolutionSpec& spec) {
  if (counts.non_finite > 0 && spec.non_finite == NonFinite::error) {
    const Shape& shape = spec.image;
    const Index first = counts.first_non_finite;
    throw Error(
        Errc::invalid_argument,
        fmt::format("the image has {} NaN or infinite voxel(s), the first at z,y,x = {},{},{}; mend or mask them, "
                    "or have them taken as missing (--nan mask)",
                    counts.non_finite, first / (shape.y * shape.x), first / shape.x % shape.y, first % shape.x));
  }
  if (counts.data == 0) {
    throw Error(Errc::invalid_argument,
                "every voxel of the image is masked, saturated, NaN or infinite: there is "
                "nothing to restore from");
  }
}

/// How far the iterations have come.
struct Course {
  Index done = 0;
  StopReason reason = StopReason::iterations;
  double last_change = std::numeric_limits<double>::quiet_NaN();
  std::vector<IterationSums> curve;
};

/// How many iterations to queue next: as many as fit between two looks.
Index next_batch(Index remaining, double seconds_of_one) {
  if (seconds_of_one <= 0) return 1;
  return std::clamp<Index>(static_cast<Index>(kBatchSeconds / seconds_of_one), 1, remaining);
}

}  // namespace

struct Deconvolver::State {
  DeconvolutionSpec spec;  // with the origin resolved
  Device device;
  DeconvolverOptions options;
  Loaded<DeconvolutionPlan> loaded;

  /// Calls function(Real{}) with the plan's precision.
  template <class Function>
  decltype(auto) with_real(const Function& function) const {
    return spec.precision == Precision::f32 ? function(float{}) : function(double{});
  }

  State(const DeconvolutionSpec& given, const ImageView& psf, Device on, const DeconvolverOptions& with)
      : spec(given), device(std::move(on)), options(with) {
    require_data("PSF", psf.data);
    validate(spec);
    require_shape("PSF", psf.shape, spec.psf);
    const double scale = kernel_scale(blur_of(spec), psf);
    spec.origin = Origin::at(resolve_origin(blur_of(spec), &psf));
    device.implementation().reset_peak();
    const Limits limits = device.limits();
    loaded = load_replanning(
        device, options.plan, {options.trace_memory, sentinels_wanted(options.sentinels)},
        [&](const PlanOptions& plan_options) { return make_plan(spec, limits, plan_options); },
        [](const DeconvolutionPlan& plan) { return plan.convolution.path; });
    with_real(
        [&](auto real) { write_kernel(loaded.plan.convolution, psf, scale, port<decltype(real)>(ports::kernel)); });
    pass(Section::setup);
    loaded.session->end_setup();
    loaded.session->check_sentinels();
    trace("PSF spectrum");
  }

  ~State() {
    loaded.session.reset();
    trace("end");
  }

  void trace(const std::string& step) const {
    if (options.trace_memory) options.trace_memory(step, device.used_bytes());
  }

  template <class Real>
  Real* port(PortId id) const {
    return reinterpret_cast<Real*>(loaded.session->port(id, 0));
  }
  void pass(Section section, Index times = 1) const {
    loaded.session->submit(section, 0, static_cast<int>(times));
    loaded.session->wait(0);
  }
  bool wants_sums() const { return options.curve || options.progress || spec.stop_relative_change > 0; }
  bool wants_every_sum() const { return options.curve || spec.stop_relative_change > 0; }

  void start(const ImageView& image, const std::optional<ImageView>& mask, const ObservedCounts& counts) const;
  Course iterate() const;
  void iterate_batch(Index batch, Course& course) const;
  void measure(Course& course) const;
  void complete_curve(Course& course) const;
  std::array<double, kNumQuantities> totals() const;
  OutputSums finish(const MutableImageView& output) const;
};

/// Uploads data and scalars.
void Deconvolver::State::start(const ImageView& image, const std::optional<ImageView>& mask,
                               const ObservedCounts& counts) const {
  const double mean = counts.sum / static_cast<double>(counts.data);
  const double least_start = kLeastStart * mean;
  with_real([&](auto type) {
    using Real = decltype(type);
    write_observed(loaded.plan, image, mask, port<Real>(deconvolution_ports::observed));
    Real* scalars = port<Real>(deconvolution_ports::scalars);
    scalars[0] = static_cast<Real>(std::max(mean - spec.background, least_start));
    scalars[1] = static_cast<Real>(least_start);
    scalars[2] = static_cast<Real>(std::max(kLeastBlurred * mean, 1e-30));
    scalars[3] = static_cast<Real>(spec.background);
  });
  pass(Section::run);
  trace("data and start");
}

std::array<double, kNumQuantities> Deconvolver::State::totals() const {
  std::array<double, kNumQuantities> totals{};
  with_real([&](auto type) {
    const auto* sums = port<decltype(type)>(deconvolution_ports::sums);
    for (double& total : totals) {
      total = std::accumulate(sums, sums + kSumsPerQuantity, 0.0);
      sums += kSumsPerQuantity;
    }
  });
  return totals;
}

/// One iteration. Its sums tell the divergence and flux of the estimate it began with, and how far the new one is.
void Deconvolver::State::measure(Course& course) const {
  pass(Section::measure);
  ++course.done;
  const auto [divergence, flux, total, change] = totals();
  course.last_change = total > 0 ? change / total : 0;
  if (!options.curve) return;
  if (course.curve.empty()) course.curve.emplace_back();
  course.curve.back().divergence = divergence;
  course.curve.back().modelled_flux = flux;
  course.curve.push_back({course.done, 0, 0, course.last_change});
}

void Deconvolver::State::iterate_batch(Index batch, Course& course) const {
  const bool measured = wants_sums();
  const Index plain = measured ? batch - 1 : batch;
  if (plain > 0) pass(Section::iterate, plain);
  course.done += plain;
  if (measured) measure(course);
}

Course Deconvolver::State::iterate() const {
  const auto begin = Clock::now();
  Course course;
  double seconds_of_one = 0;
  while (course.done < spec.iterations) {
    const auto batch_begin = Clock::now();
    const Index batch = wants_every_sum() ? 1 : next_batch(spec.iterations - course.done, seconds_of_one);
    iterate_batch(batch, course);
    seconds_of_one = seconds_since(batch_begin) / static_cast<double>(batch);
    if (options.progress &&
        !options.progress({course.done, spec.iterations, course.last_change, seconds_since(begin)}) &&
        course.done < spec.iterations) {
      throw Error(Errc::cancelled, fmt::format("stopped after iteration {} of {}", course.done, spec.iterations));
    }
    if (course.last_change < spec.stop_relative_change) {
      course.reason = StopReason::relative_change;
      break;
    }
  }
  return course;
}

OutputSums Deconvolver::State::finish(const MutableImageView& output) const {
  pass(Section::finish);
  trace("result");
  return with_real([&](auto type) {
    using Real = decltype(type);
    const Real* result = port<Real>(deconvolution_ports::output);
    const Plan tile = image_tile(loaded.plan);
    return scatter_tile(tile, tile_outputs(tile, {0, 0, 0}), result, output);
  });
}

/// The divergence of the last estimate comes from one iteration more, whose result nobody takes.
void Deconvolver::State::complete_curve(Course& course) const {
  pass(Section::measure);
  const auto sums = totals();
  if (course.curve.empty()) course.curve.emplace_back();
  course.curve.back().divergence = sums[0];
  course.curve.back().modelled_flux = sums[1];
}

Deconvolver::Deconvolver(const DeconvolutionSpec& spec, const ImageView& psf, Device device,
                         const DeconvolverOptions& options)
    : state_(std::make_unique<State>(spec, psf, std::move(device), options)) {}
Deconvolver::~Deconvolver() = default;
Deconvolver::Deconvolver(Deconvolver&&) noexcept = default;
Deconvolver& Deconvolver::operator=(Deconvolver&&) noexcept = default;

const DeconvolutionPlan& Deconvolver::plan() const { return state_->loaded.plan; }

DeconvolutionReport Deconvolver::run(const ImageView& image, const MutableImageView& output,
                                     const std::optional<ImageView>& mask) {
  const auto begin = Clock::now();
  const DeconvolutionSpec& spec = state_->spec;
  require_data("image", image.data);
  require_data("output", output.data);
  require_shape("image", image.shape, spec.image);
  require_shape("output", output.shape, spec.image);
  require_apart(image, output);
  if (mask) {
    require_data("mask", mask->data);
    require_shape("mask", mask->shape, spec.image);
    require_apart(*mask, output);
  }
  const ObservedCounts counts = inspect(spec, image, mask);
  require_data_somewhere(counts, spec);

  state_->start(image, mask, counts);
  const auto iterating = Clock::now();
  Course course = state_->iterate();
  DeconvolutionReport report;
  report.iterating_seconds = seconds_since(iterating);
  const OutputSums sums = state_->finish(output);
  if (state_->options.curve) state_->complete_curve(course);
  state_->loaded.session->check_sentinels();

  report.iterations = course.done;
  report.stop_reason = course.reason;
  report.curve = std::move(course.curve);
  report.peak_device_bytes = state_->device.implementation().peak_bytes();
  report.missing_voxels = num_voxels(spec.image) - counts.data;
  report.non_finite_voxels = counts.non_finite;
  report.saturated_input_voxels = counts.saturated;
  report.negative_voxels = counts.negative;
  report.saturated_voxels = sums.saturated;
  report.input_sum = counts.sum;
  report.output_sum = sums.sum;
  report.elapsed_seconds = seconds_since(begin);
  return report;
}

}  // namespace convoy
