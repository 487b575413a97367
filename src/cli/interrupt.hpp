// Ctrl-C and a scheduler's SIGTERM: the work in hand is finished or undone, then the program ends with 130.
#pragma once

#include <string>

namespace convoy::cli {

inline constexpr int kInterrupted = 130;

/// The first signal is remembered; if the program still runs a second later, it removes its temporary files and ends.
/// The second signal ends the program at once.
void catch_interrupts();
bool interrupted();
/// Throws Error(cancelled) if there was a signal.
void stop_if_interrupted();

/// What to tell about an interrupted run; "no output was written" until something else is set. Lasting text only.
void set_interrupt_text(const char* text);
std::string interrupt_text();

/// To be called by the main thread before it tells how the program ended. After a signal another thread ends a program
/// that takes too long, and whichever begins first tells the end alone: this does not return if that was the other one.
void begin_ending();

}  // namespace convoy::cli
