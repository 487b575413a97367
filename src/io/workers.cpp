#include "io/workers.hpp"

namespace convoy::io {

WorkerPool& codec_workers() {
  static WorkerPool workers(default_num_threads());
  return workers;
}

}  // namespace convoy::io
