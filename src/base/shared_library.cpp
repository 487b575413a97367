#include "base/shared_library.hpp"

#include <sstream>
#include <string>

#include "base/settings.hpp"
#if defined(_WIN32)
#include "base/windows.hpp"
#else
#include <dlfcn.h>
#endif

namespace convoy {

namespace {

#if defined(_WIN32)

constexpr char kBetweenFolders = ';';

/// Libraries that one needs are looked for beside it, too, where its folder is named.
void* open_library(const char* name, std::string& why_not) {
  const std::wstring wide = windows::to_wide(name);
  const bool has_folder = wide.find_first_of(L"/\\") != std::wstring::npos;
  const DWORD places = LOAD_LIBRARY_SEARCH_DEFAULT_DIRS | (has_folder ? LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR : 0);
  const std::wstring path = has_folder ? windows::full_path(wide) : wide;
  HMODULE library = ::LoadLibraryExW(path.c_str(), nullptr, places);
  if (library == nullptr && !has_folder) library = ::LoadLibraryExW(path.c_str(), nullptr, 0);  // PATH, too
  if (library == nullptr) why_not = std::string(name) + ": " + windows::error_text(::GetLastError());
  return library;
}

void* find_symbol(void* library, const char* name) {
  return reinterpret_cast<void*>(::GetProcAddress(static_cast<HMODULE>(library), name));
}

#else

constexpr char kBetweenFolders = ':';

void* open_library(const char* name, std::string& why_not) {
  void* library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (library != nullptr) return library;
  const char* reason = dlerror();
  why_not = reason != nullptr ? reason : name;
  return nullptr;
}

void* find_symbol(void* library, const char* name) { return dlsym(library, name); }

#endif

}  // namespace

SharedLibrary::SharedLibrary(const std::vector<const char*>& names, const char* override_variable) {
  const auto attempt = [this](const char* candidate) {
    std::string reason;
    handle_ = open_library(candidate, reason);
    if (handle_ != nullptr) {
      name_ = candidate;
      return true;
    }
    why_not_ += (why_not_.empty() ? "" : "; ") + reason;
    return false;
  };
  const char* only = override_variable != nullptr ? setting_for_good(override_variable) : nullptr;
  if (only != nullptr) {
    attempt(only);
    return;
  }
  for (const char* candidate : names) {
    if (attempt(candidate)) return;
  }
  const char* folders = setting_for_good("CONVOY_LIBRARY_PATH");
  std::istringstream list(folders != nullptr ? folders : "");
  for (std::string folder; std::getline(list, folder, kBetweenFolders);) {
    for (const char* candidate : names) {
      if (!folder.empty() && attempt((folder + '/' + candidate).c_str())) return;
    }
  }
}

void* SharedLibrary::symbol(const char* symbol_name) const {
  return handle_ != nullptr ? find_symbol(handle_, symbol_name) : nullptr;
}

}  // namespace convoy
