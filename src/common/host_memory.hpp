// How much memory this process may still take.
#pragma once

#include <cstdint>

namespace convoy {

/// The smaller of what the kernel calls available and what the control group leaves. In bytes.
std::uint64_t available_host_bytes();

}  // namespace convoy
