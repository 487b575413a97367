// The program `convoy`: parses the command line, runs one subcommand, and turns what it throws into an exit code.
#include <exception>

#include "base/messages.hpp"
#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/environment.hpp"
#include "cli/interrupt.hpp"
#include "cli/outcome.hpp"
#include "cli/print.hpp"
#include "cli/process_memory.hpp"
#include "convoy/error.hpp"
#include "convoy/version.hpp"
#if defined(_WIN32)

#include <string>
#include <vector>

#include "base/windows.hpp"
#endif

namespace {

/// Errors are one line, whatever text they hold.
int complain(const std::string& message, int code) {
  convoy::cli::print_message("convoy: {}\n", message);
  return code;
}

void describe(CLI::App& program) {
  program.name("convoy");
  program.set_version_flag("-V,--version", "convoy " CONVOY_VERSION);
  convoy::cli::need_subcommand(program);
  program.get_formatter()->column_width(36);
  program.footer(
      "convoy help COMMAND, or convoy COMMAND --help, explains every option of a command.\n"
      "Sizes and positions are z,y,x. Exit codes: 0 done, 1 failed, 2 wrong usage, 128 and the\n"
      "signal's number if a signal ended it: 130 after Ctrl-C, 143 after SIGTERM.\n"
      "Examples:\n"
      "  convoy devices\n"
      "  convoy phantom spheres image.tif\n"
      "  convoy psf widefield psf.tif --size 128,256,256\n"
      "  convoy plan --image 128,512,512 --kernel 128,256,256\n"
      "  convoy convolve image.tif psf.tif blurred.tif\n"
      "  convoy deconvolve blurred.tif psf.tif restored.tif --iterations 50\n"
      "  convoy project blurred.tif blurred.png --gamma 0.5\n"
      "  convoy report run.json run.html\n"
      "  convoy clean .");
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
  add_report(program);
  add_clean(program);
  add_completion(program);
  add_manual(program);
  add_help(program);
}

#if defined(_WIN32)

/// The words of the command line as UTF-8, whatever the process' code page is; they last as long as the process.
char** words_as_utf8(int& count) {
  wchar_t** const wide = ::CommandLineToArgvW(::GetCommandLineW(), &count);
  static std::vector<std::string> words;
  static std::vector<char*> pointers;
  for (int i = 0; i < count; ++i) words.push_back(convoy::windows::to_utf8(wide[i]));
  ::LocalFree(wide);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers.data();
}

#endif

int run(int count, char** arguments) {
  using namespace convoy::cli;
  remember_command_line(count, arguments);
  CLI::App program("Convolution on any device: images of any size, on CUDA, HIP, Vulkan or the CPU.");
  describe(program);
  add_commands(program);
  for (const std::string& warning : environment_warnings()) print_warning(warning);
  const Outcome outcome = run_program(program, count, arguments);
  begin_ending();
  if (!outcome.problem.empty()) return complain(outcome.problem, outcome.exit_code);
  if (outcome.exit_code == kDone && !results_are_printed())
    return complain("what was to be printed could not be written to standard output", kFailed);
  return outcome.exit_code;
}

}  // namespace

int main(int count, char** arguments) {
  using namespace convoy::cli;
  try {
#if defined(_WIN32)
    arguments = words_as_utf8(count);
#endif
    open_standard_streams();
    share_arenas();
    ensure_stacks();
    catch_interrupts();
    return run(count, arguments);
  } catch (const convoy::Error& problem) {
    return complain(problem.what(), kFailed);
  } catch (const std::exception&) {  // before or after what a command does, it is memory that is missing
    convoy::write_message(convoy::kStandardError,
                          "convoy: this process may not take the memory that it needs to begin (ulimit -v)\n");
    return kFailed;
  }
}
