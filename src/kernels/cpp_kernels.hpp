// The element-wise kernels on the host: the very texts the devices compile, compiled as C++.
#pragma once

#include <vector>

#include "base/worker_pool.hpp"
#include "convoy/spec.hpp"
#include "kernels/kernel_spec.hpp"

namespace convoy::inline v0 {

/// Of a grid's rows of x, some.
struct RowsOfThreads {
  std::uint64_t begin = 0;
  std::uint64_t count = UINT64_MAX;  ///< at most
};

/// Runs the kernel on all threads (x, y, z), buffers and parameters in the spec's order; rows of x are shared out among
/// the workers; with `rows`, on those alone. Throws Error(unsupported) for a kernel that is not among kernels::all().
void run_on_host(const KernelSpec& kernel, Precision precision, const std::vector<void*>& buffers,
                 const std::vector<KernelParameter>& parameters, const std::array<std::uint64_t, 3>& threads,
                 WorkerPool& pool, const RowsOfThreads& rows = {});

}  // namespace convoy::inline v0
