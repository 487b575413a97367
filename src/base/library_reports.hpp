// What list_libraries() returns.
#pragma once

#include <string>

#include "convoy/libraries.hpp"

namespace convoy::inline v0 {

/// A search begins; what an earlier one for the same library found is forgotten. `variable` may be null. From any
/// thread, as the next.
void begin_report(const std::string& library, const char* variable);
/// Without a problem, the library was loaded from there.
void add_to_report(const std::string& library, const LibraryAttempt& attempt);
/// Of several that were loaded, the one that is used.
void report_used(const std::string& library, const std::string& name);

}  // namespace convoy::inline v0
