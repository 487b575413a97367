#include "host_runs.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/worker_pool.hpp"
#include "bus.hpp"
#include "convoy/convoy.hpp"
#include "host_rates.hpp"
#include "report.hpp"
#include "samples.hpp"
#include "selftest/tolerances.hpp"
#include "times.hpp"

namespace convoy::bench {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kHostRunBudgetSeconds = 10;

/// Room for floats, of one kind.
class Room {
 public:
  Room(MemoryKind kind, const Device& device, std::size_t count) {
    if (kind == MemoryKind::pinned) {
      pinned_ = PinnedBuffer(device, count * sizeof(float));
      voxels_ = pinned_.as<float>();
    } else {
      ordinary_ = std::make_unique_for_overwrite<float[]>(count);
      voxels_ = {ordinary_.get(), count};
    }
  }
  std::span<float> voxels() const { return voxels_; }

 private:
  PinnedBuffer pinned_;
  std::unique_ptr<float[]> ordinary_;
  std::span<float> voxels_;
};

void fill_with_nan(std::span<float> voxels) {
  host_workers().for_each(
      static_cast<std::int64_t>(voxels.size()), 1 << 20, [&](int, std::int64_t begin, std::int64_t end) {
        std::fill(voxels.begin() + begin, voxels.begin() + end, std::numeric_limits<float>::quiet_NaN());
      });
}

struct Team {
  std::vector<Device> devices;
  BusRates bus;

  std::string names() const {
    std::vector<std::string> ids;
    for (const Device& device : devices) ids.push_back(device.info().id);
    return fmt::format("{}", fmt::join(ids, ","));
  }
};

std::vector<Team> teams_of(const Options& options) {
  std::vector<Team> teams;
  for (const std::string& id : options.backends) {
    if (teams.empty() || !options.together) teams.emplace_back();
    teams.back().devices.push_back(open_device(id));
  }
  return teams;
}

class HostRun {
 public:
  HostRun(const BenchCase& which, MemoryKind kind, const Options& options)
      : kind_(kind), options_(options), problem_(make_problem_without_image(which, Precision::f32)) {}

  Json on(const Team& team) {
    Json json = describe(team);
    try {
      run(team, json);
    } catch (const Error& problem) {
      json["passed"] = false;
      json["failure"] = problem.what();
    }
    return json;
  }

 private:
  Json describe(const Team& team) const {
    const DeviceInfo& first = team.devices.front().info();
    return {{"case", problem_.which.name},
            {"scale", problem_.which.scale},
            {"image_zyx", zyx(problem_.spec.image)},
            {"kernel_zyx", zyx(problem_.spec.kernel)},
            {"mode", name(problem_.spec.mode)},
            {"precision", "f32"},
            {"implementation", "convoy"},
            {"backend", first.id.substr(0, first.id.find(':'))},
            {"device_id", team.names()},
            {"device", first.name},
            {"driver", first.driver},
            {"num_devices", team.devices.size()},
            {"num_threads", host_workers().num_threads()},
            {"memory", name(kind_)},
            {"memory_limit_bytes", options_.memory_limit_bytes}};
  }

  void run(const Team& team, Json& json) {
    ConvolverOptions with;
    with.plan.memory_limit_bytes = options_.memory_limit_bytes;
    with.plan.tune = options_.tune;
    with.plan.choice = options_.choice;
    with.plan.piece_bytes = options_.piece_bytes;
    with.plan.max_sets = options_.max_sets;
    Convolver convolver(problem_.spec, problem_.kernel_view(), team.devices, with);
    const Plan& plan = convolver.plan();
    json["path"] = name(plan.path);
    json["num_tiles"] = plan.num_tiles();
    json["tiles_in_flight"] = plan.num_in_flight;
    json["footprint_bytes"] = plan.footprint_bytes;
    json["transfer_bytes"] = plan.transfer_bytes;
    json["predicted_seconds"] = plan.predicted_seconds;
    json["padded_zyx"] = zyx(plan.padded());
    json["tiles_zyx"] = {plan.axes[0].num_tiles, plan.axes[1].num_tiles, plan.axes[2].num_tiles};
    json["device_axes"] = plan.device_axes;
    json["piece_bytes"] = options_.piece_bytes;

    const Device& device = team.devices.front();
    const Shape shape = convolver.output_shape();
    const Room image(kind_, device, static_cast<std::size_t>(num_voxels(problem_.spec.image)));
    const Room output(kind_, device, static_cast<std::size_t>(num_voxels(shape)));
    fill_with_image(image.voxels());
    fill_with_nan(output.voxels());
    const ImageView from(image.voxels().data(), Element::f32, problem_.spec.image);
    const MutableImageView to(output.voxels().data(), Element::f32, shape);
    const RunReport first = convolver.run(from, to);
    check(make_samples(problem_.spec, image.voxels(), problem_.kernel), to, json);
    for (const DeviceShare& share : first.devices) {
      if (!share.failure.empty()) throw Error(Errc::device_lost, fmt::format("{}: {}", share.id, share.failure));
    }
    if (!json["passed"].get<bool>() || options_.check_only) return;
    time(team.bus, convolver, from, to, json);
  }

