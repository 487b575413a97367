// `convoy completion` and `convoy manual`: what is derived from the options.
#include <fmt/format.h>

#include <memory>

#include "cli/command_description.hpp"
#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/print.hpp"
#include "convoy/version.hpp"

namespace convoy::cli {

void add_completion(CLI::App& program) {
  CLI::App* command = program.add_subcommand("completion", "Print a completion script for a shell");
  using Writer = std::string (*)(const CommandDescription&);
  const std::vector<std::pair<const char*, Writer>> shells{
      {"bash", bash_completion}, {"zsh", zsh_completion}, {"fish", fish_completion}};
  need_subcommand(*command);
  for (const auto& [name, write] : shells) {
    CLI::App* shell = command->add_subcommand(name, fmt::format("For {}", name));
    shell->footer(fmt::format("Example:\n  {}", std::string(name) == "bash" ? "source <(convoy completion bash)"
                                                : std::string(name) == "zsh"
                                                    ? "convoy completion zsh > \"${fpath[1]}/_convoy\""
                                                    : "convoy completion fish | source"));
    shell->callback([&program, writer = write] { print_result("{}", writer(describe_command(program))); });
  }
  command->footer("Example:\n  source <(convoy completion bash)");
}

void add_manual(CLI::App& program) {
  CLI::App* command = program.add_subcommand("manual", "Print the manual page, with every command and option");
  command->footer("Example:\n  convoy manual | man -l -");
  command->callback([&program] { print_result("{}", manual_page(describe_command(program), CONVOY_VERSION)); });
}

/// `convoy help COMMAND` never gets here (outcome.cpp makes it `convoy COMMAND --help`); it is listed with the others.
void add_help(CLI::App& program) {
  CLI::App* command = program.add_subcommand("help", "Explain a command, as in convoy help convolve");
  command->footer("Example:\n  convoy help convolve");
}

}  // namespace convoy::cli
