#include "cli/command_description.hpp"

#include <algorithm>
#include <sstream>

namespace convoy::cli {
namespace {

/// "f32|f64" is a choice of words; "Z,Y,X", "auto|cpu[:N]" and "N" are not.
std::vector<std::string> choices_of(const std::string& value) {
  const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  std::vector<std::string> words;
  std::istringstream stream(value);
  for (std::string word; std::getline(stream, word, '|');) {
    if (word.empty() || !std::all_of(word.begin(), word.end(), is_plain)) return {};
    words.push_back(word);
  }
  return words.size() > 1 ? words : std::vector<std::string>();
}

OptionDescription describe_option(const CLI::Option& option) {
  OptionDescription described;
  described.is_positional = option.get_positional();
  if (described.is_positional) {
    described.names.push_back(option.get_name(true));
    described.takes_file = true;
  } else {
    for (const std::string& name : option.get_lnames()) described.names.push_back("--" + name);
    for (const std::string& name : option.get_snames()) described.names.push_back("-" + name);
    const bool is_flag = option.get_items_expected_max() == 0;
    if (!is_flag) described.value = option.get_type_name();
    described.takes_file = described.value.starts_with("FILE");
  }
  described.choices = choices_of(described.value);
  described.text = option.get_description();
  return described;
}

CommandDescription describe(const CLI::App& command, const std::string& path) {
  CommandDescription described{path, command.get_description(), command.get_footer(), {}, {}};
  for (const CLI::Option* option : command.get_options()) described.options.push_back(describe_option(*option));
  for (const CLI::App* inner : command.get_subcommands([](const CLI::App*) { return true; })) {
    described.commands.push_back(describe(*inner, path.empty() ? inner->get_name() : path + " " + inner->get_name()));
  }
  return described;
}

}  // namespace

CommandDescription describe_command(const CLI::App& command) { return describe(command, ""); }

}  // namespace convoy::cli
