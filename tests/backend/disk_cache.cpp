// The cache holds code that will be executed: nothing damaged, foreign or open to others may come out of it.
#include "base/disk_cache.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace fs = std::filesystem;
using convoy::make_plan_cache;

namespace {

/// A cache folder of the test's own, which does not exist yet.
struct Folder {
  fs::path path = fs::temp_directory_path() / ("convoy-disk-cache-" + std::to_string(std::rand()));
  Folder() { setenv("CONVOY_CACHE_DIR", path.c_str(), 1); }
  ~Folder() {
    fs::permissions(path, fs::perms::owner_all);
    fs::remove_all(path);
    unsetenv("CONVOY_CACHE_DIR");
  }
  fs::path only_file() const { return fs::directory_iterator(path)->path(); }
};

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

const std::string kPlan("code\0with\nanything", 18);

}  // namespace

TEST_CASE("what one process keeps, the next finds; other keys find nothing") {
  const Folder folder;
  make_plan_cache()->store("key", kPlan);
  CHECK(make_plan_cache()->find("key") == kPlan);
  CHECK_FALSE(make_plan_cache()->find("other key"));
  CHECK((fs::status(folder.path).permissions() & (fs::perms::group_all | fs::perms::others_all)) == fs::perms::none);
  CHECK(std::distance(fs::directory_iterator(folder.path), {}) == 1);
  make_plan_cache()->forget("key");
  CHECK_FALSE(make_plan_cache()->find("key"));
}

TEST_CASE("no damaged file comes out, whichever byte is wrong or missing") {
  const Folder folder;
  make_plan_cache()->store("key", kPlan);
  const fs::path file = folder.only_file();
  const std::string whole = read(file);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x11);
    write(file, damaged);
    CAPTURE(i);
    CHECK_FALSE(make_plan_cache()->find("key"));
    write(file, whole.substr(0, i));
    CHECK_FALSE(make_plan_cache()->find("key"));
  }
  write(file, whole + "more");
  CHECK_FALSE(make_plan_cache()->find("key"));
  make_plan_cache()->store("key", kPlan);
  CHECK(make_plan_cache()->find("key") == kPlan);
}

TEST_CASE("another plan's file under this plan's name does not come out") {
  const Folder folder;
  make_plan_cache()->store("first", kPlan);
  const std::string first = read(folder.only_file());
  make_plan_cache()->forget("first");
  make_plan_cache()->store("second", kPlan);
  write(folder.only_file(), first);
  CHECK_FALSE(make_plan_cache()->find("second"));
}

TEST_CASE("a folder that others may write to is ignored, and left alone") {
  const Folder folder;
  make_plan_cache()->store("key", kPlan);
  fs::permissions(folder.path, fs::perms::owner_all | fs::perms::group_write);
  CHECK_FALSE(make_plan_cache()->find("key"));
  make_plan_cache()->store("new key", kPlan);
  CHECK(std::distance(fs::directory_iterator(folder.path), {}) == 1);
}

TEST_CASE("off keeps nothing on disk, and this process still remembers") {
  const Folder folder;
  setenv("CONVOY_CACHE_DIR", "off", 1);
  const auto cache = make_plan_cache();
  cache->store("key", kPlan);
  CHECK(cache->find("key") == kPlan);
  CHECK_FALSE(make_plan_cache()->find("key"));
  fs::create_directory(folder.path);
}

TEST_CASE("a link, a pipe, a socket, a folder or a huge file in the place of an entry is ignored, and does not block") {
  const Folder folder;
  make_plan_cache()->store("key", kPlan);
  const fs::path entry = folder.only_file();
  const fs::path victim = folder.path / "victim";
  fs::rename(entry, victim);
  fs::create_symlink(victim, entry);
  CHECK_FALSE(make_plan_cache()->find("key"));
  make_plan_cache()->store("key", kPlan);
  CHECK_FALSE(fs::is_symlink(entry));
  CHECK(make_plan_cache()->find("key") == kPlan);
  fs::remove(entry);
  REQUIRE(mkfifo(entry.c_str(), 0600) == 0);
  CHECK_FALSE(make_plan_cache()->find("key"));
  make_plan_cache()->store("key", kPlan);
  CHECK(make_plan_cache()->find("key") == kPlan);
  fs::remove(entry);
  REQUIRE(mknod(entry.c_str(), S_IFSOCK | 0600, 0) == 0);
  CHECK_FALSE(make_plan_cache()->find("key"));
  fs::remove(entry);
  fs::create_directory(entry);
  CHECK_FALSE(make_plan_cache()->find("key"));
  make_plan_cache()->store("key", kPlan);
  fs::remove(entry);
  write(entry, "");
  fs::resize_file(entry, std::uintmax_t{1} << 40);
  CHECK_FALSE(make_plan_cache()->find("key"));
  CHECK(std::distance(fs::directory_iterator(folder.path), {}) == 2);
}
