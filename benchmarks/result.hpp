// What is known of one case on one implementation. convoy and its peers fill in the same form.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "bench_case.hpp"
#include "ceilings.hpp"
#include "samples.hpp"
#include "times.hpp"

namespace convoy::bench {

/// What only convoy reports.
struct PlanFigures {
  std::string path;  ///< "fused" or "staged"
  Index num_tiles = 1;
  double plan_seconds = 0;        ///< make_plan alone
  double first_load_seconds = 0;  ///< the case's first Convolver: plan, memory, compilation, self-test, spectrum
  double next_load_seconds = 0;   ///< the second Convolver for the same case; 0 if not measured
  std::uint64_t footprint_bytes = 0;
  std::uint64_t peak_device_bytes = 0;    ///< by convoy's own count
  std::uint64_t driver_device_bytes = 0;  ///< what free memory fell by, as the driver reports; 0 on the CPU
  std::uint64_t traffic_bytes = 0;
  std::uint64_t transfer_bytes = 0;
  double floor_bytes = 0;
};

struct Result {
  BenchCase which;
  Precision precision = Precision::f32;
  std::string implementation;  ///< "convoy", "cuFFT", "FFTW" ...
  std::string backend;         ///< "cuda", "vulkan", "hip", "cpu"
  std::string device_id;
  std::string device_name;
  std::string driver;
  std::map<std::string, std::string> libraries;  ///< name -> version
  int num_threads = 0;                           ///< of the host
  Shape padded{0, 0, 0};
  Verdict verdict;
  std::string failure;  ///< empty, or why there are no times
  std::string note;
  std::optional<PlanFigures> plan;
  std::optional<Times> resident;          ///< image and spectrum in device memory already
  std::optional<Times> host_to_host;      ///< from ordinary memory to ordinary memory, plan and spectrum ready
  std::optional<Times> pinned_to_pinned;  ///< the same in memory that the device reaches by itself
  Index host_num_tiles = 1;               ///< of the plan of these two, which counts transfers
  int host_num_sets = 1;
  std::uint64_t device_bytes = 0;  ///< peers: their buffers and work areas
  Ceilings ceilings;
  std::optional<double> reference_floor_bytes;

  bool passed() const { return failure.empty() && verdict.passed(); }
  /// Takes the times of a later round of the same case in; a round that failed stays failed.
  void add_round(const Result& later);
};

}  // namespace convoy::bench
