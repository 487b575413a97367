// Memory in a file: it has no name, takes its disk space at once, and what cannot be is an error that leaves nothing.
#include "base/scratch_file.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <filesystem>

#include "convoy/error.hpp"

using namespace convoy;
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path = fs::temp_directory_path() / ("convoy-scratch-test-" + std::to_string(number_of_process()));
  Folder() { fs::create_directory(path); }
  ~Folder() { fs::remove_all(path); }
  bool is_empty() const { return fs::is_empty(path); }
};

}  // namespace

TEST_CASE("what is written to a scratch file is there after its memory is given back, and nothing is left of it") {
  const Folder folder;
  constexpr std::size_t kBytes = std::size_t{5} << 20;
  for (const fs::path& place : {folder.path, folder.path / "file"}) {
    const ScratchFile file(place.string(), kBytes);
#if !defined(_WIN32)
    CHECK(folder.is_empty());
#endif
    for (std::size_t i = 0; i < kBytes; ++i) REQUIRE(file.data()[i] == std::byte{0});
    std::memset(file.data(), 7, kBytes);
    file.release();
    for (std::size_t i = 0; i < kBytes; ++i) REQUIRE(file.data()[i] == std::byte{7});
  }
  CHECK(folder.is_empty());
}

TEST_CASE("a disk that has not the room is told with both numbers") {
  const Folder folder;
  const std::uint64_t more_than_free = fs::space(folder.path).available + (std::uint64_t{1} << 40);
  CHECK_THROWS_WITH_AS(ScratchFile(folder.path.string(), more_than_free), doctest::Contains("but its disk has"), Error);
  CHECK_THROWS_AS(ScratchFile((folder.path / "none" / "file").string(), 1), Error);
  CHECK(folder.is_empty());
}
