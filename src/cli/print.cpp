#include "cli/print.hpp"

#include <fcntl.h>

#include <cerrno>
#include <cstdio>

#include "base/messages.hpp"
#if defined(_WIN32)
#include "base/windows.hpp"
#endif

namespace convoy::cli {

#if defined(_WIN32)

bool is_terminal(int descriptor) { return ::_isatty(descriptor) != 0; }

/// Text is UTF-8 with lines that end as everywhere else, and a terminal obeys the sequences of a progress bar.
void open_standard_streams() {
  for (const int descriptor : {kStandardInput, kStandardOutput, kStandardError}) ::_setmode(descriptor, _O_BINARY);
  ::SetConsoleOutputCP(CP_UTF8);
  const HANDLE terminal = ::GetStdHandle(STD_ERROR_HANDLE);
  DWORD mode = 0;
  if (::GetConsoleMode(terminal, &mode) != 0) {
    ::SetConsoleMode(terminal, mode | ENABLE_PROCESSED_OUTPUT | ENABLE_VIRTUAL_TERMINAL_PROCESSING);
  }
}

#else

bool is_terminal(int descriptor) { return ::isatty(descriptor) == 1; }

void open_standard_streams() {
  for (const int descriptor : {kStandardInput, kStandardOutput, kStandardError}) {
    if (::fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest free number is this one. Opened the wrong way round, so that it fails as a closed one does.
    const int opened = ::open("/dev/null", descriptor == kStandardInput ? O_WRONLY : O_RDONLY);
    if (opened >= 0 && opened != descriptor) ::close(opened);
  }
}

#endif

void print_message(std::string_view text) noexcept { write_message(kStandardError, text); }

void print_warning(std::string_view text) noexcept { print_message("convoy: warning: {}\n", text); }

void print_summary(std::string_view text) noexcept {
  const WriteSignalsBlocked blocked;
  std::fflush(stdout);
  write_message(kStandardOutput, text);
}

void print_result(std::string_view text) noexcept {
  const WriteSignalsBlocked blocked;
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

bool results_are_printed() noexcept {
  const WriteSignalsBlocked blocked;
  return std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
}

}  // namespace convoy::cli
