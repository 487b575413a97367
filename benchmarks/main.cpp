// convoy-bench: checks the answer first, then times it, beside the peers that this machine has.
#include <fmt/format.h>

#include <map>
#include <set>

#include "convoy/convoy.hpp"
#include "deconvolution.hpp"
#include "host_runs.hpp"
#include "options.hpp"
#include "peer.hpp"
#include "report.hpp"
#include "run_case.hpp"

namespace convoy::bench {
namespace {

struct OpenedDevice {
  Device device;
  Ceilings ceilings;
};

/// A case's voxels and their truth are made once for all devices that take it at one scale.
struct Prepared {
  Problem problem;
  Samples samples;
};

class Bench {
 public:
  explicit Bench(const Options& options) : options_(options) {}

  /// Whether everything that ran was right.
  bool run() {
    open_devices();
    fmt::print("{}", table_header());
    for (const BenchCase& one : options_.cases) {
      for (const convoy::Method method : options_.methods) {
        for (const SumTuning& tuning : options_.sum_tunings) run_case(one, {method, tuning});
      }
    }
    return all_right_;
  }

 private:
  void open_devices() {
    for (const std::string& id : options_.backends) {
      Device device = open_device(id);
      const Ceilings ceilings = options_.check_only ? Ceilings{} : measure_ceilings(device.info());
      fmt::print("{}: {}, {}\n", device.info().id, device.info().name, device.info().driver);
      if (!options_.check_only) {
        fmt::print("    copy {:.1f} GB/s, to device {:.1f} GB/s, to host {:.1f} GB/s ({})\n",
                   1e-9 * ceilings.copy_bytes_per_second, 1e-9 * ceilings.host_to_device_bytes_per_second,
                   1e-9 * ceilings.device_to_host_bytes_per_second, ceilings.measured_by);
      }
      devices_.push_back({std::move(device), ceilings});
    }
  }

  /// Rounds go over all devices and peers, so that what else the machine does meets all of them.
  void run_case(const BenchCase& whole, const Way& way) {
    std::vector<Result> of_case;
    for (int round = 0; round < options_.rounds; ++round) {
      std::size_t place = 0;
      for (Result& result : run_round(whole, way)) {
        if (place == of_case.size()) {
          of_case.push_back(std::move(result));
        } else {
          of_case[place].add_round(result);
        }
        ++place;
      }
    }
    for (Result& result : of_case) add(std::move(result));
  }

  std::vector<Result> run_round(const BenchCase& whole, const Way& way) {
    std::vector<Result> round;
    std::set<std::string> peers_done;
    for (OpenedDevice& opened : devices_) {
      const bool on_cpu = opened.device.info().type == DeviceType::cpu;
      const BenchCase one = on_cpu && options_.cpu_scales ? scaled(whole, whole.cpu_scale) : whole;
      const Prepared& prepared = prepare(one);
      round.push_back(run_convoy(prepared.problem, prepared.samples, opened.device, opened.ceilings, options_, way));
      if (options_.check_only) continue;
      // Once a round, however many of our devices a peer stands beside.
      const bool fftw = options_.peer_fftw && (on_cpu || options_.peer_fftw_beside_gpus);
      if (fftw && peers_done.insert(fmt::format("FFTW {}", one.scale)).second) {
        round.push_back(run_fftw_peer(prepared.problem, prepared.samples, options_.repeats));
      }
      const int ordinal = options_.peer_cufft && !on_cpu ? cuda_ordinal(opened.device.info()) : -1;
      if (ordinal >= 0 && peers_done.insert(fmt::format("cuFFT {}", ordinal)).second) {
        round.push_back(run_cufft_peer(prepared.problem, prepared.samples, ordinal, options_.repeats));
      }
    }
    return round;
  }

  const Prepared& prepare(const BenchCase& one) {
    const bool same =
        prepared_ && prepared_->problem.which.name == one.name && prepared_->problem.which.scale == one.scale;
    if (!same) {
      prepared_.reset();
      Problem problem = make_problem(one, options_.precision);
      Samples samples = make_samples(problem);
      prepared_ = Prepared{std::move(problem), std::move(samples)};
    }
    return *prepared_;
  }

  void add(Result result) {
    const bool ours = result.implementation == "convoy";
    const bool wrong = result.verdict.num_checked > 0 && !result.verdict.passed();
    if (wrong || (ours && !result.passed())) all_right_ = false;
    fmt::print("{}", table_line(result));
    std::fflush(stdout);
    results_.push_back(std::move(result));
    if (!options_.json_path.empty()) write_file(options_.json_path, to_json(results_, options_));
  }

  const Options& options_;
  std::vector<OpenedDevice> devices_;
  std::optional<Prepared> prepared_;
  std::vector<Result> results_;
  bool all_right_ = true;
};

int run(int argc, char** argv) {
  const Options options = parse_options(argc, argv);
  if (options.list) {
    fmt::print("{}", list_of_cases());
    return 0;
  }
  const bool all_right = options.deconvolution ? run_deconvolutions(options)
                         : options.host_runs   ? run_host_runs(options)
                                               : Bench(options).run();
  if (all_right) return 0;
  fmt::print("at least one answer was wrong or did not come\n");
  return 1;
}

}  // namespace
}  // namespace convoy::bench

int main(int argc, char** argv) {
  try {
    return convoy::bench::run(argc, argv);
  } catch (const convoy::bench::EndProgram& end) {
    return end.status;
  } catch (const std::exception& problem) {
    fmt::print(stderr, "convoy-bench: {}\n", problem.what());
    return 2;
  }
}
