#include "cli/outcome.hpp"

#include <algorithm>
#include <new>

#include "cli/interrupt.hpp"
#include "convoy/error.hpp"

namespace convoy::cli {
namespace {

std::string one_line(std::string message) {
  while (!message.empty() && message.back() == '\n') message.pop_back();
  std::replace(message.begin(), message.end(), '\n', ' ');
  return message;
}

}  // namespace

Outcome run_program(CLI::App& program, int count, char** arguments, bool speaks) {
  try {
    program.parse(count, arguments);
    return {};
  } catch (const CLI::Success& asked) {  // --help, --version
    return {speaks ? program.exit(asked) : kDone, ""};
  } catch (const CLI::ParseError& error) {
    return {kUsage, one_line(std::string(error.what()) + " (see --help)")};
  } catch (const Error& error) {
    const bool cancelled = error.code() == Errc::cancelled;
    if (cancelled) return {interrupted_exit_code(), interrupt_text()};
    return {kFailed, one_line(error.what())};
  } catch (const std::bad_alloc&) {
    return {kFailed, "this machine has not enough memory for the images; close other programs or use smaller images"};
  } catch (const std::exception& error) {
    return {kFailed, one_line(error.what())};
  }
}

}  // namespace convoy::cli
