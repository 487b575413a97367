#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <vector>

#include "base/dense_view.hpp"
#include "base/stop_watch.hpp"
#include "convoy/bytes_text.hpp"
#include "convoy/convolution.hpp"
#include "convoy/error.hpp"
#include "dif_split/split_convolution.hpp"
#include "engine/checks.hpp"
#include "engine/complex_images.hpp"
#include "engine/filter.hpp"
#include "engine/holes.hpp"
#include "engine/tile_io.hpp"
#include "engine/whole_images.hpp"

namespace convoy {
namespace {

bool shows_no_tiles_fit(const Error& problem) {
  return problem.code() == Errc::out_of_memory || problem.code() == Errc::unsupported;
}

}  // namespace

struct Convolver::State {
  ConvolutionSpec spec;  // with the origin resolved
  ConvolverOptions options;
  std::vector<PreparedDevice> devices;
  std::unique_ptr<SplitConvolution> split;  // in place of tiles
  FilterScale scale;
  VoxelRules rules;
  bool complex_kernel = false;       // this one is of its real part
  std::unique_ptr<State> imaginary;  // of a complex kernel, unless that part is 0

  State(const ConvolutionSpec& given, const ImageView& kernel, const std::vector<Device>& on,
        const ConvolverOptions& with)
      : spec(given), options(with) {
    scale = resolve_spec(spec, kernel);
    const Method method = options.plan.method;
    if (method == Method::automatic || method == Method::separable) {
      options.plan.separable_terms = count_separable_terms(spec, kernel);
    }
    for (const Device& device : on) implementation_of(device).reset_peak();
    try {
      devices = prepare_devices(spec, on, options, [&](LoadedPlan& loaded) {
        set_up_filter(*loaded.session, loaded.plan, kernel, scale.factor);
      });
      split_if_better(kernel, on, &plan());
    } catch (const Error& problem) {
      if (!shows_no_tiles_fit(problem) || (options.plan.deterministic && has_tiles(on.front()))) throw;
      devices.clear();
      for (const Device& device : on) devices.push_back({device, {}});
      split_if_better(kernel, on, nullptr);
      if (!split) throw;
    }
    rules = split ? split->rules() : voxel_rules(plan(), scale.magnitude);
    rules.kernel_sum = scale.sum;
    rules.least_weight = convoy::rounding_error(spec.precision, 1, scale.magnitude);
    trace("kernel spectrum");
  }

  ~State() {
    release_sessions();
    split.reset();
    try {
      trace("end");
    } catch (...) {  // of the caller's function: a destructor cannot pass it on
    }
  }

  const Plan& plan() const { return split ? split->plan() : common_plan(devices); }

  void release_sessions() {
    for (PreparedDevice& one : devices) one.loaded.session.reset();
  }

  void split_if_better(const ImageView& kernel, const std::vector<Device>& on, const Plan* tiles) {
    if (makes_holes(spec)) return;  // its sums are not made tile by tile
    const auto better = better_split(spec, on, options.plan, tiles);
    if (!better) return;
    release_sessions();
    split = make_split_convolution(*better, kernel, scale, on, options);
  }

  /// Whether the device had been expected to hold tiles.
  bool has_tiles(const Device& device) const {
    PlanOptions with = options.plan;
    with.host_memory_limit_bytes = host_memory_limit(with);
    try {
      make_plan(spec, device.limits(), with);
      return true;
    } catch (const Error& problem) {
      if (!shows_no_tiles_fit(problem)) throw;
      return false;
    }
  }

  void trace(const std::string& step) const {
    if (options.trace_memory) options.trace_memory(step, used_bytes_of(devices));
  }

  /// Of outputs that tiles cannot be written to one by one.
  std::unique_ptr<FoldedSums> folded_sums() const {
    return plan().fold_output ? std::make_unique<FoldedSums>(spec) : nullptr;
  }

  RunReport run(const ImageView& image, const MutableImageView& output);
  RunReport run_tiles(const ImageView& image, const MutableImageView& output);
  RunReport run_tiles(const ImageReader& image, ImageWriter& output);
  RunReport run_both(const ImageView& image, const MutableImageView& output);
  RunReport run_in_memory(const ImageReader& image, ImageWriter& output);

