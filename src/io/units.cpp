#include "io/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <span>

namespace convoy::io {
namespace {

/// A unit is factor * 10^exponent metres or seconds.
struct Unit {
  const char* ours;
  const char* ome;
  const char* ngff;
  int factor;
  int exponent;
  std::string_view others = {};  ///< other spellings, each between bars; words in small letters
};

constexpr Unit kLengths[] = {
    {"micron", "\u00b5m", "micrometer", 1, -6,
     "|um|\u03bcm|\xB5m|\xC3\x82\xC2\xB5m|\\u00b5m|&#181;m|\u00b5|\u03bc|micrometre|micrometers|micrometres|microns|"},
    {"nm", "nm", "nanometer", 1, -9, "|nanometre|nanometers|nanometres|"},
    {"mm", "mm", "millimeter", 1, -3, "|millimetre|millimeters|millimetres|"},
    {"cm", "cm", "centimeter", 1, -2, "|centimetre|centimeters|centimetres|"},
    {"dm", "dm", "decimeter", 1, -1, "|decimetre|decimeters|decimetres|"},
    {"m", "m", "meter", 1, 0, "|metre|meters|metres|"},
    {"km", "km", "kilometer", 1, 3, "|kilometre|kilometers|kilometres|"},
    {"pm", "pm", "picometer", 1, -12, "|picometre|picometers|picometres|"},
    {"angstrom", "\u00c5", "angstrom", 1, -10, "|\xC5|A|\u212b|angstroms|"},
    {"inch", "in", "inch", 254, -4, "|inches|"},
    {"foot", "ft", "foot", 3048, -4, "|feet|"},
    {"yard", "yd", "yard", 9144, -4, "|yards|"}};

constexpr Unit kTimes[] = {{"s", "s", "second", 1, 0, "|sec|secs|seconds|"},
                           {"ms", "ms", "millisecond", 1, -3, "|msec|milliseconds|"},
                           {"us", "\u00b5s", "microsecond", 1, -6, "|\u03bcs|\xB5s|\\u00b5s|usec|microseconds|"},
                           {"ns", "ns", "nanosecond", 1, -9, "|nsec|nanoseconds|"},
                           {"min", "min", "minute", 60, 0, "|minutes|mins|"},
                           {"h", "h", "hour", 3600, 0, "|hours|hr|hrs|"},
                           {"d", "d", "day", 86400, 0, "|days|"}};

/// Words of three letters and more are compared in small letters: "Micron", but not "Mm".
std::string small_letters_of_word(std::string_view text) {
  std::string word(text);
  if (word.size() < 3) return word;
  std::transform(word.begin(), word.end(), word.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return word;
}

const Unit* find_unit(std::span<const Unit> units, std::string_view text) {
  if (text.empty() || text.find('|') != std::string_view::npos) return nullptr;
  const std::string word = small_letters_of_word(text);
  for (const Unit& unit : units) {
    const bool named = word == unit.ours || text == unit.ome || word == unit.ngff;
    if (named || unit.others.find("|" + word + "|") != std::string_view::npos) return &unit;
  }
  return nullptr;
}

/// Those that OME's schema lists beside ours; readers refuse others. Source: ome.xsd 2016-06, UnitsLength.
constexpr std::string_view kOtherOmeLengths =
    "|Ym|Zm|Em|Pm|Tm|Gm|Mm|hm|dam|fm|am|zm|ym|thou|li|mi|ua|ly|pc|pt|pixel|reference frame|";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string spelled(std::span<const Unit> units, std::string_view text, const char* Unit::*spelling) {
  const Unit* unit = find_unit(units, text);
  return unit == nullptr ? std::string(text) : unit->*spelling;
}

/// value * 10^exponent, exact in decimal digits.
double shifted(double value, int exponent) {
  const std::string text = fmt::format("{}", value);  // the fewest digits that mean this number
  const std::size_t end = std::min(text.find('e'), text.size());
  int own = 0;
  const std::size_t number = end + (text.substr(end).starts_with("e+") ? 2 : 1);
  if (end < text.size()) std::from_chars(text.data() + number, text.data() + text.size(), own);
  const std::string moved = fmt::format("{}e{}", text.substr(0, end), own + exponent);
  double result = value;
  std::from_chars(moved.data(), moved.data() + moved.size(), result);
  return result;
}

std::optional<double> converted(std::span<const Unit> units, double value, const std::string& from,
                                const std::string& to) {
  if (from == to) return value;
  const Unit* source = find_unit(units, from);
  const Unit* target = find_unit(units, to);
  if (source == nullptr || target == nullptr) return std::nullopt;
  if (source == target || !std::isfinite(value)) return value;
  return shifted(value * source->factor / target->factor, source->exponent - target->exponent);
}

/// Bytes of the character that begins the text, 0 if it is no valid UTF-8. Source: RFC 3629, section 4.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first < 0xE0) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first < 0xF0) {
    const bool overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = first == 0xED && byte(1) >= 0xA0;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first < 0xF5) {
    const bool outside = (first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) >= 0x90);
    return follows(1) && follows(2) && follows(3) && !outside ? 4 : 0;
  }
  return 0;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7F;
}

}  // namespace

std::string utf8_from(std::string_view text) {
  const bool valid = is_utf8(text);
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_control(c)) continue;
    if (valid || byte < 0x80) {
      result += c;
    } else {
      result += static_cast<char>(0xC0 | byte >> 6);
      result += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  return result;
}

std::string unit_from(std::string_view text) { return utf8_from(spelled(kLengths, trimmed(text), &Unit::ours)); }

std::string ome_unit(const std::string& text) {
  if (text.empty()) return "\u00b5m";
  if (const Unit* unit = find_unit(kLengths, text)) return unit->ome;
  if (text == "pixels") return "pixel";
  return kOtherOmeLengths.find("|" + text + "|") == std::string_view::npos ? "reference frame" : text;
}

std::string ngff_unit(const std::string& text) { return spelled(kLengths, text, &Unit::ngff); }

std::string time_unit_from(std::string_view text) {
  return trimmed(text).empty() ? "s" : utf8_from(spelled(kTimes, trimmed(text), &Unit::ours));
}

std::string ome_time_unit(const std::string& text) {
  if (text.empty()) return "s";
  const Unit* unit = find_unit(kTimes, text);
  return unit == nullptr ? "" : unit->ome;
}

std::string ngff_time_unit(const std::string& text) {
  return text.empty() ? "second" : spelled(kTimes, text, &Unit::ngff);
}

std::optional<double> converted_length(double length, const std::string& from, const std::string& to) {
  return converted(kLengths, length, from, to);
}

std::optional<double> converted_time(double time, const std::string& from, const std::string& to) {
  return converted(kTimes, time, from, to);
}

}  // namespace convoy::io
