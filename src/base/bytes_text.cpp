#include "convoy/bytes_text.hpp"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include "convoy/error.hpp"

namespace convoy::inline v0 {
namespace {

struct Unit {
  const char* name;  // lower case
  double bytes;
};

constexpr double kKibi = 1024;
constexpr std::array<Unit, 18> kUnits{{{"", 1},
                                       {"b", 1},
                                       {"kb", 1e3},
                                       {"mb", 1e6},
                                       {"gb", 1e9},
                                       {"tb", 1e12},
                                       {"kib", kKibi},
                                       {"mib", kKibi* kKibi},
                                       {"gib", kKibi* kKibi* kKibi},
                                       {"tib", kKibi* kKibi* kKibi* kKibi},
                                       {"ki", kKibi},
                                       {"mi", kKibi* kKibi},
                                       {"gi", kKibi* kKibi* kKibi},
                                       {"ti", kKibi* kKibi* kKibi* kKibi},
                                       {"k", kKibi},
                                       {"m", kKibi* kKibi},
                                       {"g", kKibi* kKibi* kKibi},
                                       {"t", kKibi* kKibi* kKibi* kKibi}}};
constexpr double kAboveAllCounts = 18446744073709551616.0;  // 2^64

[[noreturn]] void refuse(const std::string& text, const char* because) {
  throw Error(
      Errc::invalid_argument,
      fmt::format("'{}' is not a number of bytes: {}; write for example 2GiB, 512MiB, 1.5GB or 1e9", text, because));
}

std::string trimmed_lower(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

double bytes_of_unit(const std::string& text, const std::string& unit_name) {
  for (const Unit& unit : kUnits) {
    if (unit_name == unit.name) return unit.bytes;
  }
  refuse(text, "its unit is unknown");
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::string bytes_to_text(std::uint64_t bytes) {
  constexpr std::array kNames{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / kKibi;
  std::size_t unit = 0;
  // 1023.995 would print as 1024.00.
  while (value >= 1023.995 && unit + 1 < kNames.size()) {
    value /= kKibi;
    ++unit;
  }
  return fmt::format("{:.2f} {}", value, kNames[unit]);
}

std::uint64_t bytes_from_text(const std::string& text) {
  const std::string lower = trimmed_lower(text);
  if (lower.empty()) refuse(text, "it is empty");
  if (!is_digit(lower.front())) refuse(text, "it does not begin with a digit");
  const char* const end = lower.data() + lower.size();
  std::uint64_t whole = 0;
  const auto as_integer = std::from_chars(lower.data(), end, whole);
  if (as_integer.ptr == end && as_integer.ec == std::errc()) return whole;
  double number = 0;
  const auto as_number = std::from_chars(lower.data(), end, number, std::chars_format::general);
  if (as_number.ec != std::errc()) refuse(text, "it is too large");
  const double bytes = number * bytes_of_unit(text, trimmed_lower({as_number.ptr, end}));
  if (!(bytes < kAboveAllCounts)) refuse(text, "it is too large");
  return static_cast<std::uint64_t>(bytes);
}

}  // namespace convoy::inline v0
