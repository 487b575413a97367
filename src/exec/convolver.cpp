#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "convoy/convolution.hpp"
#include "convoy/error.hpp"
#include "exec/gather.hpp"
#include "exec/host_kernel.hpp"
#include "exec/loaded_plan.hpp"
#include "plan/origin.hpp"

namespace convoy {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void require_shape(const char* what, const Shape& given, const Shape& expected) {
  if (given == expected) return;
  throw Error(Errc::invalid_argument, fmt::format("the {} is {} zyx, but this convolution was planned for {} zyx", what,
                                                  to_text(given), to_text(expected)));
}

void require_data(const char* what, const void* data) {
  if (data == nullptr) throw Error(Errc::invalid_argument, fmt::format("the {} has no data (null pointer)", what));
}

void require_finite(const InputSums& sums, const ConvolutionSpec& spec) {
  if (sums.non_finite == 0 || spec.non_finite == NonFinite::zero) return;
  const Shape& shape = spec.image;
  throw Error(Errc::invalid_argument,
              fmt::format("the image has {} NaN or infinite voxel(s), the first at z,y,x = {},{},{}; a transform would "
                          "spread them over the whole output: mend the image, or have them taken as 0 (--nan zero)",
                          sums.non_finite, sums.first_non_finite / (shape.y * shape.x),
                          sums.first_non_finite / shape.x % shape.y, sums.first_non_finite % shape.x));
}

void require_apart(const ImageView& image, const MutableImageView& output) {
  const auto* in = static_cast<const std::byte*>(image.data);
  const auto* out = static_cast<const std::byte*>(output.data);
  const std::size_t in_bytes = static_cast<std::size_t>(num_voxels(image.shape)) * size_of(image.element);
  const std::size_t out_bytes = static_cast<std::size_t>(num_voxels(output.shape)) * size_of(output.element);
  if (std::less<>()(in, out + out_bytes) && std::less<>()(out, in + in_bytes)) {
    throw Error(Errc::invalid_argument, "the output overlaps the image in memory; give it a buffer of its own");
  }
}

}  // namespace

struct Convolver::State {
  ConvolutionSpec spec;  // with the origin resolved
  Device device;
  ConvolverOptions options;
  LoadedPlan loaded;

  State(const ConvolutionSpec& given, const ImageView& kernel, Device on, const ConvolverOptions& with)
      : spec(given), device(std::move(on)), options(with) {
    require_data("kernel", kernel.data);
    validate(spec);
    require_shape("kernel", kernel.shape, spec.kernel);
    const double scale = kernel_scale(spec, kernel);
    spec.origin = Origin::at(resolve_origin(spec, &kernel));
    device.implementation().reset_peak();
    loaded = load_plan(spec, device, options);
    set_up(kernel, scale);
  }

  ~State() {
    loaded.session.reset();
    trace("end");
  }

  void trace(const std::string& step) const {
    if (options.trace_memory) options.trace_memory(step, device.used_bytes());
  }

  void set_up(const ImageView& kernel, double scale) {
    backend::Session& session = *loaded.session;
    if (spec.precision == Precision::f32) {
      write_kernel(loaded.plan, kernel, scale, reinterpret_cast<float*>(session.port(ports::kernel, 0)));
    } else {
      write_kernel(loaded.plan, kernel, scale, reinterpret_cast<double*>(session.port(ports::kernel, 0)));
    }
    session.submit(Section::setup, 0);
    session.wait(0);
    session.end_setup();
    session.check_sentinels();
    trace("kernel spectrum");
  }

  template <class Real>
  OutputSums run_tiles(const ImageView& image, const MutableImageView& output);
};

/// Tiles go round the session's sets of ports: while the device works on one set, the host fills or empties another.
template <class Real>
OutputSums Convolver::State::run_tiles(const ImageView& image, const MutableImageView& output) {
  const Plan& plan = loaded.plan;
  backend::Session& session = *loaded.session;
  const auto start = Clock::now();
  const Index num_tiles = plan.num_tiles();
  const Index num_sets = loaded.program.num_sets;
  std::vector<Real> folded(plan.fold_output ? static_cast<std::size_t>(num_voxels(spec.image)) : 0);
  OutputSums sums;

  const auto finish = [&](Index tile) {
    const int set = static_cast<int>(tile % num_sets);
    session.wait(set);
    const auto* port = reinterpret_cast<const Real*>(session.port(ports::output, set));
    if (plan.fold_output) {
      fold_tile(plan, tile_index(plan, tile), port, folded.data());
    } else {
      const OutputSums part = scatter_tile(plan, tile_index(plan, tile), port, output);
      sums.sum += part.sum;
      sums.saturated += part.saturated;
    }
    if (options.trace_memory) trace(fmt::format("tile {} of {}", tile + 1, num_tiles));
    if (options.progress && !options.progress({tile + 1, num_tiles, seconds_since(start)}) && tile + 1 < num_tiles) {
      throw Error(Errc::cancelled, fmt::format("stopped after tile {} of {}", tile + 1, num_tiles));
    }
  };

  // Whatever happens, no set is left in flight: the next run starts from rest.
  Index finished = 0;
  Index submitted = 0;
  try {
    for (; submitted < num_tiles; ++submitted) {
      if (submitted - finished == num_sets) finish(finished++);
      const int set = static_cast<int>(submitted % num_sets);
      gather_tile(plan, image, tile_index(plan, submitted), reinterpret_cast<Real*>(session.port(ports::input, set)));
      session.submit(Section::run, set);
    }
    while (finished < num_tiles) finish(finished++);
  } catch (...) {
    for (; finished < submitted; ++finished) {
      try {
        session.wait(static_cast<int>(finished % num_sets));
      } catch (const Error&) {  // the first error is the one to tell
      }
    }
    throw;
  }
  session.check_sentinels();
  if (plan.fold_output) sums = write_folded(plan, folded.data(), output);
  return sums;
}

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
  const InputSums input = scan(image);
  require_finite(input, state_->spec);

  const OutputSums sums = state_->spec.precision == Precision::f32 ? state_->run_tiles<float>(image, output)
                                                                   : state_->run_tiles<double>(image, output);
  RunReport report;
  report.num_tiles = plan().num_tiles();
  report.peak_device_bytes = state_->device.implementation().peak_bytes();
  report.non_finite_voxels = input.non_finite;
  report.saturated_voxels = sums.saturated;
  report.input_sum = input.sum;
  report.output_sum = sums.sum;
  report.elapsed_seconds = seconds_since(start);
  return report;
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
