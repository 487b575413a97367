#include "resident.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

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

class Runs {
 public:
  Runs(Device& device, const Problem& problem, const PlanOptions& plan)
      : device_(device), problem_(problem), spec_(problem.spec) {
    spec_.batch = problem.which.batch;
    options_.plan = plan;
    options_.image = problem.which.element;
    image_ = DeviceBuffer(device, bytes_of(spec_.image, options_.image));
    fill(image_, problem, options_.image);
  }

  Verdict check(const Samples& samples, ResidentRuns& runs) {
    const bool single = spec_.precision == Precision::f32;
    options_.output = single ? Element::f32 : Element::f64;
    ResidentConvolver convolver(spec_, problem_.kernel_view(), device_, options_);
    runs.plan = convolver.plan();
    const DeviceBuffer output(device_, bytes_of(convolver.output_shape(), options_.output));
    convolver.run(array(image_, spec_.image, options_.image), array(output, convolver.output_shape(), options_.output));
    convolver.wait();
    Verdict worst;
    for (const Index image : {Index{0}, spec_.batch - 1}) {
      const Verdict one = single ? check_image<float>(output, problem_, samples, image)
                                 : check_image<double>(output, problem_, samples, image);
      if (worst.num_checked == 0 || one.relative_l2 > worst.relative_l2) worst = one;
    }
    return worst;
  }

  Times time(double floor_seconds, int repeats) {
    options_.output = options_.image;
    ResidentConvolver convolver(spec_, problem_.kernel_view(), device_, options_);
    const Shape shape = convolver.output_shape();
    const DeviceBuffer output(device_, bytes_of(shape, options_.output));
    const DeviceArray from = array(image_, spec_.image, options_.image);
    const DeviceArray to = array(output, shape, options_.output);
    const int runs = std::clamp(static_cast<int>(std::ceil(kTimedSeconds / floor_seconds)), 1, kMostRuns);
    const auto run_all = [&] {
      const Stopwatch watch;
      for (int i = 0; i < runs; ++i) convolver.run(from, to);
      convolver.wait();
      return watch.seconds();
    };
    run_all();  // warms caches, clocks and lazily loaded code
    return time_batches(repeats, kResidentBudgetSeconds, runs, run_all);
  }

 private:
  std::uint64_t bytes_of(const Shape& shape, Element element) const {
    return static_cast<std::uint64_t>(num_voxels(shape) * spec_.batch) * size_of(element);
  }
  DeviceArray array(const DeviceBuffer& buffer, const Shape& shape, Element element) const {
    return buffer.array(element, shape, spec_.batch);
  }

  Device& device_;
  const Problem& problem_;
  ConvolutionSpec spec_;
  ResidentOptions options_;
  DeviceBuffer image_;
};

}  // namespace

ResidentRuns run_resident(Device& device, const Problem& problem, const Samples& samples, const PlanOptions& plan,
                          double floor_seconds, int repeats, bool check_only) {
  ResidentRuns runs;
  std::uint64_t peak = 0;
  {
    Runs on_device(device, problem, plan);
    runs.verdict = on_device.check(samples, runs);
    peak = device.used_bytes();
    if (runs.verdict.passed() && !check_only) runs.times = on_device.time(floor_seconds, repeats);
  }
  const double images = static_cast<double>(problem.which.batch);
  runs.peak_device_bytes = std::max<std::uint64_t>(
      peak, static_cast<std::uint64_t>(images * static_cast<double>(num_voxels(problem.spec.image)) *
                                       static_cast<double>(2 * size_of(problem.which.element))) +
                runs.plan.footprint_bytes);
  return runs;
}

}  // namespace convoy::bench