  RunReport finished(Clock::time_point start, RunReport report) const {
    report.elapsed_seconds = seconds_since(start);
    report.kernel_factor = scale.factor;
    const double largest = std::fmax(std::abs(report.lowest_voxel), std::abs(report.highest_voxel));
    if (std::isfinite(largest)) report.rounding_error = rounding_error(spec.precision, largest, scale.magnitude);
    if (!options.sums) {
      for (double* fact : {&report.input_sum, &report.output_sum, &report.lowest_voxel, &report.highest_voxel,
                           &report.dynamic_range, &report.rounding_error}) {
        *fact = std::numeric_limits<double>::quiet_NaN();
      }
    }
    return report;
  }
};

/// The two parts of a complex kernel share what memory there is.
std::unique_ptr<Convolver::State> Convolver::make_state(const ConvolutionSpec& spec, const ImageView& kernel,
                                                        const std::vector<Device>& devices,
                                                        const ConvolverOptions& options) {
  if (!is_complex(kernel.element)) return std::make_unique<State>(spec, kernel, devices, options);
  ConvolutionSpec of_part = spec;
  const KernelParts parts = parts_of_kernel(of_part, kernel);
  ConvolverOptions with = options;
  if (!parts.is_real()) {
    with.plan.memory_limit_bytes /= 2;
    with.plan.host_memory_limit_bytes /= 2;
  }
  auto state = std::make_unique<State>(of_part, ImageView(parts.real, spec.kernel), devices, with);
  state->complex_kernel = true;
  if (!parts.is_real()) {
    state->imaginary = std::make_unique<State>(of_part, ImageView(parts.imaginary, spec.kernel), devices, with);
    state->scale.magnitude += state->imaginary->scale.magnitude;
  }
  state->scale.factor = parts.factor;
  return state;
}

/// Each device's tiles, of all images and parts.
RunReport Convolver::State::run_tiles(const ImageView& image, const MutableImageView& output) {
  if (split) return split->run(image, output);
  const int parts = is_complex(image.element) ? 2 : num_parts(spec);
  Scheduler scheduler(devices, {plan().num_tiles() * spec.batch, {}}, options);
  const auto folded = folded_sums();
  scheduler.run(loops_of(devices, [&](const PreparedDevice& on) {
    return std::make_unique<TileLoop>(on.loaded, memory_io(on, image, output, rules, options.sums, folded.get()),
                                      parts);
  }));
  return scheduler.report(folded ? folded->write(output) : OutputSums{});
}

RunReport Convolver::State::run_tiles(const ImageReader& image, ImageWriter& output) {
  if (split) return split->run(image, output);
  const int parts = is_complex(image.element()) ? 2 : num_parts(spec);
  Scheduler scheduler(devices, missing_tiles(plan(), output), options);
  const auto folded = folded_sums();
  scheduler.run(loops_of(devices, [&](const PreparedDevice& on) {
    return std::make_unique<TileLoop>(on.loaded, stream_io(on, image, output, rules, folded.get()), parts);
  }));
  return scheduler.report(folded ? folded->write(output) : OutputSums{});
}

/// With this part of the kernel. A real image's result is the output's real part, if that is complex.
RunReport Convolver::State::run(const ImageView& image, const MutableImageView& output) {
  if (is_complex(image.element)) {
    if (!split && !plan().fold_output) return run_tiles(image, output);
    RunReport report = run_tiles(image.part(0), output.part(0));  // what is summed up as a whole is so part by part
    add_run(run_tiles(image.part(1), output.part(1)), report);
    return report;
  }
  if (!is_complex(output.element)) return run_tiles(image, output);
  set_zero(output.part(1));
  return run_tiles(image, output.part(0));
}

/// (x + iy) * (k + il) = x*k - y*l + i (y*k + x*l)
RunReport Convolver::State::run_both(const ImageView& image, const MutableImageView& output) {
  RunReport report = run(image, output);
  if (!is_complex(image.element)) {
    add_run(imaginary->run(image, output.part(1)), report);
    return report;
  }
  const Element element = spec.precision == Precision::f32 ? Element::f32 : Element::f64;
  Image product = make_image({spec.batch * output.shape.z, output.shape.y, output.shape.x}, element);
  const MutableImageView images(product.bytes.data(), element, output.shape, spec.batch);
  for (const int part : {0, 1}) {
    const double sign = part == 0 ? -1 : 1;
    const RunReport other = imaginary->run(image.part(1 - part), images);
    const OutputSums added = add_voxels(sign, images, output.part(part));
    if (part == 0) report.output_sum += sign * other.output_sum;
    report.saturated_voxels += added.saturated + other.saturated_voxels;
    report.num_tiles += other.num_tiles;
    report.peak_device_bytes = std::max(report.peak_device_bytes, other.peak_device_bytes);
  }
  return report;
}

RunReport Convolver::State::run_in_memory(const ImageReader& image, ImageWriter& output) {
  const std::uint64_t bytes = saturating_sum(
      saturating_product(static_cast<std::uint64_t>(num_voxels(image.shape())), size_of(image.element())),
      saturating_product(static_cast<std::uint64_t>(num_voxels(output.shape())),
                         size_of(output.element()) + size_of(part_of(output.element()))));
  const std::uint64_t limit = options.plan.host_memory_limit_bytes;
  if (limit > 0 && bytes > limit) {
    throw OutOfMemory(
        fmt::format("a complex kernel needs image and output in memory as a whole, {}, where {} are left: "
                    "raise the limit (--ram-limit), or convolve regions (--region)",
                    bytes_to_text(bytes), bytes_to_text(limit)),
        bytes, limit, "host memory");
  }
  const Image read = read_whole(image);
  Image written = make_image(output.shape(), output.element());
  const RunReport report =
      imaginary ? run_both(read.view(), written.mutable_view()) : run(read.view(), written.mutable_view());
  write_whole(written.view(), output);
  return report;
}

Convolver::Convolver(const ConvolutionSpec& spec, const ImageView& kernel, Device device,
                     const ConvolverOptions& options)
    : Convolver(spec, kernel, std::vector{std::move(device)}, options) {}
Convolver::Convolver(const ConvolutionSpec& spec, const ImageView& kernel, const std::vector<Device>& devices,
                     const ConvolverOptions& options)
    : state_(make_state(spec, DenseView(kernel).view(), devices, options)) {}
Convolver::~Convolver() = default;
Convolver::Convolver(Convolver&&) noexcept = default;
Convolver& Convolver::operator=(Convolver&&) noexcept = default;

const Plan& Convolver::plan() const { return state_->plan(); }
Shape Convolver::output_shape() const { return convoy::output_shape(state_->spec); }

RunReport Convolver::run(const ImageView& image, const MutableImageView& output) {
  const auto start = Clock::now();
  State& state = *state_;
  require_images("image", image, state.spec.image, state.spec.batch);
  require_writable_images("output", output, output_shape(), state.spec.batch);
  require_apart(image, output);
  require_kinds(state.spec, image.element, state.complex_kernel, output.element);
  return state.finished(start, state.imaginary ? state.run_both(image, output) : state.run(image, output));
}

RunReport Convolver::run(const ImageReader& image, ImageWriter& output) {
  const auto start = Clock::now();
  State& state = *state_;
  if (state.spec.batch > 1) {
    throw Error(Errc::unsupported,
                fmt::format("this was planned for a batch of {} images in memory, but a reader has one; plan for one "
                            "image and run once for each reader and writer",
                            state.spec.batch));
  }
  require_shape("image", image.shape(), state.spec.image);
  require_shape("output", output.shape(), output_shape());
  require_kinds(state.spec, image.element(), state.complex_kernel, output.element());
  const bool in_parts = is_complex(image.element()) && !state.imaginary && !state.split && !state.plan().fold_output;
  const bool streams = in_parts || !is_complex(output.element());
  return state.finished(start, streams ? state.run_tiles(image, output) : state.run_in_memory(image, output));
}

Image convolve(const ImageView& image, const ImageView& kernel, ConvolutionSpec spec, Device device) {
  spec.image = image.shape;
  spec.kernel = kernel.shape;
  if (image.batch > 1 || spec.batch > 1) {
    throw Error(Errc::unsupported, "convolve() returns one image; make a Convolver for a batch of them");
  }
  Convolver convolver(spec, kernel, std::move(device));
  const Element real = spec.precision == Precision::f32 ? Element::f32 : Element::f64;
  const bool complex = is_complex(image.element) || is_complex(kernel.element);
  Image output = make_image(convolver.output_shape(), complex ? complex_of(real) : real);
  convolver.run(image, output.mutable_view());
  return output;
}

}  // namespace convoy
