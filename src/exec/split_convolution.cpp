#include "exec/split_convolution.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>

#include "backends/backend.hpp"
#include "common/log.hpp"
#include "common/worker_pool.hpp"
#include "convoy/error.hpp"
#include "exec/checks.hpp"
#include "exec/host_kernel.hpp"
#include "exec/loaded_plan.hpp"
#include "exec/scatter.hpp"
#include "exec/tile_axes.hpp"
#include "exec/tile_cover.hpp"
#include "plan/boundary_map.hpp"

namespace convoy {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Index kSlabVoxels = Index{1} << 21;
/// What the host adds up in its own memory; a guess, for choosing.
constexpr double kHostBytesPerSecond = 1e10;

/// Whether tiles carry so much twice that a split, which carries padded parts and kernels, may be faster.
bool halos_weigh(const Plan& tiles) {
  const std::uint64_t real = tiles.spec.precision == Precision::f32 ? 4 : 8;
  const Index voxels = num_voxels(tiles.spec.image) + num_voxels(output_shape(tiles.spec));
  return tiles.num_tiles() > 1 && tiles.transfer_bytes > 2 * real * static_cast<std::uint64_t>(voxels);
}

/// Every part is a sum over image and kernel, and is added to the output.
double host_bytes_summed(const TransformSplit& split) {
  const ConvolutionSpec& spec = split.whole.spec;
  const double voxels = static_cast<double>(num_voxels(spec.image)) + static_cast<double>(num_voxels(spec.kernel)) +
                        static_cast<double>(num_voxels(output_shape(spec)));
  const double real = spec.precision == Precision::f32 ? 4 : 8;
  return 3 * real * voxels * static_cast<double>(split.num_parts / 2 + 1);
}

/// exp(-2 pi i step / period).
struct Phase {
  double real;
  double imaginary;
};
Phase phase(Index step, Index period) {
  const double angle = -2 * std::numbers::pi * static_cast<double>(step % period) / static_cast<double>(period);
  return {std::cos(angle), std::sin(angle)};
}

template <class Real>
struct ComplexPart {
  std::vector<Real> real;
  std::vector<Real> imaginary;

  explicit ComplexPart(std::size_t count) : real(count), imaginary(count) {}
  std::vector<Real> sum() const {
    std::vector<Real> result(real.size());
    std::transform(real.begin(), real.end(), imaginary.begin(), result.begin(), std::plus<>());
    return result;
  }
};

template <class Real>
class SplitRun {
 public:
  SplitRun(const TransformSplit& split, const std::vector<Real>& kernel, const Device& device,
           const ConvolverOptions& options, const ImageView& image)
      : split_(split),
        kernel_(kernel),
        device_(device),
        options_(options),
        image_(image),
        sources_(tile_sources(split.whole, {0, 0, 0})),
        sums_(static_cast<std::size_t>(num_voxels(output_shape(split.whole.spec)))) {}

  /// Of the shape of the output.
  std::vector<Real> run() {
    for (Index r = 0; r <= split_.num_parts / 2; ++r) add_part(r);
    return std::move(sums_);
  }

 private:
  const Shape& part_shape() const { return split_.part.image; }
  std::size_t part_voxels() const { return static_cast<std::size_t>(num_voxels(part_shape())); }
  const AxisPlan& axis(int number) const { return split_.whole.axes[static_cast<std::size_t>(number)]; }
  Index period() const { return axis(0).padded; }

  void add_part(Index r) {
    const ComplexPart<Real> image = part_of_image(r);
    const ComplexPart<Real> kernel = part_of_kernel(r);
    std::vector<Real> real = convolved(image.real, kernel.real);
    if (r == 0) {
      add_result(r, real, {});
      return;
    }
    // Three products make a complex one (Gauss).
    std::vector<Real> imaginary = convolved(image.sum(), kernel.sum());
    const std::vector<Real> of_imaginary = convolved(image.imaginary, kernel.imaginary);
    for (std::size_t i = 0; i < real.size(); ++i) {
      imaginary[i] -= real[i] + of_imaginary[i];
      real[i] -= of_imaginary[i];
    }
    add_result(r, real, imaginary);
  }

