#include <dlfcn.h>
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/driver_libraries.hpp"
#include "base/library_folders.hpp"
#include "base/shared_library.hpp"
#include "convoy/libraries.hpp"
#include "convoy/settings.hpp"

using namespace convoy;

namespace {

constexpr const char* kName = "libconvoy_nobody_has_this.so.1";

/// A folder that goes with it.
struct Planted {
  std::filesystem::path folder;

  Planted() : folder(std::filesystem::temp_directory_path() / ("convoy_libraries_" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder);
  }
  ~Planted() { std::filesystem::remove_all(folder); }

  /// A library of that name, which is the C library.
  std::string plant(const std::string& inside, const std::string& name) const {
    Dl_info known{};
    REQUIRE(dladdr(reinterpret_cast<void*>(&::getpid), &known) != 0);
    std::filesystem::create_directories(folder / inside);
    std::filesystem::create_symlink(known.dli_fname, folder / inside / name);
    return (folder / inside / name).string();
  }
};

LibrarySource source_of(const std::vector<std::string>& folders) {
  return {.description = "a library of tests",
          .variable = nullptr,
          .names = {kName},
          .folders = folders,
          .is_reported = true};
}

LibraryReport report_of(const std::string& library) {
  for (const LibraryReport& report : list_libraries()) {
    if (report.library == library) return report;
  }
  return {};
}

}  // namespace

TEST_CASE("libraries that the loader does not find are looked for in CONVOY_LIBRARY_PATH") {
  const Planted planted;
  const std::string file = planted.plant("given", kName);
  set_variable("CONVOY_LIBRARY_PATH", "/nowhere::" + (planted.folder / "given").string());
  const SharedLibrary missing({"libconvoy_neither_this.so"});
  const SharedLibrary found({"libconvoy_neither_this.so", kName});
  CHECK(!missing.loaded());
  CHECK(missing.why_not().find("libconvoy_neither_this.so") != std::string::npos);
  CHECK(found.loaded());
  CHECK(found.name() == file);
  CHECK(found.symbol("getpid") != nullptr);
}

TEST_CASE("folders are patterns: a variable of the environment, and the highest version first") {
  const Planted planted;
  for (const char* version : {"cuda-9.2", "cuda-12.4", "cuda-12.10", "cuda", "other-1"}) {
    std::filesystem::create_directories(planted.folder / version / "lib64");
  }
  setenv("CONVOY_TEST_FOLDER", planted.folder.c_str(), 1);
  unsetenv("CONVOY_TEST_UNSET");
  const std::vector<std::filesystem::path> wanted{planted.folder / "cuda-12.10" / "lib64",
                                                  planted.folder / "cuda-12.4" / "lib64",
                                                  planted.folder / "cuda-9.2" / "lib64"};
  CHECK(folders_matching("$CONVOY_TEST_FOLDER/cuda-*/lib64") == wanted);
  CHECK(folders_matching("$CONVOY_TEST_UNSET/cuda-*/lib64").empty());
  CHECK(folders_matching((planted.folder / "cuda" / "lib64").string()).size() == 1);
  CHECK(folders_matching((planted.folder / "cuda" / "bin").string()).empty());
  unsetenv("CONVOY_TEST_FOLDER");
}

TEST_CASE("a search takes one library after another, and reports what was tried where") {
  const Planted planted;
  const std::string newer = planted.plant("toolkit-13/lib", kName);
  const std::string older = planted.plant("toolkit-12/lib", kName);
  std::filesystem::create_directories(planted.folder / "empty");
  LibrarySearch search(source_of({"$CONVOY_TEST_UNSET/lib", (planted.folder / "empty").string(),
                                  (planted.folder / "toolkit-*" / "lib").string()}));
  CHECK(search.next().name() == newer);
  const SharedLibrary second = search.next();
  CHECK(second.name() == older);
  CHECK(!search.next().loaded());
  const LibraryReport report = report_of("a library of tests");
  CHECK(report.found == older);
  const auto problem_at = [&](const std::string& place) {
    for (const LibraryAttempt& attempt : report.attempts) {
      if (attempt.place == place) return attempt.problem;
    }
    return std::string("was not tried");
  };
  CHECK(problem_at(kName).find(kName) != std::string::npos);
  CHECK(problem_at("$CONVOY_TEST_UNSET/lib") == "there is no such folder");
  CHECK(problem_at((planted.folder / "empty").string()) == "has no such library");
  CHECK(problem_at(newer).empty());
  search.use(second);
  CHECK(report_of("a library of tests").found == older);
}

TEST_CASE("of every library the table has names and a variable with convoy's prefix on every platform that has it") {
  for (int row = 0; row < kNumDriverLibraries; ++row) {
    const auto library = static_cast<DriverLibrary>(row);
    for (const Platform platform : {Platform::linux_or_bsd, Platform::windows, Platform::macos}) {
      const LibraryNames names = names_of(library, platform);
      CAPTURE(names.description);
      CHECK(std::string(names.variable).starts_with("CONVOY_"));
      CHECK(std::string(names.variable).ends_with("_LIBRARY"));
      const bool is_there = platform != Platform::macos || library == DriverLibrary::vulkan || row >= 5;
      CHECK(names.names.empty() == !is_there);
      const char* ending = platform == Platform::windows ? ".dll" : platform == Platform::macos ? ".dylib" : ".so";
      for (const std::string name : names.names) CHECK(name.find(ending) != std::string::npos);
    }
  }
}

TEST_CASE("a driver is found in its toolkit's folder") {
  const Planted planted;
  const std::string file = planted.plant("rocm/lib", "libhiprtc.so.7");
  setenv("ROCM_PATH", (planted.folder / "rocm").c_str(), 1);
  const SharedLibrary found = open_driver(DriverLibrary::hiprtc);
  unsetenv("ROCM_PATH");
  CHECK(found.loaded());
  if (found.name() != "libhiprtc.so.7") CHECK(found.name() == file);  // a machine with ROCm has its own
}
