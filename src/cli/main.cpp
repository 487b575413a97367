// The program `convoy`: parses the command line, runs one subcommand, and turns what it throws into an exit code.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <new>

#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/interrupt.hpp"
#include "convoy/error.hpp"
#include "convoy/version.hpp"

namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;

/// Errors are one line, whatever they were told.
int complain(std::string message, int code) {
  while (!message.empty() && message.back() == '\n') message.pop_back();
  std::replace(message.begin(), message.end(), '\n', ' ');
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

int run(CLI::App& program, int count, char** arguments) {
  try {
    program.parse(count, arguments);
    return kDone;
  } catch (const CLI::Success& asked) {  // --help, --version
    return program.exit(asked);
  } catch (const CLI::ParseError& error) {
    return complain(fmt::format("{} (see --help)", error.what()), kUsage);
  } catch (const convoy::Error& error) {
    const bool cancelled = error.code() == convoy::Errc::cancelled;
    if (cancelled) return complain(convoy::cli::interrupt_text(), convoy::cli::kInterrupted);
    return complain(error.what(), kFailed);
  } catch (const std::bad_alloc&) {
    return complain("this machine has not enough memory for the images; close other programs or use smaller images",
                    kFailed);
  } catch (const std::exception& error) {
    return complain(error.what(), kFailed);
  }
}

}  // namespace

int main(int count, char** arguments) {
  convoy::cli::catch_interrupts();
  convoy::cli::remember_command_line(count, arguments);
  CLI::App program("Convolution on any device: images of any size, on CUDA, HIP, Vulkan or the CPU.");
  describe(program);
  add_commands(program);
  const int code = run(program, count, arguments);
  const bool unheard = std::fflush(stdout) != 0 || std::ferror(stdout) != 0;
  if (unheard && code == kDone)
    return complain("what was to be printed could not be written to standard output", kFailed);
  return code;
}
