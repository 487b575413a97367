#include "cli/outcome.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <new>
#include <string>
#include <vector>

#include "cli/interrupt.hpp"
#include "cli/nearest_word.hpp"
#include "convoy/error.hpp"

namespace convoy::cli {
namespace {

std::string one_line(std::string message) {
  while (!message.empty() && message.back() == '\n') message.pop_back();
  std::replace(message.begin(), message.end(), '\n', ' ');
  return message;
}

std::vector<std::string> command_names(const CLI::App& program) {
  std::vector<std::string> names;
  for (const CLI::App* command : program.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

/// The command whose arguments were not understood: the innermost with something left over.
const CLI::App& command_with_extras(const CLI::App& program) {
  for (const CLI::App* command : program.get_subcommands()) {
    const CLI::App& inner = command_with_extras(*command);
    if (inner.remaining_size() > 0) return inner;
  }
  return program;
}

std::string unknown_command(const CLI::App& command, const std::string& word) {
  const std::string where = command.get_parent() != nullptr ? command.get_name() + ": " : "";
  const std::vector<std::string> names = command_names(command);
  const std::string nearest = suggestion(word, names);
  return fmt::format("{}unknown command '{}'{} {} are {}", where, word, nearest.empty() ? ";" : nearest,
                     nearest.empty() ? "the commands" : "The commands", fmt::join(names, ", "));
}

/// One line about the words that no command or option takes, in the order in which they were typed.
std::string extras_problem(const CLI::App& program) {
  const CLI::App& command = command_with_extras(program);
  const std::vector<std::string> words = command.remaining();
  const std::string where = command.get_parent() != nullptr ? command.get_name() + ": " : "";
  const std::string& first = words.front();
  if (first.starts_with("-")) {
    const std::string name = first.substr(0, first.find('='));
    return fmt::format("{}unknown option '{}'{}", where, name, suggestion(name, option_names(command)));
  }
  if (!command_names(command).empty()) return unknown_command(command, first);
  return fmt::format("{}unexpected argument{} '{}'", where, words.size() == 1 ? "" : "s", fmt::join(words, "' '"));
}

/// "help COMMAND" is "COMMAND --help".
std::vector<std::string> words_of(const CLI::App& program, int count, char** arguments) {
  std::vector<std::string> words(arguments + 1, arguments + count);
  if (words.empty() || words.front() != "help") return words;
  words.erase(words.begin());
  const CLI::App* command = &program;
  for (const std::string& word : words) {
    const auto named = command->get_subcommands([&](const CLI::App* inner) { return inner->get_name() == word; });
    if (named.empty()) throw CLI::ValidationError("help", unknown_command(*command, word));
    command = named.front();
  }
  words.emplace_back("--help");
  return words;
}

}  // namespace

Outcome run_program(CLI::App& program, int count, char** arguments, bool is_root) {
  try {
    std::vector<std::string> words = words_of(program, count, arguments);
    std::reverse(words.begin(), words.end());  // as CLI11 takes them
    program.parse(std::move(words));
    return {};
  } catch (const CLI::Success& asked) {  // --help, --version
    return {is_root ? program.exit(asked) : kDone, ""};
  } catch (const CLI::ExtrasError&) {
    return {kUsage, extras_problem(program) + " (see --help)"};
  } catch (const CLI::ParseError& error) {
    return {kUsage, one_line(std::string(error.what()) + " (see --help)")};
  } catch (const Error& error) {
    const bool cancelled = error.code() == Errc::cancelled;
    if (cancelled) return {interrupted_exit_code(), interrupt_text()};
    return {kFailed, one_line(error.what())};
  } catch (const std::bad_alloc&) {
    return {kFailed,
            "memory ran out: the machine, or a limit of this process (ulimit -v, -d; a control group), has not enough "
            "for these images; close other programs, raise the limit or give --ram-limit"};
  } catch (const std::exception& error) {
    return {kFailed, one_line(error.what())};
  }
}

}  // namespace convoy::cli
