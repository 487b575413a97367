// Units of length and time, which every program spells in its own way. Ours are "micron", "nm", "mm", "inch" ... and
// "s", "ms", "min" ...; units that are not known stay as they are.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace convoy::io {

std::string unit_from(std::string_view text);
/// As OME-XML spells it; nothing means micrometres there, and what it does not list becomes "reference frame".
std::string ome_unit(const std::string& unit);
/// As OME-NGFF spells it; empty if there is none.
std::string ngff_unit(const std::string& unit);

/// The same for units of time; nothing means seconds. OME's is empty for units it does not list.
std::string time_unit_from(std::string_view text);
std::string ome_time_unit(const std::string& unit);
std::string ngff_time_unit(const std::string& unit);

/// A length in another unit, exact in decimal digits: 0.57 mm are 570 micron. Both units are ours. Nothing where one of
/// them is no known length, unless they are the same.
std::optional<double> converted_length(double length, const std::string& from, const std::string& to);
/// The same for times.
std::optional<double> converted_time(double time, const std::string& from, const std::string& to);

/// Text in UTF-8: as it is if it is valid, else taken as Latin-1. Without control characters but tab and line ends.
std::string utf8_from(std::string_view text);

}  // namespace convoy::io
