// The commands and options as data, from which shell completions and the manual page are written.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace convoy::cli {

struct OptionDescription {
  std::vector<std::string> names;    ///< "--quiet", "-q"; of a positional argument "IMAGE"
  std::string value;                 ///< what it takes, as in "N"; empty for flags
  std::vector<std::string> choices;  ///< the words that it takes, if these are known
  std::string text;
  bool is_positional = false;
  bool takes_file = false;
};

struct CommandDescription {
  std::string name;  ///< with the commands above it: "phantom spheres"
  std::string text;
  std::string footer;
  std::vector<OptionDescription> options;
  std::vector<CommandDescription> commands;
};

CommandDescription describe_command(const CLI::App& command);

/// A completion script for bash, zsh or fish.
std::string bash_completion(const CommandDescription& program);
std::string zsh_completion(const CommandDescription& program);
std::string fish_completion(const CommandDescription& program);

/// The manual page (section 1) in the man macros of roff.
std::string manual_page(const CommandDescription& program, const std::string& version);

}  // namespace convoy::cli
