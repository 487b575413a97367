#include "cli/memory_trace.hpp"

#include "cli/print.hpp"

namespace convoy::cli {

void print_used_memory(const std::string& step, std::uint64_t used_bytes) {
  constexpr double kGibi = 1U << 30;
  print_message("used {:9.3f} GiB  {:>15} bytes  {}\n", static_cast<double>(used_bytes) / kGibi, used_bytes, step);
}

}  // namespace convoy::cli
