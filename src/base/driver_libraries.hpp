// The libraries that convoy opens at run time: their names and where they lie, for each platform.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/shared_library.hpp"

namespace convoy::inline v0 {

enum class Platform { linux_or_bsd, windows, macos };
Platform this_platform();

enum class DriverLibrary { cuda, nvrtc, hip, hiprtc, vulkan, fftw3f, fftw3 };
inline constexpr int kNumDriverLibraries = 7;

/// One line of the table.
struct LibraryNames {
  const char* description;
  const char* variable;                  ///< names the file to open, and no other
  std::span<const char* const> names;    ///< the preferred first; none where the platform has no such library
  std::span<const char* const> folders;  ///< those that loaders do not know, as LibrarySource::folders
};
LibraryNames names_of(DriverLibrary library, Platform platform = this_platform());

/// list_libraries() reports it. `names`, if not empty, stand in place of the table's.
LibrarySearch search_for(DriverLibrary library, const std::vector<std::string>& names = {});

/// The first one found.
SharedLibrary open_driver(DriverLibrary library);

}  // namespace convoy::inline v0
