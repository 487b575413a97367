#include "device_model/device_model.hpp"

namespace convoy {
namespace {

/// Transforms are FFTW's: no shared memory that long rows could fill, no copies. The memory rate is a guess. Sums over
/// the filter are twice as fast (4e10 products a thread with AVX-512), and so are transforms of 128^3 (13 ms, 33
/// predicted): these numbers let the one replace the other at 17^2 and 8^3, where 21^2 and 7^3 were measured.
const DeviceModel kCpu{.memory_bytes_per_second = 2e10,
                       .transfer_bytes_per_second = 0,
                       .long_row = 1,
                       .products_per_byte = 0,
                       .products_per_thread_second = 2.2e10,
                       .seconds_per_summed_byte = 1.9e-10};

const DeviceModel kGpu{};

/// Measured on H100 and H200.
const DeviceModel kGpuWithWaitingGroups{
    .products_per_multiprocessor_second = 1.8e11, .compact_filter_may_gain = true, .instructions_per_second = 1.8e11};

}  // namespace

const DeviceModel& model_of(const Limits& limits) {
  if (limits.shared_memory_bytes == 0) return kCpu;
  return limits.workgroups_may_wait ? kGpuWithWaitingGroups : kGpu;
}

}  // namespace convoy
