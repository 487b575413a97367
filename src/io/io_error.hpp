// Errors of files name the file first.
#pragma once

#include <fmt/format.h>

#include <string>

#include "convoy/error.hpp"

namespace convoy::io {

/// Throws Error(io) "PATH: message".
template <class... T>
[[noreturn]] void fail(const std::string& path, fmt::format_string<T...> format, T&&... values) {
  throw Error(Errc::io, path + ": " + fmt::format(format, std::forward<T>(values)...));
}

}  // namespace convoy::io
