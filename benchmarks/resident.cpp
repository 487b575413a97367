#include "resident.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "backends/backend.hpp"
#include "base/voxel_rows.hpp"
#include "convoy/device_buffer.hpp"
#include "convoy/resident.hpp"

namespace convoy::bench {
namespace {

constexpr double kTimedSeconds = 0.025;
constexpr double kResidentBudgetSeconds = 3;
constexpr int kMostRuns = 250;

/// Image i of a batch is the first one times this: exact, and no two neighbours are alike.
float factor_of(Index image, Element element) {
  return is_floating(element) ? 1 + static_cast<float>(image % 7) / 8 : static_cast<float>(1 + image % 2);
}

/// Writes the batch image by image, as the element.
void fill(DeviceBuffer& buffer, const Problem& problem, Element element) {
  const std::size_t count = problem.image.size();
  std::vector<std::byte> bytes(count * size_of(element));
  for (Index i = 0; i < problem.which.batch; ++i) {
    with_element(element, [&](auto voxel) {
      using T = decltype(voxel);
      auto* const to = reinterpret_cast<T*>(bytes.data());
      for (std::size_t v = 0; v < count; ++v) to[v] = static_cast<T>(problem.image[v] * factor_of(i, element));
    });
    buffer.write(bytes, static_cast<std::uint64_t>(i) * bytes.size());
  }
}

/// One image of the output, over its factor.
template <class Real>
Verdict check_image(const DeviceBuffer& buffer, const Problem& problem, const Samples& samples, Index image) {
  const Shape shape = output_shape(problem.spec);
  std::vector<Real> voxels(static_cast<std::size_t>(num_voxels(shape)));
  const auto bytes = std::as_writable_bytes(std::span(voxels));
  buffer.read(bytes, static_cast<std::uint64_t>(image) * bytes.size());
  for (Real& voxel : voxels) voxel /= static_cast<Real>(factor_of(image, problem.which.element));
  return check_output(problem, samples, ImageView(voxels, shape));
}

/// A convolver, and a device's arrays that it goes from and to.
class Loaded {
 public:
  Loaded(Device& device, const Problem& problem, const ConvolutionSpec& spec, const ResidentOptions& options,
         const DeviceBuffer& image)
      : convolver_(spec, problem.kernel_view(), device, options),
        output_(device, static_cast<std::uint64_t>(num_voxels(convolver_.output_shape()) * spec.batch) *
                            size_of(options.output)),
        from_(image.array(options.image, spec.image, spec.batch)),
        to_(output_.array(options.output, convolver_.output_shape(), spec.batch)) {}

  const Plan& plan() const { return convolver_.plan(); }
  const DeviceBuffer& output() const { return output_; }
  void run(int times) {
    for (int i = 0; i < times; ++i) convolver_.run(from_, to_);
    convolver_.wait();
  }

 private:
  ResidentConvolver convolver_;
  DeviceBuffer output_;
  DeviceArray from_;
  DeviceArray to_;
};

class Runs {
 public:
  Runs(Device& device, const Problem& problem, const PlanOptions& plan)
      : device_(device), problem_(problem), spec_(problem.spec) {
    spec_.batch = problem.which.batch;
    options_.plan = plan;
    options_.image = problem.which.element;
    options_.output = is_single() ? Element::f32 : Element::f64;
    image_ = DeviceBuffer(device,
                          static_cast<std::uint64_t>(num_voxels(spec_.image) * spec_.batch) * size_of(options_.image));
    fill(image_, problem, options_.image);
    load();
  }

  const Plan& plan() const { return loaded_->plan(); }

  /// With outputs of the precision.
  Verdict check(const Samples& samples) {
    loaded_->run(1);
    Verdict worst;
    for (const Index image : {Index{0}, spec_.batch - 1}) {
      const Verdict one = is_single() ? check_image<float>(loaded_->output(), problem_, samples, image)
                                      : check_image<double>(loaded_->output(), problem_, samples, image);
      if (worst.num_checked == 0 || one.relative_l2 > worst.relative_l2) worst = one;
    }
    return worst;
  }

  /// With outputs of the image's element.
  Times time(double floor_seconds, int repeats) {
    if (options_.output != options_.image) {
      options_.output = options_.image;
      load();
    }
    const int runs = std::clamp(static_cast<int>(std::ceil(kTimedSeconds / floor_seconds)), 1, kMostRuns);
    const auto run_all = [&] {
      const Stopwatch watch;
      loaded_->run(runs);
      return watch.seconds();
    };
    run_all();  // warms caches, clocks and lazily loaded code
    return time_batches(repeats, kResidentBudgetSeconds, runs, run_all);
  }

  /// The most since load() began: convolver, image and output.
  std::uint64_t peak_device_bytes() const { return implementation_of(device_).peak_bytes(); }

 private:
  bool is_single() const { return spec_.precision == Precision::f32; }
  void load() {
    loaded_.reset();
    implementation_of(device_).reset_peak();
    loaded_.emplace(device_, problem_, spec_, options_, image_);
  }

  Device& device_;
  const Problem& problem_;
  ConvolutionSpec spec_;
  ResidentOptions options_;
  DeviceBuffer image_;
  std::optional<Loaded> loaded_;
};

}  // namespace

ResidentRuns run_resident(Device& device, const Problem& problem, const Samples& samples, const PlanOptions& plan,
                          double floor_seconds, int repeats, bool check_only) {
  Runs on_device(device, problem, plan);
  ResidentRuns runs;
  runs.verdict = on_device.check(samples);
  if (runs.verdict.passed() && !check_only) runs.times = on_device.time(floor_seconds, repeats);
  runs.plan = on_device.plan();
  runs.peak_device_bytes = on_device.peak_device_bytes();
  return runs;
}

}  // namespace convoy::bench
