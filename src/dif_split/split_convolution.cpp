#include "dif_split/split_convolution.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "backends/backend.hpp"
#include "base/log.hpp"
#include "convoy/error.hpp"
#include "dif_split/part_sums.hpp"
#include "engine/checks.hpp"
#include "engine/scatter.hpp"
#include "engine/scheduler.hpp"
#include "engine/tile_io.hpp"

namespace convoy::inline v0 {
namespace {

constexpr Index kSlabVoxels = Index{1} << 21;

PlanOptions options_of_split(const PlanOptions& given, std::size_t num_devices) {
  PlanOptions options = given;
  options.host_memory_limit_bytes = host_memory_limit(given);
  options.num_devices = static_cast<int>(num_devices);
  return options;
}

/// Each device loads one part, as a whole.
std::vector<PreparedDevice> load_parts(const TransformSplit& split, const std::vector<Device>& devices,
                                       const ConvolverOptions& given) {
  ConvolverOptions options;
  options.plan.method = Method::fft;
  options.plan.memory_limit_bytes = given.plan.memory_limit_bytes;
  options.plan.path = given.plan.path;
  options.plan.tuning = split.part_plan.tuning;
  options.plan.max_sets = 1;
  options.plan.deterministic = given.plan.deterministic;
  options.plan.tile_output = split.part.image;
  options.trace_memory = given.trace_memory;
  options.sentinels = given.sentinels;
  return prepare_devices(split.part, devices, options, [](LoadedPlan&) {});
}

/// What one convolution after the other does to the output. Devices share it.
template <class Real>
class SplitRun {
 public:
  SplitRun(const TransformSplit& split, const ImageView& kernel, const ImageView& image)
      : split_(split),
        kernel_(part_source_of_kernel(split, kernel)),
        image_(part_source_of_image(split, image)),
        sums_(static_cast<std::size_t>(num_voxels(output_shape(split.whole.spec)))) {}

  void convolve(backend::Session& session, Index n) {
    const PartWeights<Real> weights = part_weights<Real>(split_, n);
    const auto port = [&](PortId id) { return reinterpret_cast<Real*>(session.port(id, 0)); };
    sum_part(split_, kernel_, weights.taken, port(ports::kernel));
    session.submit(Section::setup, 0);
    sum_part(split_, image_, weights.taken, port(ports::input));
    session.wait(0);
    session.submit(Section::run, 0);
    session.wait(0);
    const std::lock_guard lock(mutex_);
    add_share(split_, port(ports::output), weights.given, sums_.data());
  }

  /// Of the shape of the output.
  const std::vector<Real>& sums() const { return sums_; }

 private:
  const TransformSplit& split_;
  PartSource kernel_;
  PartSource image_;
  std::mutex mutex_;
  std::vector<Real> sums_;
};

template <class Real>
class PartLoop final : public DeviceLoop {
 public:
  PartLoop(backend::Session& session, SplitRun<Real>& split_run) : session_(session), split_run_(split_run) {}

  void run(TileQueue& queue, std::size_t worker, const std::function<void()>& part_done) override {
    while (const auto n = queue.take(worker, true)) {
      try {
        split_run_.convolve(session_, *n);
      } catch (...) {
        drain();
        throw;
      }
      queue.done(worker, *n, {});
      part_done();
    }
  }

 private:
  /// The next run starts with nothing in flight; the first error is the one that is thrown.
  void drain() {
    try {
      session_.wait(0);
    } catch (const Error&) {
    }
  }

  backend::Session& session_;
  SplitRun<Real>& split_run_;
};

template <class Real>
class SplitConvolutionAs final : public SplitConvolution {
 public:
  SplitConvolutionAs(const TransformSplit& split, const ImageView& kernel, const FilterScale& scale,
                     std::vector<PreparedDevice> devices, const ConvolverOptions& options)
      : split_(split),
        devices_(std::move(devices)),
        options_(options),
        plan_(plan_of(split)),
        rules_(voxel_rules(split.whole, scale.magnitude)) {
    const auto& [z, y, x] = split_.whole.axes;
    kernel_shape_ = {z.kernel_size, y.kernel_size, x.kernel_size};
    kernel_.resize(static_cast<std::size_t>(num_voxels(kernel_shape_)));
    write_filter(split_.whole, kernel, scale.factors.front(), kernel_.data());
    log("plan", "{}: {}", devices_.front().device.info().id, plan_.reasons.front());
  }

