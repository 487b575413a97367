// Variables of the environment, or what the program set in their place (convoy/settings.hpp).
#pragma once

#include <cstdint>

namespace convoy::inline v0 {

/// Nullptr if it is unset or empty. Lasts until the variable is set again.
const char* setting(const char* name);
/// The same of a variable that is read once and for all: it cannot be set afterwards.
const char* setting_for_good(const char* name);
/// Changes whenever a variable is set.
std::uint64_t settings_version();

}  // namespace convoy::inline v0
