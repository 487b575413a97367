// Folders that match a pattern.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace convoy::inline v0 {

/// The folders that `pattern` names (LibrarySource::folders) and that exist, of several the highest version first. None
/// where it begins with a variable that is not set.
std::vector<std::filesystem::path> folders_matching(const std::string& pattern);

}  // namespace convoy::inline v0
