#include <fmt/format.h>

#include <cctype>

#include "cli/command_description.hpp"

namespace convoy::cli {
namespace {

/// Text that roff takes as it is: backslashes, hyphens and leading dots or quotes are escaped.
std::string escaped(const std::string& text) {
  std::string result;
  bool at_line_start = true;
  for (const char c : text) {
    if (at_line_start && (c == '.' || c == '\'')) result += "\\&";
    if (c == '\\') {
      result += "\\e";
    } else if (c == '-') {
      result += "\\-";
    } else {
      result += c;
    }
    at_line_start = c == '\n';
  }
  return result;
}

std::string synopsis_of(const CommandDescription& command) {
  std::string text = fmt::format("\\fBconvoy {}\\fR", escaped(command.name));
  for (const OptionDescription& option : command.options) {
    if (option.is_positional) text += fmt::format(" \\fI{}\\fR", escaped(option.names.front()));
  }
  return text + " [options]";
}

std::string option_text(const OptionDescription& option) {
  std::string names;
  for (const std::string& name : option.names) {
    if (!names.empty()) names += ", ";
    names += option.is_positional ? "\\fI" + escaped(name) + "\\fR" : "\\fB" + escaped(name) + "\\fR";
  }
  const std::string value = option.value.empty() ? "" : " \\fI" + escaped(option.value) + "\\fR";
  return fmt::format(".TP\n{}{}\n{}\n", names, value, escaped(option.text));
}

void append(std::string& page, const CommandDescription& command) {
  if (command.commands.empty()) {
    page += fmt::format(".SS convoy {}\n{}\n.PP\n{}\n", escaped(command.name), escaped(command.text) + ".",
                        synopsis_of(command));
    for (const OptionDescription& option : command.options) page += option_text(option);
    if (!command.footer.empty()) page += fmt::format(".PP\n.nf\n{}\n.fi\n", escaped(command.footer));
  }
  for (const CommandDescription& inner : command.commands) append(page, inner);
}

}  // namespace

std::string manual_page(const CommandDescription& program, const std::string& version) {
  std::string page = fmt::format(".TH CONVOY 1 \"\" \"convoy {}\" \"User Commands\"\n", version);
  page += ".SH NAME\nconvoy \\- convolution and deconvolution of images of any size on any device\n";
  page += ".SH SYNOPSIS\n\\fBconvoy\\fR \\fICOMMAND\\fR [arguments] [options]\n";
  page += fmt::format(".SH DESCRIPTION\n{}\n", escaped(program.text));
  for (const OptionDescription& option : program.options) page += option_text(option);
  page += ".SH COMMANDS\n";
  for (const CommandDescription& command : program.commands) append(page, command);
  page += fmt::format(".SH NOTES\n.nf\n{}\n.fi\n", escaped(program.footer));
  return page;
}

}  // namespace convoy::cli
