#include "cli/interrupt.hpp"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <system_error>
#include <thread>

#include "base/messages.hpp"
#include "cli/print.hpp"
#include "convoy/error.hpp"
#include "convoy/io.hpp"
#if defined(_WIN32)
#include <semaphore>

#include "base/windows.hpp"
#else
#include <fcntl.h>
#include <semaphore.h>
#include <unistd.h>
#endif

namespace convoy::cli {
namespace {

constexpr std::chrono::milliseconds kStep{10};

struct EndingSignal {
  int number;
  const char* name;
  bool hurries;  ///< sent again by a user who does not want to wait; others come in pairs or every second by themselves
};

#if defined(_WIN32)
constexpr std::array<EndingSignal, 3> kEndingSignals{
    {{SIGINT, "", true}, {SIGBREAK, " by Ctrl-Break", true}, {SIGTERM, " by the end of the session", false}}};
#else
constexpr std::array<EndingSignal, 7> kEndingSignals{{{SIGINT, "", true},
                                                      {SIGTERM, " by SIGTERM", true},
                                                      {SIGQUIT, " by SIGQUIT", true},
                                                      {SIGHUP, " by SIGHUP", false},
                                                      {SIGPIPE, " by SIGPIPE", false},
                                                      {SIGXCPU, " by SIGXCPU (processor time, ulimit -t)", false},
                                                      {SIGXFSZ, " by SIGXFSZ (size of files, ulimit -f)", false}}};
#endif

volatile std::sig_atomic_t signalled = 0;  // the number of the first signal
volatile std::sig_atomic_t hurries = 0;    // how many that hurry have come
#if defined(_WIN32)
std::counting_semaphore<> arrivals{0};
void begin_counting() {}
void count_signal() { arrivals.release(); }
void await_signal() { arrivals.acquire(); }
bool has_signal() { return arrivals.try_acquire(); }
#else
sem_t* arrivals = nullptr;
#if defined(__APPLE__)  // which has semaphores with a name only
void begin_counting() {
  const std::string name = fmt::format("/convoy.{}", ::getpid());
  ::sem_unlink(name.c_str());
  arrivals = ::sem_open(name.c_str(), O_CREAT | O_EXCL, 0600, 0);
  if (arrivals == SEM_FAILED) throw std::system_error(errno, std::generic_category(), "sem_open");
  ::sem_unlink(name.c_str());
}
#else
void begin_counting() {
  static sem_t unnamed;
  ::sem_init(&unnamed, 0, 0);
  arrivals = &unnamed;
}
#endif
void count_signal() { ::sem_post(arrivals); }
void await_signal() {
  while (::sem_wait(arrivals) != 0 && errno == EINTR) {
  }
}
bool has_signal() { return ::sem_trywait(arrivals) == 0; }
#endif
std::atomic<bool> is_ending{false};
std::atomic<const char*> text{"no output was written"};

bool hurries_program(int number) {
  for (const EndingSignal& one : kEndingSignals) {
    if (one.number == number) return one.hurries;
  }
  return false;
}

void remember_signal(int number) {
  if (signalled == 0) {
    signalled = number;
    count_signal();
    if (hurries_program(number)) hurries = 1;
    return;
  }
  if (!hurries_program(number)) return;
  hurries = hurries + 1;
  count_signal();
  if (hurries < 3) return;
  std::signal(number, SIG_DFL);
  std::raise(number);
}

#if defined(_WIN32)

/// In a thread of its own. When it returns from the end of a session, the process ends.
BOOL WINAPI on_console_event(DWORD event) {
  const bool ends_session = event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT;
  remember_signal(ends_session ? SIGTERM : event == CTRL_C_EVENT ? SIGINT : SIGBREAK);
  while (ends_session) std::this_thread::sleep_for(std::chrono::hours(1));
  return TRUE;
}

void listen_for_signals() { ::SetConsoleCtrlHandler(on_console_event, TRUE); }

#else

#if defined(__APPLE__)  // where those of a write say nothing of their sender
bool raised_by_write(const siginfo_t& info) { return info.si_pid == 0 || info.si_pid == ::getpid(); }
#else
bool raised_by_write(const siginfo_t& info) { return info.si_code == SI_KERNEL || info.si_pid == ::getpid(); }
#endif

void on_signal(int number, siginfo_t* info, void*) {
  if ((number == SIGPIPE || number == SIGXFSZ) && raised_by_write(*info)) return;
  remember_signal(number);
}

void listen_for_signals() {
  struct sigaction action {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_RESTART | SA_SIGINFO;
  for (const EndingSignal& one : kEndingSignals) {
    struct sigaction before {};
    ::sigaction(one.number, nullptr, &before);
    if (before.sa_handler != SIG_IGN) ::sigaction(one.number, &action, nullptr);
  }
}

#endif

std::stop_source& stop_source() {
  static auto& source = *new std::stop_source;  // outlives main: the thread below is detached
  return source;
}

/// For what is in hand; until the next signal if that comes first. Setting the clock changes nothing.
void wait_patiently() {
  constexpr int kSteps = 60;
  for (int step = 0; step < kSteps && !has_signal(); ++step) std::this_thread::sleep_for(kStep);
}

/// A step that takes long is stopped where it can be; one of a device or a planner that cannot is not waited for.
void end_program_when_signalled() {
  await_signal();
  wait_patiently();
  stop_source().request_stop();
  for (int step = 0; step < 30 && !is_ending && hurries < 2; ++step) std::this_thread::sleep_for(kStep);
  if (is_ending.exchange(true)) return;
  abandon_outputs();
  const char* clear_line = is_terminal(kStandardError) ? "\r\x1b[K" : "";  // there may be a progress bar
  print_message("{}convoy: {}\n", clear_line, interrupt_text());
  std::_Exit(interrupted_exit_code());
}

}  // namespace

void catch_interrupts() {
  begin_counting();
  try {
    std::thread(end_program_when_signalled).detach();
  } catch (const std::system_error&) {  // no more threads here: long steps are waited for
  }
  listen_for_signals();
}

bool interrupted() { return signalled != 0; }

void stop_if_interrupted() {
  if (interrupted()) throw Error(Errc::cancelled, "interrupted");
}

std::stop_token interrupt_token() { return stop_source().get_token(); }

int interrupted_exit_code() { return 128 + signalled; }

void set_interrupt_text(const char* lasting) { text = lasting; }

std::string interrupt_text() {
  const char* by = "";
  for (const EndingSignal& one : kEndingSignals) {
    if (one.number == signalled) by = one.name;
  }
  return fmt::format("interrupted{}; {}", by, text.load());
}

void begin_ending() {
  if (!is_ending.exchange(true)) return;
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

}  // namespace convoy::cli
