// Names of files as text: UTF-8 in all of convoy, while std::filesystem of Windows takes narrow text for the code
// page's.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/private_export.hpp"

namespace convoy::inline v0 {

CONVOY_PRIVATE std::filesystem::path path_from(std::string_view text);
CONVOY_PRIVATE std::string text_from(const std::filesystem::path& path);

}  // namespace convoy::inline v0
