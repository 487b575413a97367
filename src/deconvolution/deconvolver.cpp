#include <fmt/format.h>

#include <optional>

#include "base/dense_view.hpp"
#include "base/stop_scope.hpp"
#include "base/stop_watch.hpp"
#include "convoy/deconvolution.hpp"
#include "convoy/error.hpp"
#include "deconvolution/restoration_run.hpp"
#include "deconvolution/shared_plan.hpp"
#include "deconvolution/spec.hpp"
#include "engine/checks.hpp"
#include "engine/run_options.hpp"

namespace convoy::inline v0 {
namespace {

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
  blur.region = spec.region;
  if (spec.num_psfs == 1) return blur;
  blur.num_kernels = blur.batch = spec.num_psfs;
  blur.pairing = Pairing::each;
  return blur;
}

}  // namespace

struct Deconvolver::State {
  DeconvolverOptions options;
  RunProgress progress{options};
  PsfSet psfs;
  RestoringDevices devices;

  State(const DeconvolutionSpec& given, const ImageView& psf, const std::vector<Device>& on,
        const DeconvolverOptions& with)
      : State(checked(given, psf), psf, on, with, StopScope(with.stop)) {}

  State(const DeconvolutionSpec& spec, const ImageView& psf, const std::vector<Device>& on,
        const DeconvolverOptions& with, const StopScope&)
      : options(limited(with)), psfs(spec, psf), devices(psfs, on, options, progress) {
    psfs.end_borrowing();
    trace("PSF spectrum");
  }

  ~State() {
    devices.release();
    try {
      trace("end");
    } catch (...) {  // of the caller's function: a destructor cannot pass it on
    }
  }

  static DeconvolverOptions limited(DeconvolverOptions options) {
    options.plan = with_host_limit(options.plan);
    return options;
  }
  static DeconvolutionSpec checked(const DeconvolutionSpec& given, const ImageView& psf) {
    DeconvolutionSpec spec = settled(given);
    require_data("PSF", psf.data);
    require_real("PSF", psf.element);
    validate(spec);
    require_images("PSF", psf, spec.psf, spec.num_psfs);
    return spec;
  }

  const DeconvolutionSpec& spec() const { return psfs.spec(0); }
  void trace(const std::string& step) const {
    if (options.trace_memory) options.trace_memory(step, devices.used_bytes());
  }

  DeconvolutionReport run(const RunImages& images, Clock::time_point begin) {
    DeconvolutionReport report = RestorationRun(psfs, devices, progress, images).run();
    report.elapsed_seconds = seconds_since(begin);
    return report;
  }
};

Deconvolver::Deconvolver(const DeconvolutionSpec& spec, const ImageView& psf, Device device,
                         const DeconvolverOptions& options)
    : Deconvolver(spec, psf, std::vector<Device>{std::move(device)}, options) {}
Deconvolver::Deconvolver(const DeconvolutionSpec& spec, const ImageView& psf, const std::vector<Device>& devices,
                         const DeconvolverOptions& options)
    : state_(std::make_unique<State>(spec, psf, devices, options)) {}
Deconvolver::~Deconvolver() = default;
Deconvolver::Deconvolver(Deconvolver&&) noexcept = default;
Deconvolver& Deconvolver::operator=(Deconvolver&&) noexcept = default;

const DeconvolutionPlan& Deconvolver::plan() const { return state_->devices.plan(); }
const PsfReport& Deconvolver::psf(Index number) const { return state_->psfs.report(number); }

DeconvolutionReport Deconvolver::run(const ImageView& image, const MutableImageView& output,
                                     const std::optional<ImageView>& mask, const DeconvolverRunOptions& options) {
  const auto begin = Clock::now();
  State& state = *state_;
  const UseRunOptions use(state.options, options);
  const DeconvolutionSpec& spec = state.spec();
  state.devices.require_alive();
  const Index batch = image.batch;
  state.psfs.require_images_for_each(batch);
  require_images("image", image, spec.image, batch);
  require_real("image", image.element);
  require_real("output", output.element);
  require_writable_images("output", output, output_shape(spec), batch);
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
  RunImages images;
  if (mask) images.masks.push_back(std::make_unique<MemoryBoxes>(dense_mask.view()));
  for (Index i = 0; i < batch; ++i) {
    images.images.push_back(std::make_unique<MemoryBoxes>(dense.view().image(i)));
    images.outputs.push_back(std::make_unique<MemoryOutput>(output.image(i)));
  }
  return state.run(images, begin);
}

DeconvolutionReport Deconvolver::run(const ImageReaders& images, const ImageWriters& outputs, const ImageReaders& masks,
                                     const DeconvolverRunOptions& options) {
  const auto begin = Clock::now();
  State& state = *state_;
  const UseRunOptions use(state.options, options);
  state.devices.require_alive();
  require_streams(images, outputs, blur_of_images(state.spec()));
  require_masks(masks, images.size(), state.spec());
  RunImages streams;
  for (const ImageReader* image : images) streams.images.push_back(std::make_unique<ReaderBoxes>(*image));
  for (const ImageReader* mask : masks) streams.masks.push_back(std::make_unique<ReaderBoxes>(*mask));
  for (ImageWriter* output : outputs) streams.outputs.push_back(std::make_unique<WriterOutput>(*output));
  return state.run(streams, begin);
}

}  // namespace convoy::inline v0
