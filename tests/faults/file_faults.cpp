// Files that fail while convoy is at work on them: really full disks, files that become short, folders that vanish.
// Each is reported with the file's name, and leaves no output and nothing under a temporary name.
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdio>
#include <functional>
#include <random>

#include "convoy/convoy.hpp"
#include "io/files.hpp"

using namespace convoy;
using namespace convoy::test;

namespace {

namespace fs = std::filesystem;

const Shape kShape{16, 64, 64};  // 256 KiB of f32
constexpr const char* kNames[] = {"a.tif", "a.npy", "a.raw", "a.ome.tif"};

OpenOptions options_for(const std::string& path) {
  OpenOptions options;
  if (path.ends_with(".raw")) options.raw = RawLayout{kShape, "f32"};
  return options;
}

/// Convolves a file into another, in tiles; `between` is called after each.
void convolve_files(const std::string& input, const std::string& output, const std::function<void()>& between = {}) {
  const auto reader = open_image(input, options_for(input));
  ConvolutionSpec spec;
  spec.image = kShape;
  spec.kernel = {3, 3, 3};
  const std::vector<float> kernel(27, 1.0f);
  ConvolverOptions options;
  options.plan.min_tiles = 8;
  options.plan.streaming = Streaming{Element::f32, Element::f32, reader->chunk(), {1, 64, 64}};
  options.progress = [&](const Progress&) {
    if (between) between();
    return true;
  };
  Convolver convolver(spec, ImageView(kernel, spec.kernel), open_device("cpu"), options);
  const auto writer = create_image(output, kShape, Element::f32);
  convolver.run(*reader, writer->image());
  writer->commit();
}

void write_input(const std::string& path) { write_image(path, ImageView(numbered_voxels<float>(kShape), kShape)); }

/// A disk of so many bytes that goes with the object.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& bytes) {
    is_mounted_ = ::mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, ("size=" + bytes).c_str()) == 0;
  }
  ~SmallDisk() {
    if (is_mounted_) ::umount(folder_.path().c_str());
  }
  bool is_mounted() const { return is_mounted_; }
  const Folder& folder() const { return folder_; }

 private:
  Folder folder_;
  bool is_mounted_ = false;
};

/// No file may grow beyond so many bytes while this lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

}  // namespace

TEST_CASE("a disk that is really full is reported before anything is computed, and while a picture is written") {
  const SmallDisk disk("128k");
  if (!disk.is_mounted()) {
    MESSAGE("no small disk could be mounted: only root can");
    return;
  }
  const Folder inputs;
  write_input(inputs / "in.npy");
  for (const char* name : kNames) {
    const std::string output = disk.folder() / name;
    const std::string text = error_of([&] { convolve_files(inputs / "in.npy", output); });
    CHECK_MESSAGE(contains(text, output), text);
    CHECK_MESSAGE(contains(text, "free"), text);
    CHECK(disk.folder().num_files() == 0);
  }
  std::vector<std::uint8_t> noise(512 * 512);
  std::mt19937 random(1);
  for (std::uint8_t& pixel : noise) pixel = static_cast<std::uint8_t>(random());
  const std::string picture = disk.folder() / "a.png";
  CHECK(contains(error_of([&] { write_png(picture, ImageView(noise, Shape{1, 512, 512})); }), picture));
  const std::string report = disk.folder() / "report.json";
  CHECK(contains(error_of([&] { write_text(report, std::string(1 << 20, 'x')); }), report));
  CHECK(disk.folder().num_files() == 0);
}

TEST_CASE("a quota that ends in mid-file is reported, and leaves nothing") {
  const Folder folder;
  write_input(folder / "in.npy");
  for (const char* name : kNames) {
    const std::string output = folder / name;
    const FileSizeLimit limit(100000);
    const std::string text = error_of([&] { convolve_files(folder / "in.npy", output); });
    CHECK_MESSAGE(contains(text, output), text);
    CHECK(folder.num_files() == 1);
  }
}

TEST_CASE("an input that becomes short while it is read is reported, and no output appears") {
  const Folder folder;
  for (const char* name : kNames) {
    const std::string input = folder / name;
    write_input(input);
    int tiles = 0;
    const std::string text = error_of([&] {
      convolve_files(input, folder / "out.tif", [&] {
        if (tiles++ == 0) fs::resize_file(input, 40000);
      });
    });
    CHECK_MESSAGE(contains(text, input), text);
    CHECK(folder.num_files() == 1);
    fs::remove(input);
  }
}

TEST_CASE("an input that is removed or replaced while it is read is read to its end as it was") {
  const Folder folder;
  for (const char* name : kNames) {
    const std::string input = folder / name;
    write_input(input);
    convolve_files(input, folder / "expected.npy");
    int tiles = 0;
    convolve_files(input, folder / "out.npy", [&] {
      if (tiles++ == 0) write_bytes(input, "something else");
    });
    CHECK(bytes_of(folder / "out.npy") == bytes_of(folder / "expected.npy"));
    fs::remove(input);
  }
}

TEST_CASE("an output folder that vanishes is reported at the end, and is not made again") {
  const Folder folder;
  write_input(folder / "in.npy");
  for (const char* name : kNames) {
    const std::string gone = folder / "gone";
    fs::create_directory(gone);
    const std::string output = gone + "/" + name;
    const std::string text =
        error_of([&] { convolve_files(folder / "in.npy", output, [&] { fs::remove_all(gone); }); });
    CHECK_MESSAGE(contains(text, output), text);
    CHECK_FALSE(fs::exists(gone));
  }
}

TEST_CASE("a folder that takes its output's name meanwhile stays what it is") {
  const Folder folder;
  write_input(folder / "in.npy");
  for (const char* name : kNames) {
    const std::string output = folder / name;
    const std::string text =
        error_of([&] { convolve_files(folder / "in.npy", output, [&] { fs::create_directories(output + "/full"); }); });
    CHECK_MESSAGE(contains(text, output), text);
    CHECK(fs::is_directory(output + "/full"));
    CHECK(folder.num_files() == 2);
    fs::remove_all(output);
  }
}

TEST_CASE("names for unfinished files that are taken by a folder or a pipe are reported, not waited for") {
  const Folder folder;
  const std::vector<float> voxels(static_cast<std::size_t>(num_voxels(kShape)), 1.0f);
  CreateOptions resuming;
  resuming.resume = true;
  for (const char* hidden : {".a.npy.convoy-part", ".a.npy.convoy-journal"}) {
    for (const bool is_pipe : {false, true}) {
      const std::string taken = folder / hidden;
      if (is_pipe) {
        REQUIRE(::mkfifo(taken.c_str(), 0600) == 0);
      } else {
        fs::create_directory(taken);
      }
      CAPTURE(taken);
      CAPTURE(is_pipe);
      const std::string text = error_of([&] {
        const auto writer = create_image(folder / "a.npy", kShape, Element::f32, {}, resuming);
        writer->image().write({{0, 0, 0}, kShape}, reinterpret_cast<const std::byte*>(voxels.data()));
        writer->commit();
      });
      CHECK_MESSAGE(contains(text, "a.npy"), text);
      CHECK_FALSE(fs::exists(folder / "a.npy"));
      fs::remove_all(taken);
      for (const auto& left : fs::directory_iterator(folder.path())) fs::remove_all(left);
    }
  }
}
