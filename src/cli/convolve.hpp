// `convoy convolve`, as a command of any program.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/rank_context.hpp"

namespace convoy::cli {

/// Makes a command of it, which runs when it is parsed. `workplace` must outlive it.
void make_convolve_command(CLI::App& command, RankContext& workplace);

}  // namespace convoy::cli
