// The command line of convoy-bench.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench_case.hpp"
#include "convoy/deconvolution.hpp"
#include "convoy/plan.hpp"

namespace convoy::bench {

/// What an image in host memory lies in.
enum class MemoryKind { pinned, ordinary };
/// "pinned", "ordinary".
const char* name(MemoryKind kind);

struct Options {
  std::vector<std::string> backends;
  std::vector<BenchCase> cases;
  bool cpu_scales = false;  ///< on the CPU, each case at its cpu_scale
  Precision precision = Precision::f32;
  std::vector<convoy::Method> methods;  ///< each in turn
  std::vector<SumTuning> sum_tunings;   ///< with each of these
  std::optional<Path> path;             ///< empty: the planner's
  std::uint64_t memory_limit_bytes = 0;
  FftTuning tuning;
  Tune tune = Tune::model;
  int repeats = 11;
  int rounds = 1;
  bool host_to_host = true;
  bool check_only = false;
  bool deconvolution = false;  ///< Richardson-Lucy in place of convolutions
  std::vector<Edges> edges;
  std::vector<Acceleration> accelerations;
  Index iterations = 50;   ///< of a timed run
  bool host_runs = false;  ///< only runs from host memory to host memory
  bool together = false;   ///< of these, all devices in one run
  std::vector<MemoryKind> memory_kinds;
  std::optional<PlanChoice> choice;  ///< of these, in place of the planner's
  std::uint64_t piece_bytes = PlanOptions{}.piece_bytes;
  int max_sets = PlanOptions{}.max_sets;
  bool list = false;
  bool peer_cufft = false;
  bool peer_fftw = false;
  bool peer_fftw_beside_gpus = false;
  std::string json_path;
  std::string commit;
  std::string command;
};

/// The command line has been answered already (--help, --version, or what is wrong with it): end with this status.
struct EndProgram {
  int status;
};

/// Throws EndProgram and Error(invalid_argument).
Options parse_options(int argc, char** argv);

/// The cases with their sizes.
std::string list_of_cases();

}  // namespace convoy::bench
