#include <chrono>
#include <vector>

#include "convoy/convolution.hpp"
#include "exec/callers_kernel.hpp"
#include "exec/checks.hpp"
#include "exec/file_tiles.hpp"
#include "exec/loaded_plan.hpp"
#include "exec/memory_tiles.hpp"

namespace convoy {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

}  // namespace

struct Convolver::State {
  ConvolutionSpec spec;  // with the origin resolved
  Device device;
  ConvolverOptions options;
  LoadedPlan loaded;

  State(const ConvolutionSpec& given, const ImageView& kernel, Device on, const ConvolverOptions& with)
      : spec(given), device(std::move(on)), options(with) {
    const double scale = resolve_spec(spec, kernel);
    device.implementation().reset_peak();
    loaded = load_plan(spec, device, options);
    set_up_kernel(*loaded.session, loaded.plan, kernel, scale);
    trace("kernel spectrum");
  }

  ~State() {
    loaded.session.reset();
    trace("end");
  }

  void trace(const std::string& step) const {
    if (options.trace_memory) options.trace_memory(step, device.used_bytes());
  }

  RunReport run(Clock::time_point start, const std::vector<Index>& tiles, TileSource& source, TileSink& sink) {
    const backend::Device& on = device.implementation();
    RunReport report = run_tiles(loaded, tiles, options, source, sink, [&] { return on.used_bytes(); });
    report.peak_device_bytes = on.peak_bytes();
    report.elapsed_seconds = seconds_since(start);
    return report;
  }
};

Convolver::Convolver(const ConvolutionSpec& spec, const ImageView& kernel, Device device,
                     const ConvolverOptions& options)
    : state_(std::make_unique<State>(spec, kernel, std::move(device), options)) {}
Convolver::~Convolver() = default;
Convolver::Convolver(Convolver&&) noexcept = default;
Convolver& Convolver::operator=(Convolver&&) noexcept = default;

const Plan& Convolver::plan() const { return state_->loaded.plan; }
Shape Convolver::output_shape() const { return convoy::output_shape(state_->spec); }

RunReport Convolver::run(const ImageView& image, const MutableImageView& output) {
  const auto start = Clock::now();
  require_data("image", image.data);
  require_data("output", output.data);
  require_shape("image", image.shape, state_->spec.image);
  require_shape("output", output.shape, output_shape());
  require_apart(image, output);
  const backend::Device& device = state_->device.implementation();
  return state_->run(start, all_tiles(plan()), *tiles_of_image(state_->loaded, device, image),
                     *tiles_to_output(state_->loaded, device, output));
}

RunReport Convolver::run(const ImageReader& image, ImageWriter& output) {
  const auto start = Clock::now();
  require_shape("image", image.shape(), state_->spec.image);
  require_shape("output", output.shape(), output_shape());
  const std::vector<Index> tiles = missing_tiles(plan(), output);
  return state_->run(start, tiles, *tiles_of_reader(state_->loaded, image, tiles),
                     *tiles_to_writer(state_->loaded, output));
}

std::vector<float> convolve(const ImageView& image, const ImageView& kernel, ConvolutionSpec spec, Device device) {
  spec.image = image.shape;
  spec.kernel = kernel.shape;
  Convolver convolver(spec, kernel, std::move(device));
  std::vector<float> output(static_cast<std::size_t>(num_voxels(convolver.output_shape())));
  convolver.run(image, MutableImageView(std::span(output), convolver.output_shape()));
  return output;
}

}  // namespace convoy
