// Writing to the log sink (convoy/log.hpp).
#pragma once

#include <fmt/format.h>

#include <string_view>

#include "convoy/log.hpp"

namespace convoy::inline v0 {

bool log_wanted(std::string_view topic);
void log_text(std::string_view topic, std::string_view message);

/// log("plan", "tile {} of {}", i, n): formats only where the topic is wanted.
template <class... T>
void log(std::string_view topic, fmt::format_string<T...> format, T&&... values) {
  if (log_wanted(topic)) log_text(topic, fmt::format(format, std::forward<T>(values)...));
}

}  // namespace convoy::inline v0
