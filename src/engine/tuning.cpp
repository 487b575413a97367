#include "engine/tuning.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <span>
#include <vector>

#include "backends/backend.hpp"
#include "base/disk_cache.hpp"
#include "base/log.hpp"
#include "dif_split/split_convolution.hpp"
#include "engine/wisdom.hpp"
#include "planner/search.hpp"

namespace convoy {
namespace {

using Clock = std::chrono::steady_clock;

/// Ways to cut and pad that are tried with the planner's own knobs; the best of them then gets the other knobs.
constexpr std::size_t kTilings = 5;
/// On a driver that compiles slowly fewer are tried.
constexpr double kMostTuningSeconds = 60;
constexpr double kRunSeconds = 0.1;
constexpr int kFewestRuns = 3;
/// Enough of them that the first and the last, which overlap with nothing, weigh little.
constexpr int kTilesInFlight = 12;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

template <class Real>
void fill_with_noise(std::byte* port, std::uint64_t bytes) {
  std::minstd_rand random(1);
  std::uniform_real_distribution<Real> noise(-1, 1);
  const std::span reals(reinterpret_cast<Real*>(port), static_cast<std::size_t>(bytes / sizeof(Real)));
  std::generate(reals.begin(), reals.end(), [&] { return noise(random); });
}

void fill_port(backend::Session& session, const Program& program, PortId port, int set, Precision precision) {
  const std::uint64_t bytes = program.ports[static_cast<std::size_t>(port)].bytes;
  if (precision == Precision::f32) fill_with_noise<float>(session.port(port, set), bytes);
  if (precision == Precision::f64) fill_with_noise<double>(session.port(port, set), bytes);
}

/// Of the whole image, transfers included: tiles go round the sets as in a run.
double measured_seconds(const Plan& plan, Device& device) {
  const Program program = make_program(plan);
  const auto session = device.implementation().load(program, {});
  fill_port(*session, program, ports::kernel, 0, plan.spec.precision);
  session->submit(Section::setup, 0);
  session->wait(0);
  session->end_setup();
  for (int set = 0; set < program.num_in_flight; ++set) {
    fill_port(*session, program, ports::input, set, plan.spec.precision);
    session->submit(Section::run, set);
  }
  for (int set = 0; set < program.num_in_flight; ++set) session->wait(set);

  const auto round = [&] {
    const int num_tiles = program.num_in_flight > 1 ? kTilesInFlight : 1;
    const auto start = Clock::now();
    for (int tile = 0; tile < num_tiles; ++tile) {
      session->wait(tile % program.num_in_flight);
      session->submit(Section::run, tile % program.num_in_flight);
    }
    for (int set = 0; set < program.num_in_flight; ++set) session->wait(set);
    return seconds_since(start) / num_tiles;
  };
  double least_seconds = round();
  const auto start = Clock::now();
  for (int run = 1; run < kFewestRuns || seconds_since(start) < kRunSeconds; ++run) {
    least_seconds = std::min(least_seconds, round());
  }
  return least_seconds * static_cast<double>(plan.num_tiles());
}

class Tuning {
 public:
  Tuning(const ConvolutionSpec& spec, Device& device, const Limits& limits, const PlanOptions& options)
      : spec_(spec), device_(device), limits_(limits), options_(options) {}

  std::optional<PlanChoice> fastest() {
    for (PlanChoice choice : likeliest_choices(spec_, limits_, options_, kTilings)) {
      choice.tuning.measure_transforms = limits_.shared_memory_bytes == 0;
      consider(choice);
    }
    if (fastest_) {
      for (const PlanChoice& choice : other_knobs(*fastest_)) consider(choice);
    }
    return fastest_;
  }

 private:
  /// On a processor FFTW's own measuring is all there is to choose.
  std::vector<PlanChoice> other_knobs(const PlanChoice& base) const {
    std::vector<PlanChoice> choices;
    const auto add = [&](auto&& change) {
      PlanChoice choice = base;
      change(choice.tuning);
      choices.push_back(choice);
    };
    add([](FftTuning& tuning) { tuning.swap_strided_axes = true; });
    if (limits_.shared_memory_bytes == 0) return choices;
    for (const std::uint64_t bytes : {std::uint64_t{32}, std::uint64_t{64}, std::uint64_t{128}}) {
      if (bytes >= limits_.coalesced_bytes) add([&](FftTuning& tuning) { tuning.coalesced_bytes = bytes; });
    }
    add([](FftTuning& tuning) { tuning.aim_threads = 256; });
    add([](FftTuning& tuning) { tuning.pitch_alignment = 1; });
    for (const FilterStorage storage : {FilterStorage::spectrum, FilterStorage::compact}) {
      add([&](FftTuning& tuning) { tuning.filter_storage = storage; });
    }
    return choices;
  }

