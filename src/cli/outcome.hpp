// How a program ends: an exit code, and for failures one line.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace convoy::cli {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;

struct Outcome {
  int exit_code = kDone;
  std::string problem;  ///< one line; empty: none
};

/// Parses the command line, which runs what it asks for, and turns what that throws into an outcome. Prints --help and
/// --version if it `is_root`.
Outcome run_program(CLI::App& program, int count, char** arguments, bool is_root = true);

}  // namespace convoy::cli
