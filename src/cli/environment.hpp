// Environment variables with values that convoy cannot use.
#pragma once

#include <string>
#include <vector>

namespace convoy::cli {

/// One line for each variable whose value is ignored, with what it may be.
std::vector<std::string> environment_warnings();

}  // namespace convoy::cli
