#include <dlfcn.h>
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/shared_library.hpp"
#include "convoy/settings.hpp"

using namespace convoy;

TEST_CASE("libraries that the loader does not find are looked for in CONVOY_LIBRARY_PATH") {
  constexpr const char* kName = "libconvoy_nobody_has_this.so.1";
  Dl_info known{};
  REQUIRE(dladdr(reinterpret_cast<void*>(&::getpid), &known) != 0);
  const auto folder = std::filesystem::temp_directory_path() / ("convoy_library_path_" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  std::filesystem::create_symlink(known.dli_fname, folder / kName);
  set_variable("CONVOY_LIBRARY_PATH", "/nowhere::" + folder.string());
  const SharedLibrary missing({"libconvoy_neither_this.so"});
  const SharedLibrary found({"libconvoy_neither_this.so", kName});
  std::filesystem::remove_all(folder);
  CHECK(!missing.loaded());
  CHECK(missing.why_not().find("/nowhere/libconvoy_neither_this.so") != std::string::npos);
  CHECK(found.loaded());
  CHECK(found.name() == (folder / kName).string());
  CHECK(found.symbol("getpid") != nullptr);
}
