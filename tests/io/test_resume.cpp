// Outputs that are continued: what the journal says is read back, and only that is believed.
#include <algorithm>

#include "files.hpp"
#include "io/output_file.hpp"

namespace convoy::test {
namespace {

const Shape kShape{6, 10, 12};
const CreateOptions kResume{true, {{"kernel", "k1"}, {"mode", "same"}}, 0};

Box plane(Index z) { return {{z, 0, 0}, {1, kShape.y, kShape.x}}; }

std::vector<float> voxels_of_image() { return numbered_voxels<float>(kShape); }

const std::byte* plane_of(const std::vector<float>& voxels, Index z) {
  return reinterpret_cast<const std::byte*>(voxels.data() + z * kShape.y * kShape.x);
}

/// Begins or continues the output, writes planes first .. last - 1 and goes without commit.
void write_planes(const std::string& path, Index first, Index last, const CreateOptions& options = kResume) {
  const auto voxels = voxels_of_image();
  const auto file = create_image(path, kShape, Element::f32, {}, options);
  for (Index z = first; z < last; ++z) file->image().write(plane(z), plane_of(voxels, z));
}

std::vector<bool> held_planes(ImageWriter& writer) {
  std::vector<bool> held;
  for (Index z = 0; z < kShape.z; ++z) held.push_back(writer.holds(plane(z)));
  return held;
}

TEST_CASE("an output is continued where it was left") {
  const Folder folder;
  const auto voxels = voxels_of_image();
  for (const char* name : {"a.tif", "a.npy", "a.raw"}) {
    const std::string path = folder / name;
    CHECK_FALSE(is_unfinished(path));
    write_planes(path, 0, 2);
    CHECK(is_unfinished(path));
    CHECK_FALSE(std::filesystem::exists(path));
    write_planes(path, 4, 5);
    {
      const auto file = create_image(path, kShape, Element::f32, {}, kResume);
      CHECK(held_planes(file->image()) == std::vector<bool>{true, true, false, false, true, false});
      CHECK(file->image().holds({{0, 2, 3}, {2, 4, 5}}));
      CHECK_FALSE(file->image().holds({{1, 2, 3}, {2, 4, 5}}));
      CHECK_THROWS_AS(file->commit(), Error);
      for (const Index z : {2, 3, 5}) file->image().write(plane(z), plane_of(voxels, z));
      CHECK(file->image().holds({{0, 0, 0}, kShape}));
      file->commit();
    }
    CHECK_FALSE(is_unfinished(path));
    if (std::string(name) != "a.raw") CHECK(voxels_of<float>(read_image(path)) == voxels);
  }
  CHECK(folder.num_files() == 3);
}

TEST_CASE("boxes that have been damaged since do not hold") {
  const Folder folder;
  const std::string path = folder / "a.raw";
  write_planes(path, 0, 6);
  std::string bytes = bytes_of(io::kept_path(path));
  bytes[2 * 480 + 7] = static_cast<char>(bytes[2 * 480 + 7] ^ 1);
  write_bytes(io::kept_path(path), bytes);
  const auto file = create_image(path, kShape, Element::f32, {}, kResume);
  CHECK(held_planes(file->image()) == std::vector<bool>{true, true, false, true, true, true});
  CHECK_THROWS_AS(file->commit(), Error);
  file->image().write(plane(2), plane_of(voxels_of_image(), 2));
  file->commit();
  CHECK(bytes_of(path).size() == 6 * 480);
}

TEST_CASE("commit reads back what nobody asked for") {
  const Folder folder;
  const std::string path = folder / "a.raw";
  write_planes(path, 0, 6);
  std::string bytes = bytes_of(io::kept_path(path));
  bytes[1] = static_cast<char>(bytes[1] ^ 1);
  write_bytes(io::kept_path(path), bytes);
  CHECK_THROWS_AS(create_image(path, kShape, Element::f32, {}, kResume)->commit(), Error);
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a journal that was cut anywhere, or holds nonsense, never makes a wrong box hold") {
  const Folder folder;
  const std::string path = folder / "a.raw";
  write_planes(path, 0, 3);
  const std::string journal = bytes_of(io::journal_path(path));
  const std::string part = bytes_of(io::kept_path(path));
  const std::size_t first_line = journal.find('\n');
  REQUIRE(first_line != std::string::npos);
  for (std::size_t size = 0; size <= journal.size(); ++size) {
    write_bytes(io::journal_path(path), journal.substr(0, size));
    write_bytes(io::kept_path(path), part);
    const auto file = create_image(path, kShape, Element::f32, {}, kResume);
    const auto whole_lines = static_cast<std::size_t>(
        std::count(journal.begin(), journal.begin() + static_cast<std::ptrdiff_t>(size), '\n'));
    for (std::size_t z = 0; z < 6; ++z)
      CHECK(file->image().holds(plane(static_cast<Index>(z))) == (z + 1 < whole_lines));
  }
  for (const char* line : {"0 5 0 0 9 10 12 0\n", "0 0 0 0 -1 1 1 0\n", "1 0 0 0 1 1 1 0\n", "nonsense\n",
                           "0 0 0 0 1 10 12 123x\n", "99999999999999999999 0 0 0 1 1 1 0\n", "\n"}) {
    write_bytes(io::journal_path(path), journal + line);
    write_bytes(io::kept_path(path), part);
    const auto file = create_image(path, kShape, Element::f32, {}, kResume);
    CHECK(held_planes(file->image()) == std::vector<bool>{true, true, true, false, false, false});
  }
  write_bytes(io::journal_path(path), journal + "0 0 0 0 3 10 12 abc\n");  // claims the three planes anew, wrongly
  CHECK(held_planes(create_image(path, kShape, Element::f32, {}, kResume)->image()) == std::vector<bool>(6, false));
}

TEST_CASE("the journal of another job is refused with the difference") {
  const Folder folder;
  const std::string path = folder / "a.tif";
  write_planes(path, 0, 3);
  const auto error_of = [&](Element element, const CreateOptions& options) -> std::string {
    try {
      create_image(path, kShape, element, {}, options);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  const std::string kernel = error_of(Element::f32, {true, {{"kernel", "k2"}, {"mode", "same"}}, 0});
  CHECK_MESSAGE(contains(kernel, "kernel was k1, now k2"), kernel);
  CHECK_MESSAGE(contains(kernel, path), kernel);
  CHECK_FALSE(contains(kernel, "mode"));
  CHECK(contains(error_of(Element::f64, kResume), "f32 zyx, now "));
  CHECK(error_of(Element::f32, {}) == "no error");
  write_bytes(io::journal_path(path), "{\"convoy_journal\": 1}\n");
  CHECK(contains(error_of(Element::f32, kResume), "kernel was nothing, now k1"));
  write_bytes(io::journal_path(path), "not even that\n");
  CHECK(contains(error_of(Element::f32, kResume), "kernel was nothing, now k1"));
}

TEST_CASE("a journal without its file, and a file of the wrong size, begin anew") {
  const Folder folder;
  const std::string path = folder / "a.npy";
  write_planes(path, 0, 3);
  std::filesystem::resize_file(io::kept_path(path), 500);
  CHECK(held_planes(create_image(path, kShape, Element::f32, {}, kResume)->image()) == std::vector<bool>(6, false));
  write_planes(path, 0, 3);
  std::filesystem::remove(io::kept_path(path));
  CHECK(held_planes(create_image(path, kShape, Element::f32, {}, kResume)->image()) == std::vector<bool>(6, false));
}

TEST_CASE("an output that could not even be begun leaves nothing to continue") {
  const Folder folder;
  CHECK_THROWS_AS(create_image(folder / "a.raw", {1 << 18, 1 << 14, 1 << 14}, Element::f64, {}, kResume), Error);
  CHECK_THROWS_AS(create_image(folder / "no/a.raw", kShape, Element::f64, {}, kResume), Error);
  create_image(folder / "a.raw", kShape, Element::f64, {}, kResume);
  CHECK(folder.num_files() == 0);
}

TEST_CASE("two processes do not write one output") {
  const Folder folder;
  const std::string path = folder / "a.tif";
  const auto file = create_image(path, kShape, Element::f32, {}, kResume);
  CHECK_THROWS_WITH_AS(create_image(path, kShape, Element::f32, {}, kResume),
                       doctest::Contains("is being written by another process"), Error);
}

TEST_CASE("checksums tell shape, element and voxels apart") {
  std::vector<float> voxels(24, 1.0F);
  const std::string one = checksum(ImageView(voxels, Shape{2, 3, 4}));
  CHECK(one.size() == 16);
  CHECK(one == checksum(ImageView(std::vector<float>(24, 1.0F), Shape{2, 3, 4})));
  CHECK(one != checksum(ImageView(voxels, Shape{4, 3, 2})));
  voxels[23] = 2;
  CHECK(one != checksum(ImageView(voxels, Shape{2, 3, 4})));
}

}  // namespace
}  // namespace convoy::test
