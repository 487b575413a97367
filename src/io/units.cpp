#include "io/units.hpp"

namespace convoy::io {
namespace {

struct Spelling {
  const char* ours;
  const char* ome;
  const char* ngff;
};

constexpr Spelling kUnits[] = {
    {"micron", "\u00b5m", "micrometer"}, {"nm", "nm", "nanometer"}, {"mm", "mm", "millimeter"}};

}  // namespace

std::string unit_from(std::string_view text) {
  for (const char* micrometre : {"um", "\u03bcm", "\\u00B5m", "micrometre", "microns"}) {
    if (text == micrometre) return "micron";
  }
  for (const Spelling& unit : kUnits) {
    if (text == unit.ome || text == unit.ngff) return unit.ours;
  }
  return std::string(text);
}

std::string ome_unit(const std::string& text) {
  for (const Spelling& unit : kUnits) {
    if (text.empty() || text == unit.ours) return unit.ome;
  }
  return text;
}

std::string ngff_unit(const std::string& text) {
  for (const Spelling& unit : kUnits) {
    if (text == unit.ours) return unit.ngff;
  }
  return text;
}

}  // namespace convoy::io
