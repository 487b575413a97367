// The subcommands. Each adds itself to the program; what it does runs while the command line is parsed.
#pragma once

#include <CLI/CLI.hpp>

namespace convoy::cli {

void add_clean(CLI::App& program);
void add_completion(CLI::App& program);
void add_convolve(CLI::App& program);
void add_deconvolve(CLI::App& program);
void add_devices(CLI::App& program);
void add_help(CLI::App& program);
void add_manual(CLI::App& program);
void add_phantom(CLI::App& program);
void add_plan(CLI::App& program);
void add_project(CLI::App& program);
void add_psf(CLI::App& program);
void add_report(CLI::App& program);
void add_selftest(CLI::App& program);

}  // namespace convoy::cli
