#include "cli/interrupt.hpp"

#include <fmt/format.h>
#include <semaphore.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <thread>

#include "convoy/error.hpp"
#include "convoy/io.hpp"

namespace convoy::cli {
namespace {

constexpr std::chrono::milliseconds kPatience{800};

volatile std::sig_atomic_t signalled = 0;
sem_t signal_arrived;
std::atomic<bool> is_ending{false};
std::atomic<const char*> text{"interrupted; no output was written"};

void remember_signal(int) {
  signalled = 1;
  ::sem_post(&signal_arrived);
}

/// A step that takes long, of a device or a planner, is not waited for.
void end_program_when_signalled() {
  while (::sem_wait(&signal_arrived) != 0 && errno == EINTR) {
  }
  std::this_thread::sleep_for(kPatience);
  if (is_ending.exchange(true)) return;
  abandon_outputs();
  const char* clear_line = ::isatty(STDERR_FILENO) == 1 ? "\r\x1b[K" : "";  // there may be a progress bar
  fmt::print(stderr, "{}convoy: {}\n", clear_line, interrupt_text());
  ::_exit(kInterrupted);
}

}  // namespace

void catch_interrupts() {
  ::sem_init(&signal_arrived, 0, 0);
  std::thread(end_program_when_signalled).detach();
  struct sigaction action {};
  action.sa_handler = remember_signal;
  action.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() { return signalled != 0; }

void stop_if_interrupted() {
  if (interrupted()) throw Error(Errc::cancelled, "interrupted");
}

void set_interrupt_text(const char* lasting) { text = lasting; }
std::string interrupt_text() { return text.load(); }

void begin_ending() {
  if (!is_ending.exchange(true)) return;
  for (;;) ::pause();
}

}  // namespace convoy::cli
