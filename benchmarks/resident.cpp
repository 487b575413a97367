#include "resident.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>
#include <vector>

#include "backends/backend.hpp"
#include "device_arrays/program.hpp"
#include "engine/checks.hpp"
#include "engine/filter.hpp"
#include "engine/gather.hpp"

namespace convoy::bench {
namespace {

constexpr double kBatchSeconds = 0.025;
constexpr double kBudgetSeconds = 3;
constexpr int kMaxBatch = 250;  // with the repeats, far below what repeatable_kernel() bears

/// The plan's program with the image uploaded once in the set-up, and nothing but `batch` convolutions, each in place
/// of the one before, in the run.
Program resident_program(Plan plan, int batch) {
  const auto last = static_cast<std::size_t>(plan.num_transforms - 1);
  plan.piece_extent = plan.axes[static_cast<std::size_t>(plan.device_axes[last])].extent;  // nothing comes in pieces
  Program program = make_program(plan);
  program.ports[ports::input].section = Section::setup;
  program.ports.resize(ports::output);
  std::vector<Step> convolution;
  for (const Step& step : std::exchange(program.run, {})) {
    if (std::holds_alternative<Download>(step)) continue;
    (std::holds_alternative<Upload>(step) ? program.setup : convolution).push_back(step);
  }
  for (int i = 0; i < batch; ++i) program.run.insert(program.run.end(), convolution.begin(), convolution.end());
  return program;
}

/// The program of a resident run whose arrays are slots of its own, zero at first.
Program arrays_program(const Plan& plan) {
  const Element real = plan.spec.precision == Precision::f32 ? Element::f32 : Element::f64;
  Program program = make_program(DeviceArraysPlan{plan, real, real});
  for (std::size_t id = 0; id < program.slots.size(); ++id) {
    if (!program.slots[id].external) continue;
    program.slots[id].external = false;
    program.setup.emplace_back(Clear{static_cast<SlotId>(id)});
  }
  return program;
}

template <class Real>
void fill_kernel(backend::Session& session, const Plan& plan, const Problem& problem) {
  const std::vector<float> kernel = repeatable_kernel(problem.spec);
  write_filter(plan, ImageView(kernel, problem.spec.kernel), 1.0,
               reinterpret_cast<Real*>(session.port(ports::kernel, 0)));
}

template <class Real>
void fill_ports(backend::Session& session, const Plan& plan, const Problem& problem) {
  fill_kernel<Real>(session, plan, problem);
  gather_tile(plan, input_from_image(plan, problem.image_view(), tile_index(plan, 0)), voxel_rules(plan, 1.0),
              reinterpret_cast<Real*>(session.port(ports::input, 0)));
}

int batch_of(double expected_seconds) {
  return std::clamp(static_cast<int>(std::ceil(kBatchSeconds / expected_seconds)), 1, kMaxBatch);
}

void set_up(backend::Session& session) {
  session.submit(Section::setup, 0);
  session.wait(0);
  session.end_setup();
}

/// `batch` convolutions, in `times` repetitions of the run section.
Times time_runs(backend::Session& session, int batch, int times, int repeats) {
  const auto run_batch = [&] {
    const Stopwatch watch;
    session.submit(Section::run, 0, times);
    session.wait(0);
    return watch.seconds();
  };
  run_batch();  // warms caches, clocks and lazily loaded code
  return time_batches(repeats, kBudgetSeconds, batch, run_batch);
}

}  // namespace

Times time_resident(Device& device, const Plan& plan, const Problem& problem, double expected_seconds, int repeats) {
  const int batch = batch_of(expected_seconds);
  const auto session = device.implementation().load(resident_program(plan, batch), {});
  if (problem.spec.precision == Precision::f32) {
    fill_ports<float>(*session, plan, problem);
  } else {
    fill_ports<double>(*session, plan, problem);
  }
  set_up(*session);
  return time_runs(*session, batch, 1, repeats);
}

Times time_arrays(Device& device, const Plan& plan, const Problem& problem, double expected_seconds, int repeats) {
  const int batch = batch_of(expected_seconds);
  const auto session = device.implementation().load(arrays_program(plan), {});
  if (problem.spec.precision == Precision::f32) {
    fill_kernel<float>(*session, plan, problem);
  } else {
    fill_kernel<double>(*session, plan, problem);
  }
  set_up(*session);
  return time_runs(*session, batch, batch, repeats);
}

}  // namespace convoy::bench
