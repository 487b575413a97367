// The fixed text of passes lies in src/fft/passes/*.body, for people to read; what depends on a plan stands there as
// @NAME@.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "convoy/shape.hpp"
#include "pass_bodies.hpp"

namespace convoy::kernels::pass_text {

/// What stands for @name@: a number, words, or whole lines.
struct PassValue {
  PassValue(std::string_view given, std::string words) : name(given), text(std::move(words)) {}
  PassValue(std::string_view given, Index number) : name(given), text(std::to_string(number)) {}
  std::string_view name;
  std::string text;
};

/// The body with its values; a line that is left empty goes. Throws std::logic_error for a name without a value, and
/// for a value that the body does not name.
std::string filled(std::string_view body, const std::vector<PassValue>& values);

}  // namespace convoy::kernels::pass_text