  const Plan& plan() const override { return plan_; }
  const VoxelRules& rules() const override { return rules_; }

  RunReport run(const ImageView& image, const MutableImageView& output) override {
    return run(image, [&](const Real* sums) { return write_folded(sums, output); });
  }

  RunReport run(const ImageReader& reader, ImageWriter& writer) override {
    const Shape shape = reader.shape();
    const auto voxels = std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(num_voxels(shape)) *
                                                                    size_of(reader.element()));
    for (const PlacedBox& slab : slabs_of({{{0, 0, 0}, shape}, {0, 0, 0}}, reader.chunk(), kSlabVoxels)) {
      reader.read(slab.from, voxels.get() + offset_of(slab, shape) * size_of(reader.element()));
    }
    return run(ImageView(voxels.get(), reader.element(), shape),
               [&](const Real* sums) { return write_folded(sums, writer); });
  }

 private:
  static std::size_t offset_of(const PlacedBox& slab, const Shape& shape) {
    return static_cast<std::size_t>((slab.to.z * shape.y + slab.to.y) * shape.x + slab.to.x);
  }

  template <class Write>
  RunReport run(const ImageView& image, const Write& write) {
    InputSums inputs = scan(image, rules_);
    require_usable(plan_.spec, inputs);
    inputs.end_tile();
    Scheduler scheduler(devices_, {split_.num_convolutions(), {}}, options_);
    // Not on the stack: ThreadSanitizer takes mutexes that lie at one place there one after the other for one.
    const auto split_run = std::make_unique<SplitRun<Real>>(split_, ImageView(kernel_, kernel_shape_), image);
    scheduler.run(loops_of(devices_, [&](const PreparedDevice& on) {
      return std::make_unique<PartLoop<Real>>(*on.loaded.session, *split_run);
    }));
    RunReport report = scheduler.report();
    set_sums({inputs, write(split_run->sums().data())}, report);
    return report;
  }

  TransformSplit split_;
  std::vector<PreparedDevice> devices_;
  const ConvolverOptions& options_;
  Plan plan_;
  VoxelRules rules_;
  Shape kernel_shape_;
  std::vector<Real> kernel_;  // as the device is given it: rows of x
};

}  // namespace

std::optional<TransformSplit> better_split(const ConvolutionSpec& spec, const std::vector<Device>& devices,
                                           const PlanOptions& options, const Plan* tiles) {
  // Devices add their shares as they come: sums of floating-point numbers depend on the order.
  if (options.deterministic && devices.size() > 1) return {};
  if (!split_may_be_better(spec, options, tiles)) return {};
  const PlanOptions with = options_of_split(options, devices.size());
  std::optional<TransformSplit> finest;
  for (const Device& device : devices) {
    const auto split = better_split(spec, device.limits(), with, tiles);
    if (split && (!finest || split->num_parts > finest->num_parts)) finest = split;
  }
  return finest;
}

std::unique_ptr<SplitConvolution> make_split_convolution(const TransformSplit& split, const ImageView& kernel,
                                                         const FilterScale& scale, const std::vector<Device>& devices,
                                                         const ConvolverOptions& options) {
  const auto split_finer = [&](const std::optional<Replan>& smaller) {
    if (!smaller) return split;
    PlanOptions less = options_of_split(options.plan, devices.size());
    less.memory_limit_bytes = smaller->limit_bytes;
    const auto finer = split_transform(split.whole.spec, split.part_plan.limits, less);
    if (finer) return *finer;
    throw OutOfMemory(fmt::format("no finer split of the transform fits {}", bytes_to_text(smaller->limit_bytes)),
                      split.footprint_bytes, smaller->limit_bytes, "memory that was left");
  };
  const auto load = [&](const TransformSplit& attempted) -> std::unique_ptr<SplitConvolution> {
    std::vector<PreparedDevice> parts = load_parts(attempted, devices, options);
    if (split.whole.spec.precision == Precision::f32) {
      return std::make_unique<SplitConvolutionAs<float>>(attempted, kernel, scale, std::move(parts), options);
    }
    return std::make_unique<SplitConvolutionAs<double>>(attempted, kernel, scale, std::move(parts), options);
  };
  return load_with_retry(devices.front().info().id, options.plan.deterministic, split_finer, load);
}

}  // namespace convoy::inline v0
