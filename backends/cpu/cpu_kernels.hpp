// The element-wise kernels on the CPU: the very texts the devices compile, compiled as C++.
#pragma once

#include <vector>

#include "common/worker_pool.hpp"
#include "program/program.hpp"

namespace convoy::backend::cpu {

/// Runs the dispatch on the slots' memory, in the dispatch's order.
void run_kernel(const Dispatch& dispatch, const std::vector<void*>& buffers, WorkerPool& pool);

}  // namespace convoy::backend::cpu
