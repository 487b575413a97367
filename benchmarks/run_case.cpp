#include "run_case.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "backends/backend.hpp"
#include "base/worker_pool.hpp"
#include "convoy/convoy.hpp"
#include "floors.hpp"
#include "planner/origin.hpp"
#include "resident.hpp"

namespace convoy::bench {
namespace {

constexpr int kHostRuns = 7;
constexpr double kHostBudgetSeconds = 3;

class ConvoyCase {
 public:
  ConvoyCase(const Problem& problem, const Samples& samples, Device& device, const Options& options, const Way& way,
             Result& result)
      : problem_(problem), spec_(problem.spec), samples_(samples), device_(device), options_(options), result_(result) {
    convolver_options_.plan.memory_limit_bytes = options.memory_limit_bytes;
    convolver_options_.plan.path = options.path;
    convolver_options_.plan.method = way.method;
    convolver_options_.plan.sum_tuning = way.sum_tuning;
    convolver_options_.plan.choice = options.choice;
    convolver_options_.plan.tuning = options.tuning;
    convolver_options_.plan.tune = options.tune;
    if (!on_cpu()) convolver_options_.plan.max_sets = 1;
    spec_.batch = problem.which.batch;
  }

  void run() {
    if (problem_.spec.precision == Precision::f32) {
      run_as<float>();
    } else {
      run_as<double>();
    }
  }

 private:
  template <class Real>
  void run_as() {
    PlanFigures& figures = result_.plan.emplace();
    if (on_host()) run_from_host<Real>(figures);
    const bool right_so_far = result_.failure.empty() && (!on_host() || result_.verdict.passed());
    if (right_so_far && (!on_cpu() || !on_host())) run_on_device(figures);
  }

  /// Batches, and voxels that are not the precision's, are convolved where they lie on the device, if that is not the
  /// host.
  bool on_host() const {
    return (problem_.which.batch == 1 || on_cpu()) && problem_.which.element == Element::f32 && !is_tuned();
  }
  bool is_tuned() const { return convolver_options_.plan.sum_tuning != SumTuning{}; }

  template <class Real>
  void run_from_host(PlanFigures& figures) {
    time_planning(figures);
    const std::uint64_t free_before = device_.limits().free_bytes;
    auto convolver = load(figures.first_load_seconds);
    const Plan plan = convolver->plan();
    describe(plan, figures);

    const Shape shape = convolver->output_shape();
    const std::vector<float> images = images_of_batch();
    const ImageView image_view = images.empty() ? problem_.image_view() : ImageView(images, spec_.image, spec_.batch);
    std::vector<Real> output(static_cast<std::size_t>(num_voxels(shape) * spec_.batch),
                             std::numeric_limits<Real>::quiet_NaN());
    const MutableImageView output_view(output, shape, spec_.batch);
    figures.peak_device_bytes = convolver->run(image_view, output_view).peak_device_bytes;
    const std::uint64_t free_after = device_.limits().free_bytes;
    if (!on_cpu() && free_before > free_after) figures.driver_device_bytes = free_before - free_after;
    result_.verdict = check_output(problem_, samples_, output_view.image(spec_.batch - 1));
    if (!result_.verdict.passed() || options_.check_only) return;

    if (on_cpu()) {  // whose memory is the host's
      result_.host_to_host = time_runs(*convolver, image_view, output_view);
      result_.resident = result_.host_to_host;
    }
    convolver.reset();
    if (options_.host_to_host && !on_cpu()) time_host_to_host<Real>(output_view);
    if (!result_.verdict.passed()) return;
    load(figures.next_load_seconds).reset();
  }

  /// One behind the other; nothing of a single one.
  std::vector<float> images_of_batch() const {
    std::vector<float> images;
    if (spec_.batch == 1) return images;
    images.reserve(problem_.image.size() * static_cast<std::size_t>(spec_.batch));
    for (Index i = 0; i < spec_.batch; ++i) images.insert(images.end(), problem_.image.begin(), problem_.image.end());
    return images;
  }

  void run_on_device(PlanFigures& figures) {
    const double rate = result_.ceilings.copy_bytes_per_second;
    const double bytes = compulsory_bytes(problem_.which);
    const ResidentRuns runs = run_resident(device_, problem_, samples_, convolver_options_.plan,
                                           rate > 0 ? bytes / rate : 1e-3, options_.repeats, options_.check_only);
    result_.verdict = runs.verdict;
    describe(runs.plan, figures);
    figures.peak_device_bytes = runs.peak_device_bytes;
    if (runs.verdict.passed() && !options_.check_only) result_.resident = runs.times;
  }

