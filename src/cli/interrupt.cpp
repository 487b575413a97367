#include "cli/interrupt.hpp"

#include <csignal>

#include "convoy/error.hpp"

namespace convoy::cli {
namespace {

volatile std::sig_atomic_t signalled = 0;

void remember_signal(int) { signalled = 1; }

}  // namespace

void catch_interrupts() {
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

}  // namespace convoy::cli
