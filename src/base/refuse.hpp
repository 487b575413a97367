// How a value of the caller's is refused.
#pragma once

#include <string>

#include "convoy/error.hpp"

namespace convoy::inline v0 {

[[noreturn]] inline void refuse(const std::string& message) { throw Error(Errc::invalid_argument, message); }

}  // namespace convoy::inline v0