  ComplexPart<Real> part_of_image(Index r) const {
    ComplexPart<Real> part(part_voxels());
    const AxisSources& x = sources_[0];
    const AxisSources& y = sources_[1];
    const AxisSources& z = sources_[2];
    const ConvolutionSpec& spec = split_.whole.spec;
    const Real outside = reading_boundary(spec) == Boundary::constant ? static_cast<Real>(spec.constant) : Real(0);
    const bool zeroes = spec.non_finite == NonFinite::zero;
    with_element(image_.element, [&](auto type) {
      using T = decltype(type);
      const auto* voxels = static_cast<const T*>(image_.data);
      const auto value = [&](Index from_z, Index from_y, Index from_x) {
        if (from_z < 0 || from_y < 0 || from_x < 0) {
          return from_z == kPadding || from_y == kPadding || from_x == kPadding ? Real(0) : outside;
        }
        const auto voxel = static_cast<Real>(voxels[(from_z * spec.image.y + from_y) * spec.image.x + from_x]);
        return zeroes && !std::isfinite(voxel) ? Real(0) : voxel;
      };
      host_workers().for_each(axis(1).tile_input, 1, [&](int, Index begin, Index end) {
        for (Index row = begin; row < end; ++row) {
          for (Index plane = 0; plane < axis(0).tile_input; ++plane) {
            const Phase turn = phase(r * plane, period());
            const auto at = static_cast<std::size_t>((plane % part_shape().z * part_shape().y + row) * part_shape().x);
            for (Index i = 0; i < axis(2).tile_input; ++i) {
              const Real voxel =
                  value(z.positions[static_cast<std::size_t>(plane)], y.positions[static_cast<std::size_t>(row)],
                        x.positions[static_cast<std::size_t>(i)]);
              part.real[at + static_cast<std::size_t>(i)] += voxel * static_cast<Real>(turn.real);
              part.imaginary[at + static_cast<std::size_t>(i)] += voxel * static_cast<Real>(turn.imaginary);
            }
          }
        }
      });
    });
    return part;
  }

  ComplexPart<Real> part_of_kernel(Index r) const {
    ComplexPart<Real> part(part_voxels());
    const auto wrapped = [&](int number, Index t) {
      const Index shifted = (t - axis(number).kernel_delta) % axis(number).padded;
      return shifted < 0 ? shifted + axis(number).padded : shifted;
    };
    host_workers().for_each(axis(1).kernel_size, 1, [&](int, Index begin, Index end) {
      for (Index row = begin; row < end; ++row) {
        for (Index plane = 0; plane < axis(0).kernel_size; ++plane) {
          const Index to_plane = wrapped(0, plane + axis(0).kernel_begin);
          const Index to_row = wrapped(1, row + axis(1).kernel_begin);
          const Phase turn = phase(r * to_plane, period());
          const Real* from = kernel_.data() + (plane * axis(1).kernel_size + row) * axis(2).kernel_size;
          const Index at = (to_plane % part_shape().z * part_shape().y + to_row) * part_shape().x;
          for (Index i = 0; i < axis(2).kernel_size; ++i) {
            const auto to = static_cast<std::size_t>(at + wrapped(2, i + axis(2).kernel_begin));
            part.real[to] += from[i] * static_cast<Real>(turn.real);
            part.imaginary[to] += from[i] * static_cast<Real>(turn.imaginary);
          }
        }
      }
    });
    return part;
  }

  std::vector<Real> convolved(const std::vector<Real>& image, const std::vector<Real>& kernel) {
    ConvolverOptions options;
    options.plan = options_.plan;
    options.trace_memory = options_.trace_memory;
    options.sentinels = options_.sentinels;
    std::vector<Real> output(part_voxels());
    Convolver convolver(split_.part, ImageView(kernel, part_shape()), device_, options);
    convolver.run(ImageView(image, part_shape()), MutableImageView(output, part_shape()));
    tell();
    return output;
  }

