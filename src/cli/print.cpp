#include "cli/print.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/messages.hpp"

namespace convoy::cli {

void open_standard_streams() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest free number is this one. Opened the wrong way round, so that it fails as a closed one does.
    const int opened = ::open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    if (opened >= 0 && opened != descriptor) ::close(opened);
  }
}

void print_message(std::string_view text) noexcept { write_message(STDERR_FILENO, text); }

void print_warning(std::string_view text) noexcept { print_message("convoy: warning: {}\n", text); }

void print_summary(std::string_view text) noexcept {
  const WriteSignalsBlocked blocked;
  std::fflush(stdout);
  write_message(STDOUT_FILENO, text);
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
