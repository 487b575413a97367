#include "base/shared_library.hpp"

#include <dlfcn.h>

#include <sstream>
#include <string>

#include "base/settings.hpp"

namespace convoy {

SharedLibrary::SharedLibrary(const std::vector<const char*>& names, const char* override_variable) {
  const auto attempt = [this](const char* candidate) {
    handle_ = dlopen(candidate, RTLD_NOW | RTLD_LOCAL);
    if (handle_ != nullptr) {
      name_ = candidate;
      return true;
    }
    const char* reason = dlerror();
    if (!why_not_.empty()) why_not_ += "; ";
    why_not_ += reason != nullptr ? reason : candidate;
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
  for (std::string folder; std::getline(list, folder, ':');) {
    for (const char* candidate : names) {
      if (!folder.empty() && attempt((folder + '/' + candidate).c_str())) return;
    }
  }
}

void* SharedLibrary::symbol(const char* symbol_name) const {
  return handle_ != nullptr ? dlsym(handle_, symbol_name) : nullptr;
}

}  // namespace convoy
