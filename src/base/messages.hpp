// Messages to people: written where they can be, and lost without a trace where they cannot.
#pragma once

#include <cerrno>
#include <csignal>
#include <ctime>
#include <string_view>
#if defined(_WIN32)
#include <io.h>
#else
#include <poll.h>
#include <pthread.h>
#include <unistd.h>
#endif

namespace convoy::inline v0 {

inline constexpr int kStandardInput = 0;
inline constexpr int kStandardOutput = 1;
inline constexpr int kStandardError = 2;

#if defined(_WIN32)

/// Windows raises no signals for writes.
class WriteSignalsBlocked {
 public:
  WriteSignalsBlocked() {}  // not trivial: a variable of this type is used
  WriteSignalsBlocked(const WriteSignalsBlocked&) = delete;
  WriteSignalsBlocked& operator=(const WriteSignalsBlocked&) = delete;
};

/// Writes all of the text to the descriptor. If that is closed or without a reader, the rest is lost: nothing is
/// thrown, errno stays as it was.
inline void write_message(int descriptor, std::string_view text) noexcept {
  const int errno_before = errno;
  while (!text.empty()) {
    const int written = ::_write(descriptor, text.data(), static_cast<unsigned>(text.size()));
    if (written <= 0) break;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  errno = errno_before;
}

#else

/// Keeps the signals away from this thread that a write can raise: SIGPIPE of a pipe without a reader,
/// SIGXFSZ of a file that has reached its limit (`ulimit -f`). Those that were raised meanwhile are dropped.
class WriteSignalsBlocked {
 public:
  WriteSignalsBlocked() {
    sigset_t pending;
    sigemptyset(&raised_by_writes_);  // macros on macOS
    ::sigpending(&pending);
    for (const int number : {SIGPIPE, SIGXFSZ}) {
      if (sigismember(&pending, number) == 0) sigaddset(&raised_by_writes_, number);
    }
    ::pthread_sigmask(SIG_BLOCK, &raised_by_writes_, &before_);
  }
  ~WriteSignalsBlocked() {
    while (drop_one()) {
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  WriteSignalsBlocked(const WriteSignalsBlocked&) = delete;
  WriteSignalsBlocked& operator=(const WriteSignalsBlocked&) = delete;

 private:
  bool drop_one() {
#if defined(__APPLE__)  // without sigtimedwait; the signals of a write are the writing thread's own
    sigset_t pending;
    ::sigpending(&pending);
    int number = 0;
    for (const int raised : {SIGPIPE, SIGXFSZ}) {
      if (sigismember(&pending, raised) != 0 && sigismember(&raised_by_writes_, raised) != 0)
        return ::sigwait(&raised_by_writes_, &number) == 0;
    }
    return false;
#else
    constexpr timespec kNoWait{0, 0};
    return ::sigtimedwait(&raised_by_writes_, nullptr, &kNoWait) > 0;
#endif
  }

  sigset_t raised_by_writes_{};
  sigset_t before_{};
};

/// Writes all of the text to the descriptor. If that is closed, full or without a reader, the rest is lost: nothing is
/// thrown, no signal is raised, errno stays as it was.
inline void write_message(int descriptor, std::string_view text) noexcept {
  constexpr int kPatienceMilliseconds = 1000;  // for a slow reader, of a descriptor that does not block
  const int errno_before = errno;
  const WriteSignalsBlocked blocked;
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written > 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
      continue;
    }
    if (written < 0 && errno == EINTR) continue;
    pollfd slow{descriptor, POLLOUT, 0};
    if (written == 0 || errno != EAGAIN || ::poll(&slow, 1, kPatienceMilliseconds) <= 0) break;
  }
  errno = errno_before;
}

#endif

}  // namespace convoy::inline v0
