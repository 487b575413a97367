#include "device_model/device_model.hpp"

namespace convoy::inline v0 {
namespace {

/// Fitted to processor time on an EPYC of Zen 4 with FFTW 3.3.10, single precision (benchmarks/README.md): lines of 512
/// to 524288, planes of 128^2 to 512^2, and direct sums of 3^2 to 7^2 over tiles of 2048^2. Transforms are FFTW's: no
/// shared memory that long rows could fill, no copies.
const DeviceModel kCpu{.memory_bytes_per_second = 2e10,
                       .transfer_bytes_per_second = 0,
                       .tile_overhead_seconds = 1e-6,
                       .long_row = 1,
                       .products_per_byte = 0,
                       .products_per_thread_second = 3.8e10,
                       .host_element_seconds = 1.1e-9,
                       .host_stage_seconds = 0.12e-9,
                       .host_small_factor = 1.05,
                       .host_single_three = 1.4,
                       .host_large_factor = 1.4,
                       .host_odd_row = 2.5,
                       .host_long_row = 2048,
                       .host_long_row_seconds = 0.5e-9,
                       .host_longest_row = 1 << 17,
                       .host_longest_row_seconds = 3e-9,
                       .host_voxel_seconds = 0.4e-9,
                       .host_row_seconds = 80e-9,
                       .host_sum_seconds = 0.15e-9,
                       .host_cache_bytes = 1 << 20,
                       .host_seconds_per_byte = 0.1e-9,
                       .host_bytes_of_share = 128 << 10,
                       .host_loop_seconds = 6e-6};

const DeviceModel kGpu{};

/// Measured on H100 and H200.
const DeviceModel kGpuWithWaitingGroups{
    .products_per_multiprocessor_second = 1.8e11, .compact_filter_may_gain = true, .instructions_per_second = 1.8e11};

}  // namespace

const DeviceModel& model_of(const Limits& limits) {
  if (limits.shared_memory_bytes == 0) return kCpu;
  return limits.workgroups_may_wait ? kGpuWithWaitingGroups : kGpu;
}

}  // namespace convoy::inline v0
