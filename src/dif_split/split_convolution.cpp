#include "dif_split/split_convolution.hpp"

#include <algorithm>
#include <mutex>

#include "backends/backend.hpp"
#include "base/log.hpp"
#include "convoy/error.hpp"
#include "engine/checks.hpp"
#include "engine/host_filter.hpp"
#include "dif_split/part_sums.hpp"
#include "engine/scatter.hpp"
#include "engine/shared_run.hpp"
#include "engine/tile_cover.hpp"
#include "engine/voxel_rules.hpp"

namespace convoy {
namespace {

constexpr Index kSlabVoxels = Index{1} << 21;
/// As load_replanning() asks for less.
constexpr int kMaxAttempts = 6;
constexpr double kShrink = 0.8;

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
  options.plan.memory_limit_bytes = given.plan.memory_limit_bytes;
  options.plan.path = given.plan.path;
  options.plan.allow_native = given.plan.allow_native;
  options.plan.allow_fused = given.plan.allow_fused;
  options.plan.tuning = split.part_plan.tuning;
  options.plan.max_sets = 1;
  options.plan.deterministic = given.plan.deterministic;
  options.plan.tile_output = split.part.image;
  options.trace_memory = given.trace_memory;
  options.sentinels = given.sentinels;
  return prepare_devices(split.part, devices, options, [](LoadedPlan&) {});
}

/// What one convolution after the other does to the output.
template <class Real>
class SplitRun {
 public:
  SplitRun(const TransformSplit& split, const ImageView& kernel, const ImageView& image,
           std::vector<PreparedDevice>& devices)
      : split_(split),
        kernel_(part_source_of_kernel(split, kernel)),
        image_(part_source_of_image(split, image)),
        devices_(devices),
        sums_(static_cast<std::size_t>(num_voxels(output_shape(split.whole.spec)))) {}

  void work(std::size_t worker, TileQueue& queue, const std::function<void()>& done) {
    backend::Session& session = *devices_[worker].loaded.session;
    while (const auto n = queue.take(worker, true)) {
      try {
        convolve(session, *n);
      } catch (...) {
        drain(session);
        throw;
      }
      queue.done(worker, *n, {});
      done();
    }
  }

  /// Of the shape of the output.
  const std::vector<Real>& sums() const { return sums_; }

 private:
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

  /// The next run starts with nothing in flight; the first error is the one to tell.
  static void drain(backend::Session& session) {
    try {
      session.wait(0);
    } catch (const Error&) {
    }
  }

  const TransformSplit& split_;
  PartSource kernel_;
  PartSource image_;
  std::vector<PreparedDevice>& devices_;
  std::mutex mutex_;
  std::vector<Real> sums_;
};

template <class Real>
class SplitConvolutionAs final : public SplitConvolution {
 public:
  SplitConvolutionAs(const TransformSplit& split, const ImageView& kernel, const KernelScale& scale,
                     std::vector<PreparedDevice> devices, const ConvolverOptions& options)
      : split_(split),
        devices_(std::move(devices)),
        options_(options),
        plan_(plan_of(split)),
        rules_(voxel_rules(split.whole, scale.magnitude)) {
    const auto& [z, y, x] = split_.whole.axes;
    kernel_shape_ = {z.kernel_size, y.kernel_size, x.kernel_size};
    kernel_.resize(static_cast<std::size_t>(num_voxels(kernel_shape_)));
    write_kernel(split_.whole, kernel, scale.factor, kernel_.data());
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
               [&](const Real* sums) { return write_slabs(sums, writer); });
  }

 private:
  static std::size_t offset_of(const PlacedBox& slab, const Shape& shape) {
    return static_cast<std::size_t>((slab.to.z * shape.y + slab.to.y) * shape.x + slab.to.x);
  }

  static OutputSums write_slabs(const Real* sums, ImageWriter& writer) {
    OutputSums outputs;
    std::vector<std::byte> written;
    for (const PlacedBox& slab : slabs_of({{{0, 0, 0}, writer.shape()}, {0, 0, 0}}, writer.chunk(), kSlabVoxels)) {
      written.resize(static_cast<std::size_t>(num_voxels(slab.from.size)) * size_of(writer.element()));
      outputs.add(write_folded(sums + offset_of(slab, writer.shape()),
                               MutableImageView{written.data(), writer.element(), slab.from.size}));
      writer.write(slab.from, written.data());
    }
    return outputs;
  }

  template <class Write>
  RunReport run(const ImageView& image, const Write& write) {
    InputSums inputs = scan(image, rules_);
    require_usable(plan_.spec, inputs);
    inputs.end_tile();
    SharedRun shared(devices_, {split_.num_convolutions(), {}}, options_);
    // Not on the stack: ThreadSanitizer takes mutexes that lie at one place there one after the other for one.
    const auto split_run = std::make_unique<SplitRun<Real>>(split_, ImageView(kernel_, kernel_shape_), image, devices_);
    shared.run(
        [&](std::size_t i, TileQueue& queue, const std::function<void()>& done) { split_run->work(i, queue, done); });
    RunReport report = shared.report();
    const OutputSums outputs = write(split_run->sums().data());
    set_sums({inputs, outputs}, report);
    return report;
  }

  TransformSplit split_;
  std::vector<PreparedDevice> devices_;
  ConvolverOptions options_;
  Plan plan_;
  VoxelRules rules_;
  Shape kernel_shape_;
  std::vector<Real> kernel_;  // as the device is given it: rows of x
};

}  // namespace

std::optional<TransformSplit> better_split(const ConvolutionSpec& spec, const std::vector<Device>& devices,
                                           const PlanOptions& options, const Plan* tiles) {
  // Devices add their shares as they come: sums of floating-point numbers tell in which order.
  if (options.deterministic && devices.size() > 1) return {};
  const PlanOptions with = options_of_split(options, devices.size());
  std::optional<TransformSplit> finest;
  for (const Device& device : devices) {
    const auto split = better_split(spec, device.limits(), with, tiles);
    if (split && (!finest || split->num_parts > finest->num_parts)) finest = split;
  }
  return finest;
}

std::unique_ptr<SplitConvolution> make_split_convolution(const TransformSplit& split, const ImageView& kernel,
                                                         const KernelScale& scale, const std::vector<Device>& devices,
                                                         const ConvolverOptions& options) {
  TransformSplit attempted = split;
  PlanOptions smaller = options_of_split(options.plan, devices.size());
  for (int attempt = 1;; ++attempt) {
    try {
      std::vector<PreparedDevice> parts = load_parts(attempted, devices, options);
      if (split.whole.spec.precision == Precision::f32) {
        return std::make_unique<SplitConvolutionAs<float>>(attempted, kernel, scale, std::move(parts), options);
      }
      return std::make_unique<SplitConvolutionAs<double>>(attempted, kernel, scale, std::move(parts), options);
    } catch (const OutOfMemory& problem) {
      if (options.plan.deterministic) throw;
      smaller.memory_limit_bytes =
          static_cast<std::uint64_t>(kShrink * static_cast<double>(attempted.part_plan.footprint_bytes));
      const auto finer = split_transform(split.whole.spec, attempted.part_plan.limits, smaller);
      if (attempt == kMaxAttempts || !finer) throw;
      log("plan", "{}: attempt {}: {}; the transform is split finer", devices.front().info().id, attempt,
          problem.what());
      attempted = *finer;
    }
  }
}

}  // namespace convoy
