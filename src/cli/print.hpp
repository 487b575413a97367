// All that convoy prints. Messages (progress, warnings, summaries, errors) may be lost: a closed or full stream changes
// neither the output nor the exit code. Results (a plan, the devices, help) may not.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace convoy::cli {

/// To be called before any file is opened: descriptors 0 to 2 that are closed are given to /dev/null, such that reading
/// or writing them fails as before. Without it an output file could get one, and messages would be written into it.
void open_standard_streams();

bool is_terminal(int descriptor);

/// One message to stderr, as it is.
void print_message(std::string_view text) noexcept;

/// A message to stderr: print_message("{} of {}\n", i, n).
template <class... T>
void print_message(fmt::format_string<T...> format, T&&... values) noexcept {
  try {
    const std::string text = fmt::format(format, std::forward<T>(values)...);
    print_message(std::string_view(text));
  } catch (...) {  // no memory for it
  }
}

/// "convoy: warning: ..."
void print_warning(std::string_view text) noexcept;

/// What a command did, to stdout: a message.
void print_summary(std::string_view text) noexcept;

template <class... T>
void print_summary(fmt::format_string<T...> format, T&&... values) {
  const std::string text = fmt::format(format, std::forward<T>(values)...);
  print_summary(std::string_view(text));
}

/// What a command is asked for, to stdout. Whether all of it arrived is known at the end: results_are_printed().
void print_result(std::string_view text) noexcept;

template <class... T>
void print_result(fmt::format_string<T...> format, T&&... values) {
  const std::string text = fmt::format(format, std::forward<T>(values)...);
  print_result(std::string_view(text));
}

/// Brings to stdout what is on its way there; returns whether all results could be written.
bool results_are_printed() noexcept;

}  // namespace convoy::cli
