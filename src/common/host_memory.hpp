// How much memory this process may still take.
#pragma once

#include <cstdint>

namespace convoy {

/// The smaller of what the kernel calls available and what the control group leaves. In bytes.
std::uint64_t available_host_bytes();

/// The smaller of the machine's memory and the control group's limit: the same as long as the process lives. In bytes.
std::uint64_t total_host_bytes();

}  // namespace convoy
