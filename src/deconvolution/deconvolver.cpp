#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/dense_view.hpp"
#include "base/stop_watch.hpp"
#include "convoy/deconvolution.hpp"
#include "convoy/error.hpp"
#include "deconvolution/engine.hpp"
#include "deconvolution/fast_tiles.hpp"
#include "deconvolution/observed_data.hpp"
#include "deconvolution/prepared_psf.hpp"
#include "deconvolution/program.hpp"
#include "deconvolution/spec.hpp"
#include "deconvolution/sum_threads.hpp"
#include "engine/checks.hpp"
#include "engine/run_options.hpp"
#include "engine/scatter.hpp"
#include "kernels/deconvolution_kernels.hpp"
#include "planner/lengths.hpp"
#include "planner/origin.hpp"

namespace convoy {
namespace {

/// Between two of these the host looks whether to go on; devices shared with a screen allow no longer batches.
constexpr double kBatchSeconds = 0.1;
/// A blurred value counts as at least this part of the data's mean: what is below is rounding errors.
constexpr double kLeastBlurred = 1e-6;
/// A start value counts as at least this part of the data's mean: voxels that start at 0 stay there.
constexpr double kLeastStart = 0.01;
/// Start values, in the device's unit, are not above this, which can be summed up over any frame.
constexpr double kHighestStart = 1e15;
/// Slopes below this part of the data's mean count as flat for total variation.
constexpr double kSoftness = 1e-3;
/// All three are at least this, in the device's unit: dark images have no mean, and squares must not vanish.
constexpr double kLeastThreshold = 1e-15;

/// The image as a tile of its own, in the plan's order of axes.
Plan image_tile(const DeconvolutionPlan& plan, const Plan& layout) {
  Plan tile;
  tile.device_axes = layout.device_axes;
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

void require_masks_allowed(const DeconvolutionSpec& spec) {
  if (spec.compatibility != Compatibility::skimage) return;
  throw Error(Errc::invalid_argument, "scikit-image knows no masks; leave the mask or the compatibility out");
}

/// None, one for all images, or one for each.
void require_masks(const ImageReaders& masks, std::size_t num_images, const DeconvolutionSpec& spec) {
  if (masks.empty()) return;
  require_masks_allowed(spec);
  if (masks.size() != 1 && masks.size() != num_images) {
    throw Error(Errc::invalid_argument,
                fmt::format("{} masks for {} images; give one for all, or one for each", masks.size(), num_images));
  }
  for (const ImageReader* mask : masks) {
    require_data("mask", mask);
    require_shape("mask", mask->shape(), spec.image);
  }
}

/// A convolution whose images and outputs are the restoration's.
ConvolutionSpec blur_of_images(const DeconvolutionSpec& spec) {
  ConvolutionSpec blur;
  blur.image = spec.image;
  return blur;
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
  DeconvolutionSpec spec;  // settled, with the origin resolved
  Device device;
  DeconvolverOptions options;
  double psf_magnitude = 1;  // sum of the magnitudes of the device's PSF
  PsfReport psf_report;
  DeconvolutionPlan plan;
  std::unique_ptr<DeconvolutionEngine> engine;  // of the image, or of one fast tile
  DeconvolutionProgress progress;

  State(const DeconvolutionSpec& given, const ImageView& psf, Device on, const DeconvolverOptions& with)
      : spec(settled(given)), device(std::move(on)), options(with) {
    const StopScope stop(options.stop);
    require_data("PSF", psf.data);
    require_real("PSF", psf.element);
    validate(spec);
    require_shape("PSF", psf.shape, spec.psf);
    spec.origin = Origin::at(resolve_origin(blur_of(spec), &psf));
    const PreparedPsf prepared = prepare_psf(spec, psf);
    psf_magnitude = prepared.magnitude;
    psf_report = prepared.report;
    implementation_of(device).reset_peak();
    auto made = make_engine({spec, prepared.view, prepared.sum, prepared.reach, prepared.scale, device, options,
                             [this] { return keep_going(); }});
    plan = std::move(made.plan);
    engine = std::move(made.engine);
    if (plan.fast) options.curve = false;
    trace("PSF spectrum");
  }

  ~State() {
    engine.reset();
    try {
      trace("end");
    } catch (...) {  // of the caller's function: a destructor cannot pass it on
    }
  }

  /// Calls function(Real{}) with the plan's precision.
  template <class Function>
  decltype(auto) with_real(const Function& function) const {
    return spec.precision == Precision::f32 ? function(float{}) : function(double{});
  }
  template <class Real>
  Real* port(PortId id) const {
    return reinterpret_cast<Real*>(engine->port(id));
  }
  void trace(const std::string& step) const {
    if (options.trace_memory) options.trace_memory(step, device.used_bytes());
  }
  Index num_iterations() const { return spec.iterations * (plan.fast ? plan.fast->num_tiles() : 1); }
  bool keep_going() const { return !options.progress || options.progress(progress); }
  bool wants_sums() const { return options.curve || options.progress || spec.stop_relative_change > 0; }
  bool wants_every_sum() const { return options.curve || spec.stop_relative_change > 0; }

  void start(const Observed& observed, const Box& box, const ObservedCounts& counts) const;
  std::array<double, kNumScalars> scalars(const ObservedCounts& counts) const;
  std::array<double, kNumScalars> scalars_of_skimage(const ObservedCounts& counts) const;
  DeconvolutionReport restore(const Observed& observed, BoxSink& output);
  Course restore_whole(const Observed& observed, BoxSink& output, const ObservedCounts& counts,
                       DeconvolutionReport& report);
  Course restore_tiles(const Observed& observed, BoxSink& output, const ObservedCounts& counts,
                       DeconvolutionReport& report);
  Course iterate();
  void iterate_batch(Index batch, Course& course) const;
  void measure(Course& course) const;
  void complete_curve(Course& course) const;
  std::array<double, kNumQuantities> totals() const;
  OutputScale output_scale(const ObservedCounts& counts) const;
  OutputSums finish(const MutableImageView& output, const OutputScale& scale) const;
};

std::array<double, kNumScalars> Deconvolver::State::scalars(const ObservedCounts& counts) const {
  namespace s = kernels::scalars;
  static_assert(s::count == kNumScalars);
  if (spec.compatibility == Compatibility::skimage) return scalars_of_skimage(counts);
  const double background = spec.background / counts.unit;
  const bool wiener = spec.algorithm == Algorithm::wiener;
  std::array<double, kNumScalars> values{};
  values[s::least_start] = kLeastStart * counts.mean;
  values[s::start] = wiener ? counts.mean - background : std::max(counts.mean - background, values[s::least_start]);
  if (spec.start == Start::value) {
    values[s::start] = std::clamp(spec.start_value / counts.unit * plan.psf_sum, kLeastThreshold, kHighestStart);
  }
  values[s::image_share] = spec.start == Start::image ? 1 : counts.signal_share;
  values[s::least_blurred] = std::max(kLeastBlurred * counts.mean, kLeastThreshold);
  values[s::background] = background;
  values[s::step] = 1 / (psf_magnitude * psf_magnitude);
  values[s::softness] = std::max(kSoftness * counts.mean, kLeastThreshold);
  return values;
}

/// Its start value and the 1e-12 of its divisor scale along. Where they leave the range that can be summed up over the
/// frame, both are moved by one factor: the first iteration's result does not depend on the start value.
std::array<double, kNumScalars> Deconvolver::State::scalars_of_skimage(const ObservedCounts& counts) const {
  namespace s = kernels::scalars;
  constexpr double kNone = -1e38;
  constexpr double kStart = 0.5;
  const double highest = std::min(1e25, 1e36 / (static_cast<double>(num_voxels(plan.frame())) * psf_magnitude));
  std::array<double, kNumScalars> values{};
  values[s::start] = std::clamp(kStart / counts.unit, 1e-10, highest);
  values[s::least_blurred] = kNone;
  values[s::background] = 1e-12 * std::min(1 / counts.unit, highest / kStart);
  values[s::least_correction] = kNone;
  return values;
}

OutputScale Deconvolver::State::output_scale(const ObservedCounts& counts) const {
  if (spec.compatibility == Compatibility::skimage) return {counts.unit, -1, 1};
  return {std::min(counts.unit / plan.psf_sum, std::numeric_limits<double>::max())};
}

/// Uploads data and scalars.
void Deconvolver::State::start(const Observed& observed, const Box& box, const ObservedCounts& counts) const {
  std::vector<std::byte> voxels;
  std::vector<std::byte> mask_voxels;
  const ImageView image = observed.image.read(box, voxels);
  std::optional<ImageView> mask;
  if (observed.mask != nullptr) mask = observed.mask->read(box, mask_voxels);
  with_real([&](auto type) {
    using Real = decltype(type);
    write_observed(engine->plan(), engine->layout(), image, mask, counts.unit,
                   port<Real>(deconvolution_ports::observed));
    const auto values = scalars(counts);
    std::transform(values.begin(), values.end(), port<Real>(deconvolution_ports::scalars),
                   [](double value) { return static_cast<Real>(value); });
  });
  engine->pass(Section::run, 1);
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

/// One iteration. Its sums give the divergence and flux of the estimate it began with, and how far the new one is.
void Deconvolver::State::measure(Course& course) const {
  engine->pass(Section::measure, 1);
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
  if (plain > 0) engine->pass(Section::iterate, plain);
  course.done += plain;
  if (measured) measure(course);
}

Course Deconvolver::State::iterate() {
  const auto begin = Clock::now();
  Course course;
  double seconds_of_one = 0;
  const Index done_before = progress.iterations_done;
  const Index in_all = progress.num_iterations;
  const double seconds_before = progress.elapsed_seconds;
  while (course.done < spec.iterations) {
    throw_if_stopped();
    const auto batch_begin = Clock::now();
    const Index batch = wants_every_sum() ? 1 : next_batch(spec.iterations - course.done, seconds_of_one);
    iterate_batch(batch, course);
    seconds_of_one = seconds_since(batch_begin) / static_cast<double>(batch);
    progress = {done_before + course.done, in_all, course.last_change, seconds_before + seconds_since(begin)};
    if (!keep_going() && progress.iterations_done < in_all) {
      throw Error(Errc::cancelled, fmt::format("stopped after iteration {} of {}", progress.iterations_done, in_all));
    }
    if (course.last_change < spec.stop_relative_change) {
      course.reason = StopReason::relative_change;
      break;
    }
  }
  return course;
}

OutputSums Deconvolver::State::finish(const MutableImageView& output, const OutputScale& scale) const {
  engine->pass(Section::finish, 1);
  trace("result");
  return with_real([&](auto type) {
    using Real = decltype(type);
    const Real* values = port<Real>(deconvolution_ports::output);
    const Plan tile = image_tile(engine->plan(), engine->layout());
    return scatter_tile(tile, tile_outputs(tile, {0, 0, 0}), values, output, {}, scale);
  });
}

Course Deconvolver::State::restore_whole(const Observed& observed, BoxSink& output, const ObservedCounts& counts,
                                         DeconvolutionReport& report) {
  const Box whole{{0, 0, 0}, spec.image};
  start(observed, whole, counts);
  const auto iterating = Clock::now();
  Course course = iterate();
  report.iterating_seconds = seconds_since(iterating);
  const OutputSums sums = finish(output.begin(whole), output_scale(counts));
  output.end(whole);
  if (options.curve && spec.algorithm != Algorithm::wiener) complete_curve(course);
  for (IterationSums& of_iteration : course.curve) {
    of_iteration.divergence *= counts.unit;
    of_iteration.modelled_flux *= counts.unit;
  }
  report.output_sum = sums.sum;
  report.saturated_voxels = sums.saturated;
  return course;
}

Course Deconvolver::State::restore_tiles(const Observed& observed, BoxSink& output, const ObservedCounts& counts,
                                         DeconvolutionReport& report) {
  const FastTiling& tiling = *plan.fast;
  std::vector<std::byte> restored(real_bytes(spec.precision) * static_cast<std::size_t>(num_voxels(tiling.tile)));
  const Element element = spec.precision == Precision::f32 ? Element::f32 : Element::f64;
  TileJoiner joiner(output, tiling, output_scale(counts));
  Course course;
  for (Index t = 0; t < tiling.num_tiles(); ++t) {
    const FastTile tile = fast_tile(tiling, spec.image, t);
    const Index done_with_it = progress.iterations_done + spec.iterations;
    if (output.holds(tile.core)) {
      joiner.pass_over(tile);
      ++report.skipped_tiles;
    } else {
      start(observed, tile.whole, counts);
      const auto iterating = Clock::now();
      course = iterate();
      report.iterating_seconds += seconds_since(iterating);
      finish({restored.data(), element, tiling.tile}, {});
      with_real([&](auto type) { joiner.add(tile, reinterpret_cast<const decltype(type)*>(restored.data())); });
    }
    progress.iterations_done = done_with_it;
  }
  report.output_sum = joiner.sums().sum;
  report.saturated_voxels = joiner.sums().saturated;
  report.seam = joiner.seam();
  return course;
}

/// One image. Progress goes on from where it is.
DeconvolutionReport Deconvolver::State::restore(const Observed& observed, BoxSink& output) {
  DeconvolutionReport report;
  report.psf = psf_report;
  const Index done_with_it = progress.iterations_done + num_iterations();
  if (!plan.fast && output.holds({{0, 0, 0}, spec.image})) {
    report.skipped_tiles = 1;
    progress.iterations_done = done_with_it;
    return report;
  }
  const ObservedCounts counts = inspect(spec, observed);
  require_data_somewhere(counts, spec);
  Course course =
      plan.fast ? restore_tiles(observed, output, counts, report) : restore_whole(observed, output, counts, report);
  engine->check_sentinels();
  progress.iterations_done = done_with_it;
  report.iterations = course.done;
  report.stop_reason = course.reason;
  report.curve = std::move(course.curve);
  report.missing_voxels = num_voxels(spec.image) - counts.data;
  report.non_finite_voxels = counts.non_finite;
  report.saturated_input_voxels = counts.saturated;
  report.negative_voxels = counts.negative;
  report.negative_sum = counts.negative_sum;
  report.input_sum = counts.sum;
  return report;
}

/// The divergence of the last estimate comes from one iteration more, whose result is not used.
void Deconvolver::State::complete_curve(Course& course) const {
  engine->pass(Section::measure, 1);
  const auto sums = totals();
  if (course.curve.empty()) course.curve.emplace_back();
  course.curve.back().divergence = sums[0];
  course.curve.back().modelled_flux = sums[1];
}

Deconvolver::Deconvolver(const DeconvolutionSpec& spec, const ImageView& psf, Device device,
                         const DeconvolverOptions& options)
    : state_(std::make_unique<State>(spec, DenseView(psf).view(), std::move(device), options)) {}
Deconvolver::~Deconvolver() = default;
Deconvolver::Deconvolver(Deconvolver&&) noexcept = default;
Deconvolver& Deconvolver::operator=(Deconvolver&&) noexcept = default;

const DeconvolutionPlan& Deconvolver::plan() const { return state_->plan; }
const PsfReport& Deconvolver::psf() const { return state_->psf_report; }

DeconvolutionReport Deconvolver::run(const ImageView& image, const MutableImageView& output,
                                     const std::optional<ImageView>& mask, const DeconvolverRunOptions& options) {
  const auto begin = Clock::now();
  State& state = *state_;
  const UseRunOptions use(state.options, options);
  const DeconvolutionSpec& spec = state.spec;
  static_cast<void>(implementation_of(state.device));  // still this process' own
  require_images("image", image, spec.image, 1);
  require_real("image", image.element);
  require_real("output", output.element);
  require_writable_images("output", output, spec.image, 1);
  require_apart(image, output);
  if (mask) {
    require_images("mask", *mask, spec.image, 1);
    require_real("mask", mask->element);
    require_apart(*mask, output);
    require_masks_allowed(spec);
  }
  // Iterations take far longer than a copy of what is not dense.
  const DenseView dense(image);
  const DenseView dense_mask(mask.value_or(ImageView()));
  const MemoryBoxes data(dense.view());
  const MemoryBoxes mask_data(dense_mask.view());
  MemoryOutput restored(output);
  state.progress = {0, state.num_iterations(), std::numeric_limits<double>::quiet_NaN(), 0};
  DeconvolutionReport report = state.restore({data, mask ? &mask_data : nullptr}, restored);
  report.peak_device_bytes = implementation_of(state.device).peak_bytes();
  report.elapsed_seconds = seconds_since(begin);
  return report;
}

DeconvolutionReport Deconvolver::run(const ImageReaders& images, const ImageWriters& outputs, const ImageReaders& masks,
                                     const DeconvolverRunOptions& options) {
  const auto begin = Clock::now();
  State& state = *state_;
  const UseRunOptions use(state.options, options);
  static_cast<void>(implementation_of(state.device));
  require_streams(images, outputs, blur_of_images(state.spec));
  require_masks(masks, images.size(), state.spec);
  const auto num_images = static_cast<Index>(images.size());
  state.progress = {0, num_images * state.num_iterations(), std::numeric_limits<double>::quiet_NaN(), 0};
  DeconvolutionReport all;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const ReaderBoxes data(*images[i]);
    std::optional<ReaderBoxes> mask;
    if (!masks.empty()) mask.emplace(*masks[masks.size() == 1 ? 0 : i]);
    WriterOutput restored(*outputs[i]);
    all.add(state.restore({data, mask ? &*mask : nullptr}, restored));
  }
  all.peak_device_bytes = implementation_of(state.device).peak_bytes();
  all.elapsed_seconds = seconds_since(begin);
  return all;
}

void DeconvolutionReport::add(const DeconvolutionReport& other) {
  iterations = std::max(iterations, other.iterations);
  if (other.iterations > 0) stop_reason = other.stop_reason;
  if (curve.empty()) curve = other.curve;
  elapsed_seconds += other.elapsed_seconds;
  iterating_seconds += other.iterating_seconds;
  peak_device_bytes = std::max(peak_device_bytes, other.peak_device_bytes);
  skipped_tiles += other.skipped_tiles;
  missing_voxels += other.missing_voxels;
  non_finite_voxels += other.non_finite_voxels;
  saturated_input_voxels += other.saturated_input_voxels;
  negative_voxels += other.negative_voxels;
  negative_sum += other.negative_sum;
  saturated_voxels += other.saturated_voxels;
  input_sum += other.input_sum;
  output_sum += other.output_sum;
  const auto squared_voxels = [](const SeamError& error) {
    return error.relative_l2 * error.relative_l2 * static_cast<double>(error.voxels);
  };
  const double squared = squared_voxels(seam) + squared_voxels(other.seam);
  seam.voxels += other.seam.voxels;
  if (seam.voxels > 0) seam.relative_l2 = std::sqrt(squared / static_cast<double>(seam.voxels));
  seam.largest_difference = std::max(seam.largest_difference, other.seam.largest_difference);
  psf = other.psf;
}

}  // namespace convoy
