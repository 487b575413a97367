#include "io/tiff_dialects.hpp"

#include <tiff.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "io/units.hpp"
#include "io/voxel_size.hpp"

namespace convoy::io {
namespace {

// MetaMorph's. Source: "MetaMorph Stack (STK) Image File Format" (Molecular Devices, 2005).
constexpr std::uint16_t kUic1 = 33628;
constexpr std::uint16_t kUic2 = 33629;
constexpr std::uint64_t kUic1XCalibration = 4;
constexpr std::uint64_t kUic1YCalibration = 5;
constexpr std::uint64_t kUic1Units = 6;

struct TagOfDialect {
  std::uint16_t tag;
  const char* dialect;
};

constexpr TagOfDialect kTagsOfDialects[] = {{34412, "Zeiss LSM"},         {34361, "Olympus FluoView"},
                                            {34362, "Olympus FluoView"},  {65420, "Hamamatsu NDPI"},
                                            {43314, "NIH Image"},         {33560, "Olympus SIS"},
                                            {33471, "Olympus SIS"},       {37706, "TVIPS"},
                                            {51123, "Micro-Manager"},     {4869, "Andor"},
                                            {65001, "Thermo Fisher EER"}, {34118, "Zeiss SEM"}};

double fraction_at(const TiffTags& tags, std::uint64_t place) {
  const auto denominator = static_cast<double>(tags.integer_at(place + 4, 4));
  return denominator > 0 ? static_cast<double>(tags.integer_at(place, 4)) / denominator : 0;
}

std::string text_at(const TiffTags& tags, std::uint64_t place) {
  constexpr std::uint64_t kLongestUnit = 64;
  const std::uint64_t length = std::min(kLongestUnit, tags.integer_at(place, 4));
  std::string text;
  for (std::uint64_t i = 0; i < length; ++i) text += static_cast<char>(tags.integer_at(place + 4 + i, 1));
  return text.substr(0, text.find('\0'));
}

/// UIC1 is pairs of a number of a fact and its value or place.
void set_calibration(const TiffTags& tags, std::array<double, 3>& lengths, std::string& unit) {
  constexpr std::uint64_t kMostFacts = 256;
  const std::uint64_t count = std::min(kMostFacts, tags.count(kUic1));
  const std::vector<std::byte> facts = tags.bytes(kUic1, 8 * count);
  for (std::size_t at = 0; at + 8 <= facts.size(); at += 8) {
    const std::uint64_t fact = tags.integer_in(facts, at, 4);
    const std::uint64_t place = tags.integer_in(facts, at + 4, 4);
    if (place == 0) continue;
    if (fact == kUic1XCalibration) lengths[2] = fraction_at(tags, place);
    if (fact == kUic1YCalibration) lengths[1] = fraction_at(tags, place);
    if (fact == kUic1Units) unit = unit_from(text_at(tags, place));
  }
}

bool says_scanimage(const TiffTags& tags, const std::string& text) {
  const std::string software = tags.text(TIFFTAG_SOFTWARE);
  return software.starts_with("SI.") || text.starts_with("state.configPath") || text.find("scanimage.SI") < 4096 ||
         text.starts_with("frames = ") || text.starts_with("frameNumbers = ");
}

}  // namespace

std::optional<StackDescription> parse_metamorph(const TiffTags& tags) {
  if (!tags.has(kUic1) && !tags.has(kUic2)) return std::nullopt;
  StackDescription stack;
  stack.program = "MetaMorph";
  stack.exact = true;
  stack.contiguous = true;
  const std::uint64_t planes = tags.count(kUic2);
  constexpr std::uint64_t kPlaneBytes = 24;  // distance in z as a fraction, and two dates
  constexpr std::uint64_t kMostPlanes = std::uint64_t{1} << 24;
  if (planes < 1 || planes > kMostPlanes) {
    stack.obstacle = "is a MetaMorph stack that does not say how many planes it holds";
    return stack;
  }
  stack.axes = {{'Z', static_cast<Index>(planes)}};
  const std::vector<std::byte> facts = tags.bytes(kUic2, planes * kPlaneBytes);
  const auto number = [&](std::uint64_t plane, std::size_t at) {
    return tags.integer_in(facts, static_cast<std::size_t>(plane * kPlaneBytes) + at, 4);
  };
  const auto distance = [&](std::uint64_t plane) {
    const auto denominator = static_cast<double>(number(plane, 4));
    return denominator > 0 ? static_cast<double>(number(plane, 0)) / denominator : 0;
  };
  std::array<double, 3> lengths{};
  std::string unit = "micron";
  set_calibration(tags, lengths, unit);
  bool equal = planes > 1;
  bool times = planes > 1;
  for (std::uint64_t plane = 1; plane < planes; ++plane) {
    equal = equal && distance(plane) == distance(1);
    const bool later = number(plane, 8) != number(plane - 1, 8) || number(plane, 12) != number(plane - 1, 12);
    times = times && distance(plane) == 0 && later;  // of creation
  }
  if (equal) lengths[0] = distance(1);
  if (times) stack.axes[0].name = 'T';
  if (lengths != std::array<double, 3>{}) {
    stack.metadata.voxel_size = voxel_size_in_one_unit(lengths, {unit, unit, unit}, stack.metadata.warnings);
  }
  return stack;
}

std::string unread_dialect(const TiffTags& tags, const std::string& text) {
  for (const TagOfDialect& known : kTagsOfDialects) {
    if (tags.has(known.tag)) return known.dialect;
  }
  if (says_scanimage(tags, text)) return "ScanImage";
  if (text.find("leica.com/scn") < 4096) return "Leica SCN";
  if (text.starts_with("Aperio ")) return "Aperio SVS";
  if (text.find("PerkinElmer-QPI-ImageDescription") < 4096) return "PerkinElmer QPI";
  return "";
}

}  // namespace convoy::io
