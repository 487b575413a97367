#include "base/shared_library.hpp"

#include <filesystem>
#include <sstream>
#include <system_error>

#include "base/library_folders.hpp"
#include "base/library_reports.hpp"
#include "base/path_text.hpp"
#include "base/settings.hpp"
#if defined(_WIN32)
#include "base/windows.hpp"
#else
#include <dlfcn.h>
#endif

namespace convoy::inline v0 {
namespace {

#if defined(_WIN32)

constexpr char kBetweenFolders = ';';

/// Libraries that one needs are looked for beside it, too, where its folder is named.
void* load_library(const std::string& name, std::string& why_not) {
  const std::wstring wide = windows::to_wide(name);
  const bool has_folder = wide.find_first_of(L"/\\") != std::wstring::npos;
  const DWORD places = LOAD_LIBRARY_SEARCH_DEFAULT_DIRS | (has_folder ? LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR : 0);
  const std::wstring path = has_folder ? windows::full_path(wide) : wide;
  HMODULE library = ::LoadLibraryExW(path.c_str(), nullptr, places);
  if (library == nullptr && !has_folder) library = ::LoadLibraryExW(path.c_str(), nullptr, 0);  // PATH, too
  if (library == nullptr) why_not = name + ": " + windows::error_text(::GetLastError());
  return library;
}

void* find_symbol(void* library, const char* name) {
  return reinterpret_cast<void*>(::GetProcAddress(static_cast<HMODULE>(library), name));
}

#else

constexpr char kBetweenFolders = ':';

void* load_library(const std::string& name, std::string& why_not) {
  void* library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library != nullptr) return library;
  const char* reason = dlerror();
  why_not = reason != nullptr ? reason : name;
  return nullptr;
}

void* find_symbol(void* library, const char* name) { return dlsym(library, name); }

#endif

}  // namespace

SharedLibrary::SharedLibrary(const std::vector<std::string>& names, const char* override_variable)
    : SharedLibrary(LibrarySearch({.variable = override_variable, .names = names}).next()) {}

void* SharedLibrary::symbol(const char* symbol_name) const {
  return handle_ != nullptr ? find_symbol(handle_, symbol_name) : nullptr;
}

LibrarySearch::LibrarySearch(LibrarySource source) : source_(std::move(source)) {
  if (source_.is_reported) begin_report(source_.description, source_.variable);
  const char* only = source_.variable != nullptr ? setting_for_good(source_.variable) : nullptr;
  if (only != nullptr) {
    places_.push_back({only, ""});
    return;
  }
  for (const std::string& name : source_.names) places_.push_back({name, ""});
  const char* given = setting_for_good("CONVOY_LIBRARY_PATH");
  std::istringstream list(given != nullptr ? given : "");
  for (std::string folder; std::getline(list, folder, kBetweenFolders);) {
    if (!folder.empty()) add_folder(folder);
  }
  for (const std::string& pattern : source_.folders) {
    const auto matching = folders_matching(pattern);
    for (const std::filesystem::path& folder : matching) add_folder(text_from(folder));
    if (matching.empty()) places_.push_back({pattern, "there is no such folder"});
  }
}

void LibrarySearch::add_folder(const std::string& folder) {
  std::error_code ignored;
  bool is_any_there = false;
  for (const std::string& name : source_.names) {
    const std::filesystem::path file = path_from(folder) / name;
    if (!std::filesystem::exists(file, ignored)) continue;
    places_.push_back({text_from(file), ""});
    is_any_there = true;
  }
  if (!is_any_there) places_.push_back({folder, "has no such library"});
}

SharedLibrary LibrarySearch::next() {
  SharedLibrary library;
  while (next_ < places_.size()) {
    Place& place = places_[next_++];
    if (place.problem.empty()) {
      library.handle_ = load_library(place.text, place.problem);
      if (library.handle_ == nullptr) why_not_ += (why_not_.empty() ? "" : "; ") + place.problem;
    }
    if (source_.is_reported) add_to_report(source_.description, {place.text, place.problem});
    if (library.handle_ == nullptr) continue;
    library.name_ = place.text;
    break;
  }
  library.why_not_ = why_not_;
  return library;
}

void LibrarySearch::use(const SharedLibrary& library) const {
  if (source_.is_reported) report_used(source_.description, library.name());
}

}  // namespace convoy::inline v0
