#include <algorithm>

#include "kernels/dialects.hpp"

namespace convoy::inline v0 {
namespace {

constexpr const char* kBlanks = " \t";

/// The line without the blanks around it.
std::string trimmed(const std::string& line) {
  const std::size_t first = line.find_first_not_of(kBlanks);
  if (first == std::string::npos) return "";
  return line.substr(first, line.find_last_not_of(kBlanks) - first + 1);
}

bool is_comment(const std::string& line) { return line.starts_with("//"); }

class Indenter {
 public:
  std::string line(const std::string& given) {
    const bool continues_macro = in_macro_;
    in_macro_ = (in_macro_ || given.starts_with("#")) && given.ends_with("\\");
    if (continues_macro || given.starts_with("#")) return given;
    const std::string text = trimmed(given);
    if (text.empty() || is_comment(text)) return text.empty() ? text : blanks(depth_) + text;
    const bool closes = text.front() == '}';
    const int here = std::max(0, depth_ - (closes ? 1 : 0)) + (in_statement_ ? 2 : 0);
    for (const char c : text) {
      if (c == '{') ++depth_;
      if (c == '}') depth_ = std::max(0, depth_ - 1);
      if (c == '(') ++parentheses_;
      if (c == ')') --parentheses_;
    }
    in_statement_ = parentheses_ > 0 || (text.back() != ';' && text.back() != '{' && text.back() != '}');
    return blanks(here) + text;
  }

 private:
  static std::string blanks(int depth) { return std::string(static_cast<std::size_t>(2 * depth), ' '); }

  int depth_ = 0;  // of braces
  int parentheses_ = 0;
  bool in_statement_ = false;  // the line before was not the end of its statement
  bool in_macro_ = false;
};

}  // namespace

std::string indented(const std::string& text) {
  Indenter indenter;
  std::string result;
  result.reserve(text.size() + text.size() / 4);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    result += indenter.line(text.substr(at, end - at)) + "\n";
    at = end + 1;
  }
  return result;
}

}  // namespace convoy::inline v0
