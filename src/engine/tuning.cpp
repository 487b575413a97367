#include "engine/tuning.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <nlohmann/json.hpp>
#include <random>
#include <span>
#include <stdexcept>
#include <vector>

#include "backends/backend.hpp"
#include "base/disk_cache.hpp"
#include "base/json_text.hpp"
#include "base/log.hpp"
#include "base/stop_watch.hpp"
#include "base/worker_pool.hpp"
#include "convoy/version.hpp"
#include "dif_split/split_convolution.hpp"
#include "engine/tile_lanes.hpp"
#include "planner/search.hpp"

namespace convoy::inline v0 {
namespace {

using nlohmann::json;

json to_json(const Shape& shape) { return {shape.z, shape.y, shape.x}; }

/// Anything but a whole number from 0 on that fits makes the text no choice.
Index whole_number(const json& value) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > INT64_MAX) {
    throw std::invalid_argument("not a whole number");
  }
  return value.get<Index>();
}

Shape shape_from(const json& value) {
  return {whole_number(value.at(0)), whole_number(value.at(1)), whole_number(value.at(2))};
}

FilterStorage storage_from(const std::string& text) {
  for (const auto storage : {FilterStorage::automatic, FilterStorage::spectrum, FilterStorage::compact}) {
    if (text == name(storage)) return storage;
  }
  throw std::invalid_argument("no way to store a kernel");
}

/// Ways to cut and pad that are tried with the planner's own knobs; the best of them then gets the other knobs.
constexpr std::size_t kTilings = 5;
/// On a driver that compiles slowly fewer are tried.
constexpr double kMostTuningSeconds = 60;
constexpr double kRunSeconds = 0.1;
constexpr int kFewestRuns = 3;
/// Enough of them that the first and the last, which overlap with nothing, weigh little.
constexpr int kTilesInFlight = 12;

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
  const auto session = implementation_of(device).load(program, {});
  fill_port(*session, program, ports::kernel, 0, plan.spec.precision);
  session->submit(Section::setup, 0);
  session->wait(0);
  session->end_setup();
  for (int set = 0; set < program.num_in_flight; ++set) {
    fill_port(*session, program, ports::input, set, plan.spec.precision);
    session->submit(Section::run, set);
  }
  for (int set = 0; set < program.num_in_flight; ++set) session->wait(set);

  WorkerPool lanes(num_lanes(plan));
  const auto round_in_lanes = [&] {
    std::atomic<int> num_tiles{0};
    const auto start = Clock::now();
    for_each_lane(lanes, [&](int lane) {
      for (int tile = 0; tile < kTilesInFlight; ++tile) session->submit(Section::run, lane);
      num_tiles += kTilesInFlight;
    });
    return seconds_since(start) / num_tiles;
  };
  const auto round = [&] {
    if (lanes.num_threads() > 1) return round_in_lanes();
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

std::string wisdom_key(const ConvolutionSpec& spec, const DeviceInfo& device, const PlanOptions& options) {
  return fmt::format(
      "tuning of convoy {}\n{}\nimage {} region {} kernel {} mode {} boundary {} operation {} origin {} {} {}\nmemory "
      "limit {} "
      "path {} min tiles {} tile {} devices {} in flight {} to {} access {} threads {} pitch {} kernel {} kernels {} "
      "pairing {}",
      CONVOY_VERSION, device_identity(device), to_text(spec.image), spec.region ? to_text(*spec.region) : "all",
      to_text(spec.kernel), name(spec.mode), name(spec.boundary), name(spec.operation), name(spec.origin.rule),
      to_text(spec.origin.index), name(spec.precision), options.memory_limit_bytes,
      options.path ? name(*options.path) : "auto", options.min_tiles,
      options.tile_output ? to_text(*options.tile_output) : "any", options.num_devices, options.min_sets,
      options.max_sets, options.tuning.coalesced_bytes, options.tuning.aim_threads, options.tuning.pitch_alignment,
      name(options.tuning.filter_storage), spec.num_kernels, name(spec.pairing));
}

std::string to_text(const PlanChoice& choice) {
  const FftTuning& tuning = choice.tuning;
  return json{{"padded_zyx", to_json(choice.padded)},
              {"num_tiles_zyx", to_json(choice.num_tiles)},
              {"coalesced_bytes", tuning.coalesced_bytes},
              {"aim_threads", tuning.aim_threads},
              {"pitch_alignment", tuning.pitch_alignment},
              {"swap_strided_axes", tuning.swap_strided_axes},
              {"measure_transforms", tuning.measure_transforms},
              {"filter_storage", name(tuning.filter_storage)}}
      .dump();
}

std::optional<PlanChoice> choice_from_text(const std::string& text) {
  try {
    const json value = parse_json(text).value_or(nullptr);
    PlanChoice choice{shape_from(value.at("padded_zyx")), shape_from(value.at("num_tiles_zyx")), {}};
    choice.tuning.coalesced_bytes = static_cast<std::uint64_t>(whole_number(value.at("coalesced_bytes")));
    choice.tuning.aim_threads = static_cast<std::uint64_t>(whole_number(value.at("aim_threads")));
    choice.tuning.pitch_alignment = whole_number(value.at("pitch_alignment"));
    choice.tuning.swap_strided_axes = value.at("swap_strided_axes").get<bool>();
    choice.tuning.measure_transforms = value.at("measure_transforms").get<bool>();
    choice.tuning.filter_storage = storage_from(value.at("filter_storage").get<std::string>());
    return choice;
  } catch (const std::exception&) {
    return {};
  }
}

PlanOptions tuned(const ConvolutionSpec& spec, Device& device, const Limits& limits, const PlanOptions& options) {
  require_nothing_measured(options);
  if (options.tune != Tune::measure || options.choice || options.resident) return options;
  if (options.method != Method::fft && sums_directly(make_plan(spec, limits, options).path)) return options;
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

}  // namespace convoy::inline v0
