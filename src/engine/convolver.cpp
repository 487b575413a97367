#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/dense_view.hpp"
#include "base/stop_scope.hpp"
#include "base/stop_watch.hpp"
#include "base/worker_pool.hpp"
#include "convoy/bytes_text.hpp"
#include "convoy/convolution.hpp"
#include "convoy/error.hpp"
#include "dif_split/split_convolution.hpp"
#include "engine/checks.hpp"
#include "engine/complex_images.hpp"
#include "engine/filter.hpp"
#include "engine/holes.hpp"
#include "engine/run_options.hpp"
#include "engine/tile_io.hpp"
#include "engine/tile_lanes.hpp"
#include "engine/whole_images.hpp"
#include "planner/kernel_fan.hpp"

namespace convoy::inline v0 {
namespace {

bool shows_no_tiles_fit(const Error& problem) {
  return problem.code() == Errc::out_of_memory || problem.code() == Errc::unsupported;
}

std::optional<DenseView> dense(const std::optional<ImageView>& given) {
  return given ? std::optional<DenseView>(*given) : std::nullopt;
}

}  // namespace

struct Convolver::State {
  ConvolutionSpec spec;  // with the origin resolved
  ConvolverOptions options;
  std::vector<PreparedDevice> devices;
  std::unique_ptr<SplitConvolution> split;  // in place of tiles
  FilterScale scale;
  std::optional<Weights> weights;
  VoxelRules rules;
  std::unique_ptr<WorkerPool> lane_threads;
  bool complex_kernel = false;       // this one is of its real part
  std::unique_ptr<State> imaginary;  // of a complex kernel, unless that part is 0

  State(const ConvolutionSpec& given, const ImageView& kernel, const std::vector<Device>& on,
        const ConvolverOptions& with)
      : spec(given), options(with) {
    const StopScope stop(options.stop);
    const std::optional<DenseView> dense_weights = dense(with.weights);
    scale = resolve_spec(spec, kernel, dense_weights ? std::optional(dense_weights->view()) : std::nullopt);
    if (dense_weights) weights.emplace(spec, dense_weights->view());
    options.weights.reset();  // they are the caller's
    const Method method = options.plan.method;
    if (method == Method::automatic || method == Method::separable) {
      options.plan.separable_terms = count_separable_terms(spec, kernel);
    }
    for (const Device& device : on) implementation_of(device).reset_peak();
    try {
      devices = prepare_devices(spec, on, options, [&](LoadedPlan& loaded) {
        set_up_filter(*loaded.session, loaded.plan, kernel, scale.factors);
      });
      split_if_better(kernel, on, &plan());
    } catch (const Error& problem) {
      if (!shows_no_tiles_fit(problem) || (options.plan.deterministic && has_tiles(on.front()))) throw;
      devices.clear();
      for (const Device& device : on) devices.push_back({device, {}});
      split_if_better(kernel, on, nullptr);
      if (!split && spec.num_kernels > 1) throw_without_split(problem);
      if (!split) throw;
    }
    rules = split ? split->rules() : voxel_rules(plan(), scale.magnitude);
    rules.kernel_sum = scale.sum;
    rules.least_weight = convoy::rounding_error(spec.precision, 1, scale.magnitude);
    trace("kernel spectrum");
  }

  /// Of one kernel the transform would have been split in place of the image.
  [[noreturn]] void throw_without_split(const Error& problem) const {
    const std::string text = fmt::format(
        "{}; the transform is not split for {} kernels: convolve with one at a time, whose transform may be",
        problem.what(), spec.num_kernels);
    if (const auto* memory = dynamic_cast<const OutOfMemory*>(&problem)) {
      throw OutOfMemory(text, memory->requested_bytes(), memory->limit_bytes(), memory->limit_name());
    }
    throw Error(problem.code(), text);
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

  /// Threads of a run, each of which takes whole tiles; null where all work on each tile. They are the convolver's own:
  /// runs of others must not wait until this one's are through.
  WorkerPool* lanes() {
    if (devices.size() > 1 || plan().fold_output || num_lanes(plan()) == 1) return nullptr;
    if (!lane_threads) lane_threads = std::make_unique<WorkerPool>(num_lanes(plan()));
    return lane_threads.get();
  }

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
    return plan().fold_output ? std::make_unique<FoldedSums>(spec, weights_or_none()) : nullptr;
  }
  const Weights* weights_or_none() const { return weights ? &*weights : nullptr; }

  RunReport run(const ImageView& image, const MutableImageView& output, Index step, Index num_steps);
  RunReport run_tiles(const ImageView& image, const MutableImageView& output);
  RunReport run_complex(const ImageView& image, const MutableImageView& output) {
    return imaginary ? run_both(image, output) : run(image, output, 0, num_steps_of(image));
  }
  RunReport run_both(const ImageView& image, const MutableImageView& output);
  RunReport run_step(const ImageView& image, const MutableImageView& output, Index step, Index num_steps);
  /// Where outputs are summed up as a whole, parts of a complex image are convolved one after the other.
  Index num_steps_of(const ImageView& image) const {
    return is_complex(image.element) && (split || plan().fold_output) ? 2 : 1;
  }
  RunReport run_in_memory(const ImageReader& image, ImageWriter& output);