  void consider(const PlanChoice& choice) {
    if (seconds_since(start_) > kMostTuningSeconds) return;
    PlanOptions options = options_;
    options.choice = choice;
    try {
      const Plan plan = make_plan(spec_, limits_, options);
      const double seconds = measured_seconds(plan, device_);
      log("plan", "{}: tuning: {:.3f} ms (predicted {:.3f}) for {}", device_.info().id, 1e3 * seconds,
          1e3 * plan.predicted_seconds, to_text(choice));
      if (fastest_ && seconds >= least_seconds_) return;
      fastest_ = choice;
      least_seconds_ = seconds;
    } catch (const Error& problem) {
      if (problem.code() == Errc::device_lost) throw;
      log("plan", "{}: tuning: {} is left out: {}", device_.info().id, to_text(choice), problem.what());
    }
  }

  const ConvolutionSpec& spec_;
  Device& device_;
  const Limits& limits_;
  const PlanOptions& options_;
  Clock::time_point start_ = Clock::now();
  std::optional<PlanChoice> fastest_;
  double least_seconds_ = 0;
};

/// A remembered choice that this problem really has, within this memory.
std::optional<PlanChoice> known_choice(const std::string& key, const ConvolutionSpec& spec, const Device& device,
                                       const Limits& limits, const PlanOptions& options) {
  const std::optional<std::string> text = wisdom().find(key);
  if (!text) return {};
  const std::optional<PlanChoice> choice = choice_from_text(*text);
  if (!choice) {
    log("plan", "{}: the wisdom of this problem is damaged: it is measured anew", device.info().id);
    return {};
  }
  PlanOptions with = options;
  with.choice = choice;
  try {
    make_plan(spec, limits, with);
    return choice;
  } catch (const Error& problem) {
    log("plan", "{}: the wisdom does not fit: {}; it is measured anew", device.info().id, problem.what());
    return {};
  }
}

void require_nothing_measured(const PlanOptions& options) {
  if (!options.deterministic) return;
  if (options.tune == Tune::measure) {
    throw Error(Errc::invalid_argument,
                "a deterministic plan rests on no measured time, which tuning by measuring (--tune measure) does: use "
                "model or off");
  }
  if (options.tuning.measure_transforms || (options.choice && options.choice->tuning.measure_transforms)) {
    throw Error(Errc::invalid_argument,
                "FFTW's measuring (measure_transforms) gives other bits in another process: "
                "leave it out of a deterministic plan");
  }
}

}  // namespace

PlanOptions tuned(const ConvolutionSpec& spec, Device& device, const Limits& limits, const PlanOptions& options) {
  require_nothing_measured(options);
  if (options.tune != Tune::measure || options.choice || options.resident) return options;
  const std::string key = wisdom_key(spec, device.info(), options);
  PlanOptions result = options;
  result.choice = known_choice(key, spec, device, limits, options);
  if (result.choice) {
    log("plan", "{}: wisdom: {}", device.info().id, to_text(*result.choice));
    return result;
  }
  result.choice = Tuning(spec, device, limits, options).fastest();
  if (result.choice) wisdom().store(key, to_text(*result.choice));
  return result;
}

Plan make_plan(const ConvolutionSpec& spec, Device device, const PlanOptions& options) {
  const Limits limits = device.limits();
  try {
    const Plan tiles = make_plan(spec, limits, tuned(spec, device, limits, options));
    const auto better = better_split(spec, {device}, options, &tiles);
    return better ? plan_of(*better) : tiles;
  } catch (const Error& problem) {
    if (problem.code() != Errc::out_of_memory && problem.code() != Errc::unsupported) throw;
    const auto split = better_split(spec, {device}, options, nullptr);
    if (!split) throw;
    return plan_of(*split);
  }
}

}  // namespace convoy
