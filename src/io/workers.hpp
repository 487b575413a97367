// Threads that decode and encode pieces of files, beside those that copy and compute.
#pragma once

#include <cstdint>

#include "base/worker_pool.hpp"

namespace convoy::io {

/// The process' own pool for this, made on first use.
WorkerPool& codec_workers();

/// Most memory for pieces of so many bytes that are being decoded or encoded at one time, with what is stored of them.
std::uint64_t codec_bytes(std::uint64_t piece_bytes);

}  // namespace convoy::io
