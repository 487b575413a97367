// JSON that comes from a disk: whatever it is, reading it ends well.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "base/private_export.hpp"

namespace convoy::inline v0 {

/// Deeper JSON is refused: copying, comparing and writing a value takes stack for each level.
inline constexpr int kDeepestJson = 100;

/// The value that the text holds, or nothing if it is malformed or nests deeper than kDeepestJson. NaN, Infinity and
/// -Infinity, which Python writes without quotes, become the strings of that name.
CONVOY_PRIVATE std::optional<nlohmann::json> parse_json(std::string_view text);

}  // namespace convoy::inline v0