  void check(const Samples& samples, const ImageView& output, Json& json) const {
    const double error = relative_error(samples, output);
    json["passed"] = error <= tolerances::convolution(Precision::f32);
    json["error_relative_l2"] = error;
    json["tolerance_relative_l2"] = tolerances::convolution(Precision::f32);
    json["num_voxels_checked"] = samples.positions.size();
  }

  void time(const BusRates& bus, Convolver& convolver, const ImageView& image, const MutableImageView& output,
            Json& json) const {
    RunReport last;
    const Times times = time_batches(options_.repeats, kHostRunBudgetSeconds, 1, [&] {
      last = convolver.run(image, output);
      return last.elapsed_seconds;
    });
    json["host_to_host_seconds"] = {{"min", times.min_seconds},
                                    {"median", times.median_seconds},
                                    {"max", times.max_seconds},
                                    {"num_batches", times.num_batches}};
    json["tiles_by_device"] = Json::object();
    for (std::size_t i = 0; i < last.devices.size(); ++i) {
      json["tiles_by_device"][fmt::format("{} {}", i, last.devices[i].id)] = last.devices[i].num_tiles;
    }
    const double up = sizeof(float) * static_cast<double>(num_voxels(image.shape));
    const double down = sizeof(float) * static_cast<double>(num_voxels(output.shape));
    json["image_and_output_bytes_per_second"] = (up + down) / times.median_seconds;
    if (!bus.measured()) return;
    const double bound = bus.bound_seconds(up, down);
    json["bus_up_bytes_per_second"] = bus.up_bytes_per_second;
    json["bus_down_bytes_per_second"] = bus.down_bytes_per_second;
    json["bus_both_bytes_per_second"] = bus.both_bytes_per_second;
    json["bus_measured_by"] = bus.measured_by;
    json["bus_bound_seconds"] = bound;
    json["host_to_host_over_bus_bound"] = times.median_seconds / bound;
    json["share_of_bus_bound"] = bound / times.median_seconds;
  }

  MemoryKind kind_;
  const Options& options_;
  Problem problem_;
};

std::string line_of(const Json& json) {
  std::string line = fmt::format(
      "{:<10}{:<18}{:<10}{:<10}", json["case"].get<std::string>(), json["device_id"].get<std::string>(),
      json["memory"].get<std::string>(),
      json.contains("num_tiles") ? fmt::format("{}x{}", json["path"].get<std::string>(), json["num_tiles"].get<Index>())
                                 : "-");
  if (json.contains("failure")) return line + fmt::format("not measured: {}\n", json["failure"].get<std::string>());
  line += fmt::format("{:>9.1e}", json["error_relative_l2"].get<double>());
  if (!json["passed"].get<bool>()) return line + "  WRONG\n";
  if (!json.contains("host_to_host_seconds")) return line + "\n";
  line += fmt::format("{:>12.3f}{:>10.1f}", 1e3 * json["host_to_host_seconds"]["median"].get<double>(),
                      1e-9 * json["image_and_output_bytes_per_second"].get<double>());
  if (!json.contains("bus_bound_seconds")) return line + "         -         -\n";
  return line + fmt::format("{:>10.2f}{:>10.0f}\n", json["host_to_host_over_bus_bound"].get<double>(),
                            100 * json["share_of_bus_bound"].get<double>());
}

Json printed_host_rates() {
  const HostRates rates = measure_host();
  fmt::print(
      "host, {} threads: copied and summed {:.1f}, only summed {:.1f}, into a ring of 16 MiB {:.1f}, out of it {:.1f} "
      "GB/s\n",
      host_workers().num_threads(), 1e-9 * rates.copy, 1e-9 * rates.sum, 1e-9 * rates.into_ring,
      1e-9 * rates.from_ring);
  return {
      {"copy_and_sum", rates.copy}, {"sum", rates.sum}, {"into_ring", rates.into_ring}, {"from_ring", rates.from_ring}};
}

}  // namespace

bool run_host_runs(const Options& options) {
  std::vector<Team> teams = teams_of(options);
  for (Team& team : teams) {
    if (!options.check_only) team.bus = measure_bus(team.devices);
    fmt::print("{}: bus up {:.1f}, down {:.1f}, both at once {:.1f} GB/s ({})\n", team.names(),
               1e-9 * team.bus.up_bytes_per_second, 1e-9 * team.bus.down_bytes_per_second,
               1e-9 * team.bus.both_bytes_per_second, team.bus.measured() ? team.bus.measured_by : "not measured");
  }
  Json document = document_head(options);
  if (!options.check_only) document["host_bytes_per_second"] = printed_host_rates();
  fmt::print("{:<10}{:<18}{:<10}{:<10}{:>9}{:>12}{:>10}{:>10}{:>10}\n", "case", "on", "memory", "path", "error", "ms",
             "GB/s", "/bound", "% bound");
  bool all_right = true;
  for (const BenchCase& which : options.cases) {
    for (const Team& team : teams) {
      for (const MemoryKind kind : options.memory_kinds) {
        const Json json = HostRun(which, kind, options).on(team);
        all_right = all_right && json["passed"].get<bool>();
        fmt::print("{}", line_of(json));
        std::fflush(stdout);
        document["results"].push_back(json);
        if (!options.json_path.empty()) write_file(options.json_path, document.dump(1) + "\n");
      }
    }
  }
  return all_right;
}

}  // namespace convoy::bench