  static Times time_runs(Convolver& convolver, const ImageView& image, const MutableImageView& output) {
    return time_batches(kHostRuns, kHostBudgetSeconds, 1, [&] { return convolver.run(image, output).elapsed_seconds; });
  }

  /// With a plan that cuts the image where that lets transfers overlap.
  template <class Real>
  void time_host_to_host(const MutableImageView& output) {
    ConvolverOptions options = convolver_options_;
    options.plan.max_sets = PlanOptions{}.max_sets;
    options.plan.choice = options_.choice;
    Convolver convolver(problem_.spec, problem_.kernel_view(), device_, options);
    result_.host_num_tiles = convolver.plan().num_tiles();
    result_.host_num_sets = convolver.plan().num_in_flight;
    convolver.run(problem_.image_view(), output);
    result_.verdict = check_output(problem_, samples_, output);
    if (!result_.verdict.passed()) return;
    result_.host_to_host = time_runs(convolver, problem_.image_view(), output);

    const auto count = static_cast<std::size_t>(num_voxels(output.shape));
    PinnedBuffer image(device_, problem_.image.size() * sizeof(Real));
    PinnedBuffer pinned_output(device_, count * sizeof(Real));
    std::copy(problem_.image.begin(), problem_.image.end(), image.as<Real>().begin());
    const MutableImageView pinned_view(pinned_output.as<Real>().first(count), output.shape);
    convolver.run(ImageView(image.as<Real>(), problem_.spec.image), pinned_view);
    result_.verdict = check_output(problem_, samples_, pinned_view);
    if (!result_.verdict.passed()) return;
    result_.pinned_to_pinned = time_runs(convolver, ImageView(image.as<Real>(), problem_.spec.image), pinned_view);
  }

  void time_planning(PlanFigures& figures) const {
    ConvolutionSpec spec = spec_;
    spec.origin = Origin::at(resolve_origin(spec, nullptr));
    const Limits limits = device_.limits();
    const Stopwatch watch;
    make_plan(spec, limits, convolver_options_.plan);
    figures.plan_seconds = watch.seconds();
  }

  std::unique_ptr<Convolver> load(double& seconds) {
    const Stopwatch watch;
    auto convolver = std::make_unique<Convolver>(spec_, problem_.kernel_view(), device_, convolver_options_);
    seconds = watch.seconds();
    return convolver;
  }

  void describe(const Plan& plan, PlanFigures& figures) {
    result_.padded = plan.padded();
    figures.path = name(plan.path);
    if (is_tuned()) {
      const SumTuning& tuning = plan.sum_tuning;
      figures.path += fmt::format(" {},{},{},{}", tuning.threads_y, tuning.rows, tuning.planes, tuning.run);
    }
    figures.num_tiles = plan.num_tiles();
    figures.footprint_bytes = plan.footprint_bytes;
    figures.traffic_bytes = plan.traffic_bytes;
    figures.transfer_bytes = plan.transfer_bytes;
    figures.floor_bytes = floor_bytes(plan);
  }

  bool on_cpu() const { return device_.info().type == DeviceType::cpu; }

  const Problem& problem_;
  ConvolutionSpec spec_;  // of all images
  const Samples& samples_;
  Device& device_;
  const Options& options_;
  Result& result_;
  ConvolverOptions convolver_options_;
};

}  // namespace

Result run_convoy(const Problem& problem, const Samples& samples, Device& device, const Ceilings& ceilings,
                  const Options& options, const Way& way) {
  const DeviceInfo& info = device.info();
  Result result;
  result.which = problem.which;
  result.precision = problem.spec.precision;
  result.implementation = "convoy";
  result.backend = info.id.substr(0, info.id.find(':'));
  result.device_id = info.id;
  result.device_name = info.name;
  result.driver = info.driver;
  result.num_threads = host_workers().num_threads();
  result.ceilings = ceilings;
  result.reference_floor_bytes = reference_floor_bytes(problem.which, problem.spec.precision);
  try {
    ConvoyCase(problem, samples, device, options, way, result).run();
  } catch (const Error& problem_met) {
    result.failure = fmt::format("{}: {}", name(problem_met.code()), problem_met.what());
  }
  return result;
}

}  // namespace convoy::bench
