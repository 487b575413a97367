// Devices as the planner sees them.
#pragma once

#include "convoy/device.hpp"

namespace convoy::test {

/// A large GPU: 227 KiB of shared memory, 139 GiB free, 1 GiB of that reserved.
inline Limits large_gpu() {
  Limits limits;
  limits.total_bytes = 140ull << 30;
  limits.free_bytes = 139ull << 30;
  limits.reserve_bytes = 1ull << 30;
  limits.shared_memory_bytes = 227 * 1024;
  limits.coalesced_bytes = 32;
  limits.memory_bytes_per_second = 4e12;
  limits.transfer_bytes_per_second = 5e10;
  return limits;
}

/// The same, with copies that run beside the computing.
inline Limits overlapping_gpu() {
  Limits limits = large_gpu();
  limits.transfers_overlap = true;
  return limits;
}

/// One whose workgroups may wait for each other, and whose cache is faster than its memory.
inline Limits caching_gpu() {
  Limits limits = overlapping_gpu();
  limits.memory_bytes_per_second = 3e12;
  limits.cache_bytes = 50 << 20;
  limits.num_multiprocessors = 132;
  limits.workgroups_may_wait = true;
  return limits;
}

/// A GPU of lavapipe's making: bindings of 128 MiB, 32 KiB of shared memory.
inline Limits small_gpu() {
  Limits limits;
  limits.total_bytes = 8ull << 30;
  limits.free_bytes = 6ull << 30;
  limits.max_allocation_bytes = 2ull << 30;
  limits.max_binding_bytes = 128ull << 20;
  limits.shared_memory_bytes = 32 * 1024;
  limits.coalesced_bytes = 64;
  return limits;
}

inline Limits cpu() {
  Limits limits;
  limits.total_bytes = 16ull << 30;
  limits.free_bytes = 12ull << 30;
  return limits;
}

}  // namespace convoy::test
