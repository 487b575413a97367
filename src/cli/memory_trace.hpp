// --trace-memory
#pragma once

#include <cstdint>
#include <string>

namespace convoy::cli {

/// One line on stderr: what convoy holds on the device after a step.
void print_used_memory(const std::string& step, std::uint64_t used_bytes);

}  // namespace convoy::cli
