// The program `convoy`: parses the command line, runs one subcommand, and turns what it throws into an exit code.
#include <fmt/format.h>

#include <cstdio>

#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/interrupt.hpp"
#include "cli/outcome.hpp"
#include "convoy/version.hpp"

namespace {

/// Errors are one line, whatever they were told.
int complain(const std::string& message, int code) {
  fmt::print(stderr, "convoy: {}\n", message);
  return code;
}

void describe(CLI::App& program) {
  program.name("convoy");
  program.set_version_flag("--version", "convoy " CONVOY_VERSION);
  convoy::cli::need_subcommand(program);
  program.get_formatter()->column_width(36);
  program.footer(
      "Sizes and positions are z,y,x. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.\n"
      "Examples:\n"
      "  convoy devices\n"
      "  convoy phantom spheres image.tif\n"
      "  convoy psf widefield psf.tif --size 128,256,256\n"
      "  convoy plan --image 128,512,512 --kernel 128,256,256\n"
      "  convoy convolve image.tif psf.tif blurred.tif\n"
      "  convoy deconvolve blurred.tif psf.tif restored.tif --iterations 50\n"
      "  convoy project blurred.tif blurred.png --gamma 0.5");
}

void add_commands(CLI::App& program) {
  using namespace convoy::cli;
  add_convolve(program);
  add_deconvolve(program);
  add_plan(program);
  add_devices(program);
  add_phantom(program);
  add_psf(program);
  add_selftest(program);
  add_project(program);
}

}  // namespace

int main(int count, char** arguments) {
  using namespace convoy::cli;
  catch_interrupts();
  remember_command_line(count, arguments);
  CLI::App program("Convolution on any device: images of any size, on CUDA, HIP, Vulkan or the CPU.");
  describe(program);
  add_commands(program);
  const Outcome outcome = run_program(program, count, arguments);
  begin_ending();
  if (!outcome.problem.empty()) return complain(outcome.problem, outcome.exit_code);
  const bool unheard = std::fflush(stdout) != 0 || std::ferror(stdout) != 0;
  if (unheard && outcome.exit_code == kDone)
    return complain("what was to be printed could not be written to standard output", kFailed);
  return outcome.exit_code;
}
