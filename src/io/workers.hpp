// Threads that decode and encode pieces of files, beside those that copy and compute.
#pragma once

#include "common/worker_pool.hpp"

namespace convoy::io {

/// The process' own pool for this, made on first use.
WorkerPool& codec_workers();

}  // namespace convoy::io