  void tell() {
    ++num_passes_done_;
    const std::chrono::duration<double> elapsed = Clock::now() - start_;
    const Index num_passes = split_.num_passes();
    const bool go_on = !options_.progress || options_.progress({num_passes_done_, num_passes, elapsed.count()});
    if (!go_on && num_passes_done_ < num_passes) {
      throw Error(Errc::cancelled, fmt::format("stopped after pass {} of {}", num_passes_done_, num_passes));
    }
  }

  void add_result(Index r, const std::vector<Real>& real, const std::vector<Real>& imaginary) {
    const double share = (r == 0 ? 1.0 : 2.0) / static_cast<double>(split_.num_parts);
    const Shape shape = output_shape(split_.whole.spec);
    host_workers().for_each(shape.z * shape.y, 16, [&](int, Index begin, Index end) {
      for (Index row = begin; row < end; ++row) {
        const Index plane = row / shape.y;
        const Phase turn = phase(r * plane, period());
        const Index from = (plane % part_shape().z * part_shape().y + row % shape.y) * part_shape().x;
        Real* to = sums_.data() + row * shape.x;
        const auto cosine = static_cast<Real>(share * turn.real);
        for (Index i = 0; i < shape.x; ++i) to[i] += cosine * real[static_cast<std::size_t>(from + i)];
        if (r == 0) continue;
        // Turned back: the conjugate phase, of which the real part is wanted.
        const auto sine = static_cast<Real>(share * turn.imaginary);
        for (Index i = 0; i < shape.x; ++i) to[i] += sine * imaginary[static_cast<std::size_t>(from + i)];
      }
    });
  }

  const TransformSplit& split_;
  const std::vector<Real>& kernel_;
  const Device& device_;
  const ConvolverOptions& options_;
  ImageView image_;
  std::array<AxisSources, 3> sources_;
  std::vector<Real> sums_;
  Index num_passes_done_ = 0;
  Clock::time_point start_ = Clock::now();
};

template <class Real>
class SplitConvolutionAs final : public SplitConvolution {
 public:
  SplitConvolutionAs(const TransformSplit& split, const ImageView& kernel, double scale, const Device& device,
                     const ConvolverOptions& options)
      : split_(split), device_(device), options_(options), plan_(plan_of(split)) {
    const auto& [z, y, x] = split_.whole.axes;
    kernel_.resize(static_cast<std::size_t>(z.kernel_size * y.kernel_size * x.kernel_size));
    write_kernel(split_.whole, kernel, scale, kernel_.data());
    log("plan", "{}: {}", device_.info().id, plan_.reasons.front());
  }

  const Plan& plan() const override { return plan_; }

  RunReport run(const ImageView& image, const MutableImageView& output) override {
    RunReport report = described(image);
    const std::vector<Real> sums = sums_of(image);
    return completed(report, write_folded(sums.data(), output));
  }

  RunReport run(const ImageReader& reader, ImageWriter& writer) override {
    const Shape shape = reader.shape();
    const auto voxels = std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(num_voxels(shape)) *
                                                                    size_of(reader.element()));
    for (const PlacedBox& slab : slabs_of({{{0, 0, 0}, shape}, {0, 0, 0}}, reader.chunk(), kSlabVoxels)) {
      reader.read(slab.from, voxels.get() + offset_of(slab, shape) * size_of(reader.element()));
    }
    const ImageView image(voxels.get(), reader.element(), shape);
    RunReport report = described(image);
    const std::vector<Real> sums = sums_of(image);
    OutputSums outputs;
    std::vector<std::byte> written;
    for (const PlacedBox& slab : slabs_of({{{0, 0, 0}, writer.shape()}, {0, 0, 0}}, writer.chunk(), kSlabVoxels)) {
      written.resize(static_cast<std::size_t>(num_voxels(slab.from.size)) * size_of(writer.element()));
      outputs.add(write_folded(sums.data() + offset_of(slab, writer.shape()),
                               {written.data(), writer.element(), slab.from.size}));
      writer.write(slab.from, written.data());
    }
    return completed(report, outputs);
  }

