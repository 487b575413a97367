// Files appear whole or not at all, under the names that are known.
#include <png.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "files.hpp"

namespace convoy::test {
namespace {

namespace fs = std::filesystem;

const std::vector<float> kVoxels(24, 1.0F);
const ImageView kImage(kVoxels, Shape{2, 3, 4});

template <class Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  FAIL_CHECK("no error");
  return "";
}

TEST_CASE("an unknown extension is refused, reading and writing, and the known ones are named") {
  const Folder folder;
  for (const char* name : {"a.png", "a", "a.tif.gz", ".tif"}) {
    CHECK_READING_FAILS(folder / name, ".tif, .tiff, .npy, .raw and .zarr");
    CHECK(contains(error_of([&] { write_image(folder / name, kImage); }), ".tif, .tiff, .npy, .raw and .zarr"));
    CHECK(contains(error_of([&] { require_writable_image(folder / name); }), ".tif, .tiff, .npy, .raw and .zarr"));
  }
  CHECK(folder.num_files() == 0);
  write_image(folder / "A.TIFF", kImage);
  CHECK(read_image(folder / "A.TIFF").shape == Shape{2, 3, 4});
}

TEST_CASE("missing files, folders and closed folders are distinguished") {
  const Folder folder;
  for (const char* extension : {".tif", ".npy"}) {
    CHECK_READING_FAILS(folder / "missing" + extension, "No such file");
    fs::create_directory(folder / "folder" + extension);
    CHECK_READING_FAILS(folder / "folder" + extension, "is a folder");
    CHECK(contains(error_of([&] { write_image(folder / "folder" + extension, kImage); }), "is a folder"));
    CHECK(contains(error_of([&] { write_image(folder / "no/such" + extension, kImage); }), "there is no folder"));
    CHECK(contains(error_of([&] { require_writable_image(folder / "no/such" + extension); }), "there is no folder"));
  }
  if (::geteuid() != 0) {
    fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
    CHECK(contains(error_of([&] { require_writable_image(folder / "a.tif"); }), "Permission denied"));
    fs::permissions(folder.path(), fs::perms::owner_all);
  }
}

TEST_CASE("pipes and devices are neither read nor replaced") {
  const Folder folder;
  REQUIRE(::mkfifo((folder / "pipe.tif").c_str(), 0600) == 0);
  CHECK_READING_FAILS(folder / "pipe.tif", "not a regular file");
  CHECK(contains(error_of([&] { write_image(folder / "pipe.tif", kImage); }), "not a regular file"));
}

TEST_CASE("asking whether a file could be written leaves nothing behind and the old file alone") {
  const Folder folder;
  require_writable_image(folder / "a.tif");
  CHECK(folder.num_files() == 0);
  write_bytes(folder / "a.tif", "old");
  require_writable_image(folder / "a.tif");
  CHECK(bytes_of(folder / "a.tif") == "old");
}

TEST_CASE("a symbolic link stays one: its target is replaced") {
  const Folder folder;
  write_bytes(folder / "target.npy", "old");
  fs::create_symlink(folder / "target.npy", folder / "link.npy");
  write_image(folder / "link.npy", kImage);
  CHECK(fs::is_symlink(folder / "link.npy"));
  CHECK(read_image(folder / "target.npy").shape == kImage.shape);
}

TEST_CASE("a full disk is an error and leaves the old file and nothing else") {
  const Folder folder;
  const std::vector<float> many(1 << 18, 1.0F);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  for (const char* file : {"a.tif", "a.npy", "a.png"}) {
    write_bytes(folder / file, "old");
    const rlimit small{4096, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
    const std::vector<std::uint8_t> noise = numbered_voxels<std::uint8_t>({1, 512, 512});
    const std::string text = error_of([&] {
      if (std::string(file) == "a.png") return write_png(folder / file, ImageView(noise, Shape{1, 512, 512}));
      write_image(folder / file, ImageView(many, Shape{4, 256, 256}));
    });
    ::setrlimit(RLIMIT_FSIZE, &before);
    CHECK_MESSAGE(contains(text, folder / file), text);
    CHECK(bytes_of(folder / file) == "old");
  }
  std::signal(SIGXFSZ, handler);
  CHECK(folder.num_files() == 3);
}

TEST_CASE("a shape without voxels is not written") {
  const Folder folder;
  CHECK_THROWS_AS(write_image(folder / "a.tif", ImageView(nullptr, Element::f32, Shape{1, 0, 2})), Error);
  CHECK_THROWS_AS(make_image({0, 1, 1}, Element::u8), Error);
  CHECK_THROWS_AS(make_image({1 << 20, 1 << 20, 1 << 20}, Element::f64), OutOfMemory);
  CHECK(folder.num_files() == 0);
}

TEST_CASE("a PNG holds the pixels that were written") {
  const Folder folder;
  const auto pixels = numbered_voxels<std::uint8_t>({1, 5, 7});
  write_png(folder / "a.png", ImageView(pixels, Shape{1, 5, 7}));
  png_image picture{};
  picture.version = PNG_IMAGE_VERSION;
  REQUIRE(png_image_begin_read_from_file(&picture, (folder / "a.png").c_str()) != 0);
  CHECK(picture.width == 7);
  CHECK(picture.height == 5);
  picture.format = PNG_FORMAT_GRAY;
  std::vector<std::uint8_t> read(35);
  REQUIRE(png_image_finish_read(&picture, nullptr, read.data(), 0, nullptr) != 0);
  CHECK(read == pixels);
  CHECK(contains(error_of([&] { write_png(folder / "b.png", kImage); }), "one u8 plane"));
  CHECK(folder.num_files() == 1);
}

}  // namespace
}  // namespace convoy::test
