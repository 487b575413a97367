// Numbers of bytes as people write them.
#pragma once

#include <cstdint>
#include <string>

#include "convoy/export.h"

namespace convoy::inline v0 {

/// "1.50 GiB". For people.
CONVOY_API std::string bytes_to_text(std::uint64_t bytes);

/// Reads "2GiB", "512MiB", "1.5GB", "1000000" (bytes); units B, kB, MB, GB, TB (powers of 1000), KiB, MiB, GiB, TiB and
/// K, M, G, T (powers of 1024), in any case. Throws Error(invalid_argument).
CONVOY_API std::uint64_t bytes_from_text(const std::string& text);

}  // namespace convoy::inline v0
