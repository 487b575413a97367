// Completion scripts. All three are lists: which words follow which command, which words an option takes.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/command_description.hpp"

namespace convoy::cli {
namespace {

/// The last word of "phantom spheres".
std::string last_word(const std::string& path) { return path.substr(path.find_last_of(' ') + 1); }

std::vector<std::string> words_of(const CommandDescription& command) {
  std::vector<std::string> words;
  for (const CommandDescription& inner : command.commands) words.push_back(last_word(inner.name));
  for (const OptionDescription& option : command.options) {
    if (option.is_positional) continue;
    words.insert(words.end(), option.names.begin(), option.names.end());
  }
  return words;
}

bool takes_files(const CommandDescription& command) {
  for (const OptionDescription& option : command.options) {
    if (option.is_positional) return true;
  }
  return false;
}

template <class Visit>
void visit_all(const CommandDescription& command, const Visit& visit) {
  visit(command);
  for (const CommandDescription& inner : command.commands) visit_all(inner, visit);
}

/// Text inside single quotes of a shell.
std::string shell_quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'') {
      result += "'\\''";
    } else {
      result += c;
    }
  }
  return result + "'";
}

/// Text inside [] of zsh's _arguments, itself inside single quotes.
std::string zsh_text(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') result += '\\';
    if (c == '\'') {
      result += "'\\''";
    } else {
      result += c;
    }
  }
  return result;
}

std::string zsh_action(const OptionDescription& option) {
  if (!option.choices.empty()) return fmt::format("({})", fmt::join(option.choices, " "));
  return option.takes_file ? "_files" : " ";
}

std::string zsh_function(const std::string& path) {
  std::string name = "_convoy";
  if (!path.empty()) name += "_" + path;
  for (char& c : name) c = c == ' ' ? '_' : c;
  return name;
}

std::string zsh_options(const CommandDescription& command) {
  std::string text;
  for (const OptionDescription& option : command.options) {
    if (option.is_positional) {
      text += fmt::format(" \\\n    ':{}:_files'", zsh_text(option.names.front()));
      continue;
    }
    for (const std::string& name : option.names) {
      text += fmt::format(" \\\n    '*{}[{}]", name, zsh_text(option.text));
      if (!option.value.empty()) text += fmt::format(":{}:{}", zsh_text(option.value), zsh_action(option));
      text += "'";
    }
  }
  return text;
}

}  // namespace

std::string bash_completion(const CommandDescription& program) {
  std::string cases;
  std::string values;
  visit_all(program, [&](const CommandDescription& command) {
    cases +=
        fmt::format("    {}) words={}; files={} ;;\n", shell_quoted(command.name),
                    shell_quoted(fmt::format("{}", fmt::join(words_of(command), " "))), takes_files(command) ? 1 : 0);
    for (const OptionDescription& option : command.options) {
      if (option.is_positional || option.value.empty()) continue;
      for (const std::string& name : option.names) {
        const std::string answer = !option.choices.empty()
                                       ? fmt::format("COMPREPLY=($(compgen -W {} -- \"$current\"))",
                                                     shell_quoted(fmt::format("{}", fmt::join(option.choices, " "))))
                                   : option.takes_file ? "COMPREPLY=($(compgen -f -- \"$current\"))"
                                                       : "COMPREPLY=()";
        values += fmt::format("    {}) {}; return ;;\n", shell_quoted(command.name + " " + name), answer);
      }
    }
  });
  std::string nested;
  visit_all(program, [&](const CommandDescription& command) {
    if (!command.name.empty()) nested += fmt::format("      {}) command=$next ;;\n", shell_quoted(command.name));
  });
  return fmt::format(R"(# bash completion for convoy
_convoy() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} command='' words='' files=0 next i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; ++i)); do
    next="${{command:+$command }}${{COMP_WORDS[i]}}"
    case "$next" in
{}    esac
  done
  case "$command $previous" in
{}  esac
  case "$command" in
{}  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [ "$files" = 1 ] && [ "${{current#-}}" = "$current" ]; then COMPREPLY+=($(compgen -f -- "$current")); fi
}}
complete -o filenames -F _convoy convoy
)",
                     nested, values, cases);
}

std::string zsh_completion(const CommandDescription& program) {
  std::string functions;
  visit_all(program, [&](const CommandDescription& command) {
    functions += fmt::format("{}() {{\n", zsh_function(command.name));
    if (command.commands.empty()) {
      functions += fmt::format("  _arguments -s -S{}\n}}\n\n", zsh_options(command));
      return;
    }
    functions += fmt::format("  local context state line\n  _arguments -C{} \\\n    '1: :->command' '*:: :->rest'\n",
                             zsh_options(command));
    functions += "  case $state in\n    command)\n      local -a commands=(\n";
    for (const CommandDescription& inner : command.commands) {
      functions += fmt::format("        '{}:{}'\n", last_word(inner.name), zsh_text(inner.text));
    }
    functions += "      )\n      _describe command commands ;;\n    rest)\n      case $words[1] in\n";
    for (const CommandDescription& inner : command.commands) {
      functions += fmt::format("        {}) {} ;;\n", last_word(inner.name), zsh_function(inner.name));
    }
    functions += "      esac ;;\n  esac\n}\n\n";
  });
  return "#compdef convoy\n# zsh completion for convoy\n\n" + functions + "_convoy \"$@\"\n";
}

std::string fish_completion(const CommandDescription& program) {
  std::string text = "# fish completion for convoy\ncomplete -c convoy -f\n";
  visit_all(program, [&](const CommandDescription& command) {
    std::string condition = "__fish_use_subcommand";
    if (!command.name.empty()) {
      condition.clear();
      std::string rest = command.name;
      for (std::size_t space = 0; space != std::string::npos;) {
        space = rest.find(' ');
        if (!condition.empty()) condition += "; and ";
        condition += "__fish_seen_subcommand_from " + rest.substr(0, space);
        rest = space == std::string::npos ? "" : rest.substr(space + 1);
      }
    }
    const std::string head = fmt::format("complete -c convoy -n {}", shell_quoted(condition));
    for (const CommandDescription& inner : command.commands) {
      text += fmt::format("{} -a {} -d {}\n", head, shell_quoted(last_word(inner.name)), shell_quoted(inner.text));
    }
    if (takes_files(command)) text += head + " -F\n";
    for (const OptionDescription& option : command.options) {
      if (option.is_positional) continue;
      text += head;
      for (const std::string& name : option.names) {
        text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      if (!option.choices.empty()) {
        text += fmt::format(" -x -a {}", shell_quoted(fmt::format("{}", fmt::join(option.choices, " "))));
      } else if (!option.value.empty()) {
        text += option.takes_file ? " -r -F" : " -x";
      }
      text += fmt::format(" -d {}\n", shell_quoted(option.text));
    }
  });
  return text;
}

}  // namespace convoy::cli
