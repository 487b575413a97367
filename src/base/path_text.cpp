#include "base/path_text.hpp"

#if defined(_WIN32)
#include "base/windows.hpp"
#endif

namespace convoy::inline v0 {

#if defined(_WIN32)
std::filesystem::path path_from(std::string_view text) { return windows::to_wide(text); }
std::string text_from(const std::filesystem::path& path) { return windows::to_utf8(path.native()); }
#else
std::filesystem::path path_from(std::string_view text) { return text; }
std::string text_from(const std::filesystem::path& path) { return path.native(); }
#endif

}  // namespace convoy::inline v0
