#include "base/json_text.hpp"

#include <algorithm>
#include <string>

namespace convoy::inline v0 {
namespace {

constexpr std::string_view kPythonNumbers[] = {"-Infinity", "Infinity", "NaN"};

/// Length of the string literal at the beginning of `text`, quotes included.
std::size_t string_length(std::string_view text) {
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return text.size();
}

/// The number that Python writes and JSON does not know at the beginning of `text`, or nothing.
std::string_view python_number(std::string_view text) {
  for (const std::string_view number : kPythonNumbers) {
    if (text.starts_with(number)) return number;
  }
  return {};
}

}  // namespace

std::optional<nlohmann::json> parse_json(std::string_view text) {
  std::string standard;
  standard.reserve(text.size());
  int depth = 0;
  while (!text.empty()) {
    std::size_t length = 1;
    if (const std::string_view number = python_number(text); !number.empty()) {
      standard.append("\"").append(number).append("\"");
      text.remove_prefix(number.size());
      continue;
    }
    if (text[0] == '"') length = string_length(text);
    if (text[0] == '[' || text[0] == '{') ++depth;
    if (text[0] == ']' || text[0] == '}') --depth;
    if (depth > kDeepestJson) return std::nullopt;
    standard.append(text.substr(0, length));
    text.remove_prefix(length);
  }
  nlohmann::json value = nlohmann::json::parse(standard, nullptr, false);
  if (value.is_discarded()) return std::nullopt;
  return value;
}

}  // namespace convoy::inline v0
