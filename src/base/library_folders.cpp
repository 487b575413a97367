#include "base/library_folders.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <system_error>

#include "base/path_text.hpp"
#include "base/settings.hpp"

namespace convoy::inline v0 {
namespace {

/// `pattern` with its variable's value in place of $NAME; empty where that is not set.
std::string with_variable(const std::string& pattern) {
  if (!pattern.starts_with('$')) return pattern;
  const std::size_t end = std::min(pattern.find('/'), pattern.size());
  const char* value = setting(pattern.substr(1, end - 1).c_str());
  return value == nullptr ? "" : value + pattern.substr(end);
}

bool matches(const std::string& name, const std::string& component) {
  const std::size_t star = component.find('*');
  const std::string before = component.substr(0, star);
  const std::string after = component.substr(star + 1);
  return name.size() >= before.size() + after.size() && name.starts_with(before) && name.ends_with(after);
}

/// Numbers within names are compared as numbers: cuda-12.4 is higher than cuda-9.0.
bool is_higher(const std::filesystem::path& left, const std::filesystem::path& right) {
  const std::string a = text_from(left);
  const std::string b = text_from(right);
  const auto digits = [](const std::string& text, std::size_t at) {
    std::size_t end = at;
    while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0) ++end;
    return text.substr(at, end - at);
  };
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const std::string number_a = digits(a, i);
    const std::string number_b = digits(b, j);
    if (!number_a.empty() && !number_b.empty()) {
      if (number_a.size() != number_b.size()) return number_a.size() > number_b.size();
      if (number_a != number_b) return number_a > number_b;
      i += number_a.size();
      j += number_b.size();
      continue;
    }
    if (a[i] != b[j]) return a[i] > b[j];
    ++i;
    ++j;
  }
  return a.size() > b.size();
}

std::vector<std::filesystem::path> folders_within(const std::filesystem::path& parent, const std::string& component) {
  std::vector<std::filesystem::path> found;
  std::error_code ignored;
  for (std::filesystem::directory_iterator entry(parent, ignored), end; entry != end; entry.increment(ignored)) {
    if (matches(text_from(entry->path().filename()), component) && entry->is_directory(ignored)) {
      found.push_back(entry->path());
    }
  }
  std::sort(found.begin(), found.end(), is_higher);
  return found;
}

}  // namespace

std::vector<std::filesystem::path> folders_matching(const std::string& pattern) {
  const std::filesystem::path wanted = path_from(with_variable(pattern));
  if (wanted.empty()) return {};
  std::error_code ignored;
  std::vector<std::filesystem::path> found{wanted.root_path()};
  for (const std::filesystem::path& component : wanted.relative_path()) {
    std::vector<std::filesystem::path> deeper;
    for (const std::filesystem::path& folder : found) {
      if (text_from(component).find('*') != std::string::npos) {
        const auto matching = folders_within(folder, text_from(component));
        deeper.insert(deeper.end(), matching.begin(), matching.end());
      } else if (std::filesystem::is_directory(folder / component, ignored)) {
        deeper.push_back(folder / component);
      }
    }
    found = std::move(deeper);
  }
  return found;
}

}  // namespace convoy::inline v0
