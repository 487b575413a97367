// A folder by its handle: links and what is not ours are refused, and stay as they are.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>

#include "io/files.hpp"
#include "io/folder.hpp"

using namespace convoy;
using namespace convoy::test;

namespace fs = std::filesystem;

TEST_CASE(
    "a link, a second name, a pipe or a folder under the name of an own file is refused, and its victim untouched") {
  const Folder folder;
  const io::Folder open(folder.path());
  write_bytes(folder / "victim", "thesis");
  fs::create_symlink("victim", folder / "link");
  fs::create_symlink("nowhere", folder / "dangling");
  fs::create_hard_link(folder / "victim", folder / "second");
  fs::create_directory(folder / "folder");
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  for (const char* name : {"link", "dangling"}) {
    CHECK(contains(error_of([&] { open.open_own_file(name); }), folder / name + ": is a symbolic link"));
    CHECK(contains(error_of([&] { open.open_own_folder(name); }), folder / name + ": is a symbolic link"));
    CHECK(contains(error_of([&] { open.open_to_read(name); }), "is not a regular file"));
    CHECK_FALSE(open.make_file(name));
  }
  CHECK(contains(error_of([&] { open.open_own_file("second"); }), "2 names (hard links)"));
  CHECK(contains(error_of([&] { open.open_own_file("pipe"); }), "is a pipe"));
  CHECK(contains(error_of([&] { open.open_to_read("pipe"); }), "is not a regular file"));
  CHECK(contains(error_of([&] { open.open_own_file("folder"); }), "is a folder where a file"));
  CHECK(contains(error_of([&] { open.open_own_folder("victim"); }), "is a file where a folder"));
  CHECK(bytes_of(folder / "victim") == "thesis");
  CHECK_FALSE(fs::exists(folder / "nowhere"));
  CHECK(open.open_own_file("new"));
  CHECK(open.open_own_file("new"));
}

TEST_CASE("what another user left under the name of an own file or folder is refused") {
  const Folder folder;
  const io::Folder open(folder.path());
  open.open_own_file("file");
  open.open_own_folder("folder");
  if (::chown((folder / "file").c_str(), 12345, 0) != 0 || ::chown((folder / "folder").c_str(), 12345, 0) != 0) {
    MESSAGE("only root can give files away");
    return;
  }
  CHECK(contains(error_of([&] { open.open_own_file("file"); }), "belongs to another user (number 12345)"));
  CHECK(contains(error_of([&] { open.open_own_folder("folder"); }), "belongs to another user (number 12345)"));
  CHECK(open.names().size() == 2);
}

TEST_CASE("a folder is emptied and removed without following links") {
  const Folder folder;
  const io::Folder open(folder.path());
  fs::create_directory(folder / "victim");
  write_bytes(folder / "victim/thesis", "years");
  const io::Folder made = open.subfolder("ours/0/c", io::Folder::Missing::made);
  fs::create_directory_symlink("../victim", folder / "ours/link");
  fs::create_symlink("../../victim/thesis", folder / "ours/0/link");
  made.make_file("1");
  CHECK(contains(error_of([&] { open.subfolder("ours/link"); }), "is a symbolic link"));
  for (const char* path : {"..", "ours/../victim", "/etc", ""}) {
    CHECK(contains(error_of([&] { open.subfolder(path); }), "is no place below"));
  }
  open.remove("ours");
  open.remove("ours");
  CHECK(bytes_of(folder / "victim/thesis") == "years");
  CHECK(open.names() == std::vector<std::string>{"victim"});
}

TEST_CASE("what is done in a folder is done in that folder, whatever lies under its name meanwhile") {
  const Folder folder;
  const io::Folder open(folder.path());
  const io::Folder held = *open.make_folder("a");
  CHECK(open.holds("a", held.identity()));
  fs::rename(folder / "a", folder / "b");
  fs::create_directory(folder / "a");
  CHECK_FALSE(open.holds("a", held.identity()));
  CHECK(held.make_file("x"));
  CHECK(fs::exists(folder / "b/x"));
  CHECK(held.rename("x", "y") == 0);
  CHECK(fs::exists(folder / "b/y"));
  CHECK(held.rename("x", "y") == ENOENT);
}
