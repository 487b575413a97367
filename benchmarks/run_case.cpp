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
  ConvoyCase(const Problem& problem, const Samples& samples, Device& device, const Options& options, Result& result)
      : problem_(problem), samples_(samples), device_(device), options_(options), result_(result) {
    convolver_options_.plan.memory_limit_bytes = options.memory_limit_bytes;
    convolver_options_.plan.path = options.path;
    convolver_options_.plan.choice = options.choice;
    convolver_options_.plan.tuning = options.tuning;
    convolver_options_.plan.tune = options.tune;
    convolver_options_.plan.max_sets = 1;
    if (!on_cpu() && !options.choice && options.tune != Tune::measure) take_plan_without_transfers();
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
    time_planning(figures);
    const std::uint64_t free_before = device_.limits().free_bytes;
    auto convolver = load(figures.first_load_seconds);
    const Plan plan = convolver->plan();
    describe(plan, figures);

    const Shape shape = convolver->output_shape();
    std::vector<Real> output(static_cast<std::size_t>(num_voxels(shape)), std::numeric_limits<Real>::quiet_NaN());
    const MutableImageView output_view(output, shape);
    figures.peak_device_bytes = convolver->run(problem_.image_view(), output_view).peak_device_bytes;
    const std::uint64_t free_after = device_.limits().free_bytes;
    if (!on_cpu() && free_before > free_after) figures.driver_device_bytes = free_before - free_after;
    result_.verdict = check_output(problem_, samples_, output_view);
    if (!result_.verdict.passed() || options_.check_only) return;

    if (on_cpu()) result_.host_to_host = time_runs(*convolver, problem_.image_view(), output_view);
    convolver.reset();
    if (options_.host_to_host && !on_cpu()) time_host_to_host<Real>(output_view);
    if (!result_.verdict.passed()) return;
    load(figures.next_load_seconds).reset();
    if (options_.arrays) return time_arrays_of(figures);
    const Times tile = time_resident(device_, plan, problem_, expected_seconds(figures), options_.repeats);
    result_.resident = scaled(tile, static_cast<double>(figures.num_tiles));
  }

  static Times time_runs(Convolver& convolver, const ImageView& image, const MutableImageView& output) {
    return time_batches(kHostRuns, kHostBudgetSeconds, 1, [&] { return convolver.run(image, output).elapsed_seconds; });
  }

  Plan resident_plan() const {
    ConvolutionSpec spec = problem_.spec;
    spec.origin = Origin::at(resolve_origin(spec, nullptr));
    PlanOptions options = convolver_options_.plan;
    options.resident = true;
    return make_plan(spec, device_.limits(), options);
  }

  /// The convolution that is timed in device memory is the one that a plan for device memory makes.
  void take_plan_without_transfers() {
    const Plan plan = resident_plan();
    PlanChoice choice{plan.padded(), {1, 1, 1}, convolver_options_.plan.tuning};
    for (int axis = 0; axis < 3; ++axis) choice.num_tiles[axis] = plan.axes[static_cast<std::size_t>(axis)].num_tiles;
    convolver_options_.plan.choice = choice;
  }

  void time_arrays_of(PlanFigures& figures) {
    const Plan plan = resident_plan();
    const double seconds = expected_seconds(figures) * static_cast<double>(figures.num_tiles);
    describe(plan, figures);
    result_.resident = time_arrays(device_, plan, problem_, seconds, options_.repeats);
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

  /// A CPU's run has no transfers in it, so that its time is known by now.
  double expected_seconds(const PlanFigures& figures) const {
    if (on_cpu()) return result_.host_to_host->min_seconds / static_cast<double>(figures.num_tiles);
    const double rate = result_.ceilings.copy_bytes_per_second;
    return rate > 0 ? figures.floor_bytes / static_cast<double>(figures.num_tiles) / rate : 1e-3;
  }

  void time_planning(PlanFigures& figures) const {
    ConvolutionSpec spec = problem_.spec;
    spec.origin = Origin::at(resolve_origin(spec, nullptr));
    const Limits limits = device_.limits();
    const Stopwatch watch;
    make_plan(spec, limits, convolver_options_.plan);
    figures.plan_seconds = watch.seconds();
  }

  std::unique_ptr<Convolver> load(double& seconds) {
    const Stopwatch watch;
    auto convolver = std::make_unique<Convolver>(problem_.spec, problem_.kernel_view(), device_, convolver_options_);
    seconds = watch.seconds();
    return convolver;
  }

  void describe(const Plan& plan, PlanFigures& figures) {
    result_.padded = plan.padded();
    figures.path = name(plan.path);
    figures.num_tiles = plan.num_tiles();
    figures.footprint_bytes = plan.footprint_bytes;
    figures.traffic_bytes = plan.traffic_bytes;
    figures.transfer_bytes = plan.transfer_bytes;
    figures.floor_bytes = floor_bytes(plan);
  }

  bool on_cpu() const { return device_.info().type == DeviceType::cpu; }

  const Problem& problem_;
  const Samples& samples_;
  Device& device_;
  const Options& options_;
  Result& result_;
  ConvolverOptions convolver_options_;
};

}  // namespace

Result run_convoy(const Problem& problem, const Samples& samples, Device& device, const Ceilings& ceilings,
                  const Options& options) {
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
    ConvoyCase(problem, samples, device, options, result).run();
  } catch (const Error& problem_met) {
    result.failure = fmt::format("{}: {}", name(problem_met.code()), problem_met.what());
  }
  return result;
}

}  // namespace convoy::bench