 private:
  static std::size_t offset_of(const PlacedBox& slab, const Shape& shape) {
    return static_cast<std::size_t>((slab.to.z * shape.y + slab.to.y) * shape.x + slab.to.x);
  }

  std::vector<Real> sums_of(const ImageView& image) const {
    return SplitRun<Real>(split_, kernel_, device_, options_, image).run();
  }

  RunReport described(const ImageView& image) const {
    const InputSums inputs = scan(image);
    require_finite(plan_.spec, inputs);
    RunReport report;
    report.num_tiles = split_.num_passes();
    report.devices = {{device_.info().id, report.num_tiles, ""}};
    report.non_finite_voxels = inputs.non_finite;
    report.input_sum = inputs.sum;
    return report;
  }

  RunReport completed(RunReport report, const OutputSums& outputs) const {
    report.saturated_voxels = outputs.saturated;
    report.output_sum = outputs.sum;
    report.peak_device_bytes = split_.part_plan.footprint_bytes;
    return report;
  }

  TransformSplit split_;
  Device device_;
  ConvolverOptions options_;
  Plan plan_;
  std::vector<Real> kernel_;  // as the device is given it: rows of x
};

}  // namespace

std::optional<TransformSplit> better_split(const ConvolutionSpec& spec, const Device& device,
                                           const PlanOptions& options, const Plan* tiles) {
  if (options.min_tiles > 1 || options.choice || options.tile_output || options.resident) return {};
  if (tiles != nullptr && !halos_weigh(*tiles)) return {};
  PlanOptions with = options;
  with.host_memory_limit_bytes = host_memory_limit(options);
  const Limits limits = device.limits();
  const std::optional<TransformSplit> split = split_transform(spec, limits, with);
  if (!split || tiles == nullptr) return split;
  const double tiles_seconds = static_cast<double>(tiles->transfer_bytes) / limits.transfer_bytes_per_second;
  const double split_seconds = static_cast<double>(split->transfer_bytes) / limits.transfer_bytes_per_second +
                               host_bytes_summed(*split) / kHostBytesPerSecond;
  if (split_seconds >= tiles_seconds) return {};
  return split;
}

Plan plan_of(const TransformSplit& split) {
  Plan plan = split.part_plan;
  plan.spec = split.whole.spec;
  plan.transfer_bytes = split.transfer_bytes;
  plan.traffic_bytes *= static_cast<std::uint64_t>(split.num_passes());
  plan.predicted_seconds *= static_cast<double>(split.num_passes());
  plan.host_bytes = split.host_bytes;
  plan.host_ledger = {{"parts and sums", split.host_bytes, "of the split transform, with its kernel"}};
  plan.reasons.insert(plan.reasons.begin(),
                      fmt::format("the transform is split into {} parts of {} zyx, staged through host memory in {} "
                                  "passes: tiles with their halos do not fit, or would take longer over the bus",
                                  split.num_parts, to_text(split.part.image), split.num_passes()));
  return plan;
}

std::unique_ptr<SplitConvolution> make_split_convolution(const TransformSplit& split, const ImageView& kernel,
                                                         double scale, const Device& device,
                                                         const ConvolverOptions& options) {
  ConvolverOptions of_parts = options;
  of_parts.plan = {};
  of_parts.plan.memory_limit_bytes = options.plan.memory_limit_bytes;
  of_parts.plan.allow_native = options.plan.allow_native;
  of_parts.plan.allow_fused = options.plan.allow_fused;
  of_parts.plan.tuning = options.plan.tuning;
  of_parts.plan.max_sets = 1;
  of_parts.plan.deterministic = options.plan.deterministic;
  if (split.whole.spec.precision == Precision::f32) {
    return std::make_unique<SplitConvolutionAs<float>>(split, kernel, scale, device, of_parts);
  }
  return std::make_unique<SplitConvolutionAs<double>>(split, kernel, scale, device, of_parts);
}

}  // namespace convoy