  /// Whether images that are streamed are in memory as a whole, or their outputs are.
  bool one_in_memory(Element output) const {
    return split || plan().fold_output || (complex_kernel && is_complex(output));
  }

  RunReport run_streams(const ImageReaders& images, const ImageWriters& outputs, FoldedSums* folded) {
    const int parts = num_parts(spec, images.front()->element());
    Scheduler scheduler(devices, missing_tiles(plan(), outputs), options);
    const RunNeeds needs{rules, options.sums, folded, weights_or_none()};
    scheduler.run(loops_of(devices, [&](const PreparedDevice& on) {
      return std::make_unique<TileLoop>(on.loaded, stream_io(on, images, outputs, needs), parts);
    }));
    return scheduler.report(folded != nullptr ? folded->write(outputs) : OutputSums{});
  }

  RunReport run_one_by_one(const ImageReaders& images, const ImageWriters& outputs) {
    const auto start = Clock::now();
    const auto progress_of_all = options.progress;
    RunReport all;
    const KernelFan fan = kernel_fan(spec);  // of several kernels, group by group
    const auto in = static_cast<std::ptrdiff_t>(fan.num_images());
    const auto out = static_cast<std::ptrdiff_t>(fan.num_results());
    const Index num_groups = static_cast<Index>(images.size()) / fan.num_images();
    for (Index group = 0; group < num_groups; ++group) {
      if (progress_of_all) {
        options.progress = [&, group](const Progress& one) {
          return progress_of_all({group * one.num_tiles + one.tiles_done, num_groups * one.num_tiles,
                                  seconds_since(start), one.part_of_next_tile});
        };
      }
      const auto image = images.begin() + group * in;
      const auto output = outputs.begin() + group * out;
      if (is_complex((*output)->element())) {
        all.add(run_in_memory(**image, **output));
        continue;
      }
      const auto folded = folded_sums();
      all.add(split ? split->run(**image, **output)
                    : run_streams({image, image + in}, {output, output + out}, folded.get()));
    }
    return all;
  }

