// Ctrl-C and a scheduler's SIGTERM: the work in hand is finished or undone, then the program ends with 130.
#pragma once

namespace convoy::cli {

/// The first signal is remembered; the second ends the program at once.
void catch_interrupts();
bool interrupted();
/// Throws Error(cancelled) if there was a signal.
void stop_if_interrupted();

}  // namespace convoy::cli
