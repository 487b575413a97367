// Ctrl-C, a scheduler's SIGTERM, a terminal that hangs up ...: the work in hand is finished or undone, then the program
// ends with 128 and the signal's number. These end it: SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGXCPU, SIGXFSZ.
#pragma once

#include <stop_token>
#include <string>

namespace convoy::cli {

/// The first signal is remembered; if the program still runs a second later, it removes its temporary files and ends.
/// At the second SIGINT, SIGTERM or SIGQUIT it does so at once; the third kills it. Signals that are ignored when the
/// program starts, as SIGHUP is under nohup, stay ignored. SIGPIPE and SIGXFSZ that the program's own writing raises do
/// not end it: the write fails.
void catch_interrupts();
bool interrupted();
/// Throws Error(cancelled) if there was a signal.
void stop_if_interrupted();
/// For convolvers: asked to stop when what was in hand at a signal takes too long to be waited for.
std::stop_token interrupt_token();
/// 128 and the number of the signal: 130 for SIGINT, 143 for SIGTERM ...
int interrupted_exit_code();

/// What an interrupted run leaves; "no output was written" until something else is set. Lasting text only.
void set_interrupt_text(const char* text);
/// "interrupted by SIGTERM; " and that text.
std::string interrupt_text();

/// To be called by the main thread before it says how the program ended. After a signal another thread ends a program
/// that takes too long, and whichever begins first says so alone: this does not return if that was the other one.
void begin_ending();

}  // namespace convoy::cli