  RunReport finished(Clock::time_point start, RunReport report) const {
    report.elapsed_seconds = seconds_since(start);
    report.kernel_factor = scale.factors.front();
    report.kernel_factors = scale.factors;
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
  if (spec.num_kernels > 1 || spec.pairing == Pairing::sum) {
    throw Error(Errc::unsupported,
                fmt::format("{} complex kernel(s) of pairing {}: complex kernels are convolved with one at a time",
                            spec.num_kernels, name(spec.pairing)));
  }
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
  state->scale.factors = {parts.factor};
  return state;
}

/// Each device's tiles, of all images and parts.
RunReport Convolver::State::run_tiles(const ImageView& image, const MutableImageView& output) {
  if (split) return split->run(image, output);
  const int parts = num_parts(spec, image.element);
  Scheduler scheduler(devices, {plan().num_tiles() * num_groups(spec), {}}, options);
  const auto folded = folded_sums();
  const RunNeeds needs{rules, options.sums, folded.get(), weights_or_none()};
  scheduler.run(loops_of(devices, [&](const PreparedDevice& on) -> std::unique_ptr<DeviceLoop> {
    const auto make_io = [&] { return memory_io(on, image, output, needs); };
    if (WorkerPool* const threads = lanes()) return std::make_unique<TileLanes>(on.loaded, *threads, parts, make_io);
    return std::make_unique<TileLoop>(on.loaded, make_io(), parts);
  }));
  return scheduler.report(folded ? folded->write(output) : OutputSums{});
}

/// With this part of the kernel. A real image's result is the output's real part, if that is complex.
RunReport Convolver::State::run(const ImageView& image, const MutableImageView& output, Index step, Index num_steps) {
  if (num_steps_of(image) == 2) {
    RunReport report = run_step(image.part(0), output.part(0), step, num_steps);
    add_run(run_step(image.part(1), output.part(1), step + 1, num_steps), report);
    return report;
  }
  const bool real_part_only = is_complex(output.element) && !is_complex(image.element);
  if (real_part_only) set_zero(output.part(1));
  return run_step(image, real_part_only ? output.part(0) : output, step, num_steps);
}

/// (x + iy) * (k + il) = x*k - y*l + i (y*k + x*l)
RunReport Convolver::State::run_both(const ImageView& image, const MutableImageView& output) {
  if (!is_complex(image.element)) {
    RunReport report = run(image, output, 0, 2);
    add_run(imaginary->run(image, output.part(1), 1, 2), report);
    return report;
  }
  const Index steps_before = num_steps_of(image);
  const Index num_steps = steps_before + 2;
  RunReport report = run(image, output, 0, num_steps);
  const Element element = spec.precision == Precision::f32 ? Element::f32 : Element::f64;
  Image product = make_image({spec.batch * output.shape.z, output.shape.y, output.shape.x}, element);
  const MutableImageView images(product.bytes.data(), element, output.shape, spec.batch);
  for (const int part : {0, 1}) {
    const double sign = part == 0 ? -1 : 1;
    RunReport other = imaginary->run(image.part(1 - part), images, steps_before + part, num_steps);
    const OutputSums added = add_voxels(sign, images, output.part(part));
    if (part == 0) report.output_sum += sign * other.output_sum;
    other.non_finite_voxels = other.inexact_voxels = 0;  // which are counted already
    add_run(other, report);
    report.saturated_voxels += added.saturated;
  }
  return report;
}

/// One of several runs, whose progress is reported as that of one.
RunReport Convolver::State::run_step(const ImageView& image, const MutableImageView& output, Index step,
                                     Index num_steps) {
  RunOptions of_step;
  if (options.progress && num_steps > 1) {
    of_step.progress = [all = options.progress, step, num_steps](const Progress& one) {
      return all({step * one.num_tiles + one.tiles_done, num_steps * one.num_tiles, one.elapsed_seconds,
                  one.part_of_next_tile});
    };
  }
  const UseRunOptions use(options, of_step);
  return run_tiles(image, output);
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
  const RunReport report = run_complex(read.view(), written.mutable_view());
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

RunReport Convolver::run(const ImageView& image, const MutableImageView& output, const RunOptions& options) {
  const auto start = Clock::now();
  State& state = *state_;
  const UseRunOptions use(state.options, options);
  std::optional<UseRunOptions<ConvolverOptions, RunOptions>> use_too;
  if (state.imaginary) use_too.emplace(state.imaginary->options, options);
  require_images("image", image, state.spec.image, num_images(state.spec));
  require_writable_images("output", output, output_shape(), num_outputs(state.spec));
  require_apart(image, output);
  require_kinds(state.spec, image.element, state.complex_kernel, output.element);
  if (!state.complex_kernel && state.num_steps_of(image) == 1) {
    return state.finished(start, state.run_tiles(image, output));
  }
  return state.finished(start, state.run_complex(image, output));
}

RunReport Convolver::run(const ImageReader& image, ImageWriter& output, const RunOptions& options) {
  return run(ImageReaders{&image}, ImageWriters{&output}, options);
}

RunReport Convolver::run(const ImageReaders& images, const ImageWriters& outputs, const RunOptions& options) {
  const auto start = Clock::now();
  State& state = *state_;
  const UseRunOptions use(state.options, options);
  std::optional<UseRunOptions<ConvolverOptions, RunOptions>> use_too;
  if (state.imaginary) use_too.emplace(state.imaginary->options, options);
  require_streams(images, outputs, state.spec);
  const Element output = outputs.front()->element();
  require_kinds(state.spec, images.front()->element(), state.complex_kernel, output);
  return state.finished(start, state.one_in_memory(output) ? state.run_one_by_one(images, outputs)
                                                           : state.run_streams(images, outputs, nullptr));
}

void RunReport::add(const RunReport& other) {
  elapsed_seconds += other.elapsed_seconds;
  num_tiles += other.num_tiles;
  skipped_tiles += other.skipped_tiles;
  peak_device_bytes = std::max(peak_device_bytes, other.peak_device_bytes);
  kernel_factor = other.kernel_factor;
  kernel_factors = other.kernel_factors;
  non_finite_voxels += other.non_finite_voxels;
  nan_voxels += other.nan_voxels;
  no_data_voxels += other.no_data_voxels;
  inexact_voxels += other.inexact_voxels;
  saturated_voxels += other.saturated_voxels;
  lowest_voxel = std::fmin(lowest_voxel, other.lowest_voxel);  // NaN is passed over
  highest_voxel = std::fmax(highest_voxel, other.highest_voxel);
  dynamic_range = std::fmax(dynamic_range, other.dynamic_range);
  rounding_error = std::fmax(rounding_error, other.rounding_error);
  input_sum += other.input_sum;
  output_sum += other.output_sum;
  devices.resize(other.devices.size());
  for (std::size_t i = 0; i < other.devices.size(); ++i) {
    devices[i].id = other.devices[i].id;
    devices[i].num_tiles += other.devices[i].num_tiles;
    if (devices[i].failure.empty()) devices[i].failure = other.devices[i].failure;
  }
}

Image convolve(const ImageView& image, const ImageView& kernel, ConvolutionSpec spec, Device device) {
  spec.image = image.shape;
  spec.kernel = kernel.shape;
  if (image.batch > 1 || spec.batch > 1 || kernel.batch > 1 || spec.num_kernels > 1 || spec.pairing == Pairing::sum) {
    throw Error(Errc::unsupported,
                "convolve() makes one image of one image and one kernel; make a Convolver for batches, several kernels "
                "or weights");
  }
  Convolver convolver(spec, kernel, std::move(device));
  const Element real = spec.precision == Precision::f32 ? Element::f32 : Element::f64;
  const bool complex = is_complex(image.element) || is_complex(kernel.element);
  Image output = make_image(convolver.output_shape(), complex ? complex_of(real) : real);
  convolver.run(image, output.mutable_view());
  return output;
}

}  // namespace convoy::inline v0
