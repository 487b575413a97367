// Units of length, which every program spells in its own way. Ours are "micron", "nm", "mm"; others stay as they are.
#pragma once

#include <string>
#include <string_view>

namespace convoy::io {

std::string unit_from(std::string_view text);
/// As OME-XML spells it; nothing means micrometres there.
std::string ome_unit(const std::string& unit);
/// As OME-NGFF spells it; empty if there is none.
std::string ngff_unit(const std::string& unit);

}  // namespace convoy::io
