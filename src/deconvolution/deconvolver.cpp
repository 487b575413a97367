#include <fmt/format.h>

#include <optional>

#include "base/dense_view.hpp"
#include "base/stop_watch.hpp"
#include "convoy/deconvolution.hpp"
#include "convoy/error.hpp"
#include "deconvolution/fast_tiles.hpp"
#include "deconvolution/observed_data.hpp"
#include "deconvolution/prepared_psf.hpp"
#include "deconvolution/restorer.hpp"
#include "deconvolution/spec.hpp"
#include "engine/checks.hpp"
#include "engine/run_options.hpp"
#include "planner/origin.hpp"

namespace convoy {
namespace {

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

}  // namespace

struct Deconvolver::State {
  DeconvolutionSpec spec;  // settled, with the origin resolved
  Device device;
  DeconvolverOptions options;
  RunProgress progress{options};
  PsfReport psf_report;
  std::unique_ptr<Restorer> restorer;

  State(const DeconvolutionSpec& given, const ImageView& psf, Device on, const DeconvolverOptions& with)
      : spec(settled(given)), device(std::move(on)), options(with) {
    const StopScope stop(options.stop);
    require_data("PSF", psf.data);
    require_real("PSF", psf.element);
    validate(spec);
    require_shape("PSF", psf.shape, spec.psf);
    spec.origin = Origin::at(resolve_origin(blur_of(spec), &psf));
    const PreparedPsf prepared = prepare_psf(spec, psf);
    psf_report = prepared.report;
    implementation_of(device).reset_peak();
    const EngineTask task{spec,           prepared.view, prepared.sum, prepared.reach,
                          prepared.scale, device,        options,      [this] { return progress.keep_going(); }};
    restorer = std::make_unique<Restorer>(task, prepared.magnitude, options, progress);
    trace("PSF spectrum");
  }

  ~State() {
    restorer.reset();
    try {
      trace("end");
    } catch (...) {  // of the caller's function: a destructor cannot pass it on
    }
  }

  const DeconvolutionPlan& plan() const { return restorer->plan(); }
  void trace(const std::string& step) const {
    if (options.trace_memory) options.trace_memory(step, device.used_bytes());
  }
  Index num_iterations() const { return spec.iterations * (plan().fast ? plan().fast->num_tiles() : 1); }

  DeconvolutionReport restore(const Observed& observed, BoxSink& output);
  Course restore_whole(const Observed& observed, BoxSink& output, const ObservedCounts& counts,
                       DeconvolutionReport& report);
  Course restore_tiles(const Observed& observed, BoxSink& output, const ObservedCounts& counts,
                       DeconvolutionReport& report);
};

Course Deconvolver::State::restore_whole(const Observed& observed, BoxSink& output, const ObservedCounts& counts,
                                         DeconvolutionReport& report) {
  const Box whole{{0, 0, 0}, spec.image};
  const auto iterating = Clock::now();
  Course course = restorer->restore(observed, whole, counts);
  report.iterating_seconds = seconds_since(iterating);
  const OutputSums sums = restorer->finish(output.begin(whole), output_scale(plan(), counts));
  output.end(whole);
  restorer->complete_curve(course);
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
  const FastTiling& tiling = *plan().fast;
  std::vector<std::byte> restored(real_bytes(spec.precision) * static_cast<std::size_t>(num_voxels(tiling.tile)));
  const Element element = spec.precision == Precision::f32 ? Element::f32 : Element::f64;
  TileJoiner joiner(output, tiling, output_scale(plan(), counts));
  Course course;
  for (Index t = 0; t < tiling.num_tiles(); ++t) {
    const FastTile tile = fast_tile(tiling, spec.image, t);
    if (output.holds(tile.core)) {
      joiner.pass_over(tile);
      progress.pass_over(spec.iterations);
      ++report.skipped_tiles;
      continue;
    }
    const auto iterating = Clock::now();
    course = restorer->restore(observed, tile.whole, counts);
    report.iterating_seconds += seconds_since(iterating);
    restorer->finish({restored.data(), element, tiling.tile}, {});
    joiner.add(tile, restored, element);
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
  if (!plan().fast && output.holds({{0, 0, 0}, spec.image})) {
    report.skipped_tiles = 1;
    progress.pass_over(num_iterations());
    return report;
  }
  const ObservedCounts counts = inspect(spec, observed);
  require_data_somewhere(counts, spec);
  Course course =
      plan().fast ? restore_tiles(observed, output, counts, report) : restore_whole(observed, output, counts, report);
  restorer->check_sentinels();
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

Deconvolver::Deconvolver(const DeconvolutionSpec& spec, const ImageView& psf, Device device,
                         const DeconvolverOptions& options)
    : state_(std::make_unique<State>(spec, DenseView(psf).view(), std::move(device), options)) {}
Deconvolver::~Deconvolver() = default;
Deconvolver::Deconvolver(Deconvolver&&) noexcept = default;
Deconvolver& Deconvolver::operator=(Deconvolver&&) noexcept = default;

const DeconvolutionPlan& Deconvolver::plan() const { return state_->plan(); }
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
  state.progress.begin(state.num_iterations());
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
  state.progress.begin(num_images * state.num_iterations());
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

}  // namespace convoy
