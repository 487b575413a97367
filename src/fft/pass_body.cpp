#include "fft/pass_body.hpp"

#include <algorithm>
#include <stdexcept>

namespace convoy::kernels::pass_text {
namespace {

class Body {
 public:
  explicit Body(const std::vector<PassValue>& values) : values_(values), used_(values.size(), false) {}

  std::string line(std::string_view given) {
    std::string text;
    bool has_values = false;
    for (std::size_t at = 0; at < given.size();) {
      const std::size_t begin = given.find('@', at);
      if (begin == std::string_view::npos) {
        text += given.substr(at);
        break;
      }
      const std::size_t end = given.find('@', begin + 1);
      if (end == std::string_view::npos) throw std::logic_error("a pass has a lonely @: " + std::string(given));
      text += std::string(given.substr(at, begin - at)) + value(given.substr(begin + 1, end - begin - 1));
      has_values = true;
      at = end + 1;
    }
    if (has_values && text.find_first_not_of(" \n") == std::string::npos) return "";
    return text.ends_with('\n') ? text : text + "\n";
  }

  void require_all_used() const {
    for (std::size_t i = 0; i < used_.size(); ++i) {
      if (!used_[i]) throw std::logic_error("a pass does not name @" + std::string(values_[i].name) + "@");
    }
  }

 private:
  const std::string& value(std::string_view name) {
    const auto found =
        std::find_if(values_.begin(), values_.end(), [name](const PassValue& one) { return one.name == name; });
    if (found == values_.end()) throw std::logic_error("a pass has no value for @" + std::string(name) + "@");
    used_[static_cast<std::size_t>(found - values_.begin())] = true;
    return found->text;
  }

  const std::vector<PassValue>& values_;
  std::vector<bool> used_;
};

}  // namespace

std::string filled(std::string_view body, const std::vector<PassValue>& values) {
  Body lines(values);
  std::string result;
  for (std::size_t at = 0; at < body.size();) {
    const std::size_t end = std::min(body.find('\n', at), body.size());
    result += lines.line(body.substr(at, end - at));
    at = end + 1;
  }
  lines.require_all_used();
  return result;
}

}  // namespace convoy::kernels::pass_text
