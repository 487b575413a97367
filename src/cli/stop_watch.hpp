#pragma once

#include <chrono>
#include <utility>

namespace convoy::cli {

/// Seconds since the watch was made or last read.
class StopWatch {
 public:
  double lap_seconds() {
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(now - std::exchange(start_, now)).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace convoy::cli
