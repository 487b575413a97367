// Outputs that are continued: what the journal says is read back, and only that is accepted.
#include <algorithm>
#include <array>
#include <random>

#include "files.hpp"
#include "io/box.hpp"
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

TEST_CASE("commit reads back what was not read before") {
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

/// A tiling: boxes of one size, cut at the edges.
std::vector<Box> tiles_of(const Shape& shape, const Shape& size) {
  std::vector<Box> tiles;
  for (Index z = 0; z < shape.z; z += size.z) {
    for (Index y = 0; y < shape.y; y += size.y) {
      for (Index x = 0; x < shape.x; x += size.x) {
        tiles.push_back(
            {{z, y, x}, {std::min(size.z, shape.z - z), std::min(size.y, shape.y - y), std::min(size.x, shape.x - x)}});
      }
    }
  }
  return tiles;
}

std::vector<float> cut_out(const std::vector<float>& voxels, const Shape& shape, const Box& box) {
  std::vector<float> part;
  for (Index z = box.begin.z; z < box.begin.z + box.size.z; ++z) {
    for (Index y = box.begin.y; y < box.begin.y + box.size.y; ++y) {
      const auto row = voxels.begin() + (z * shape.y + y) * shape.x + box.begin.x;
      part.insert(part.end(), row, row + box.size.x);
    }
  }
  return part;
}

/// As a run does: asks for all boxes of an image first, then writes those that are not held, but at most so many.
/// Returns how many voxels were written.
std::uint64_t run_tiles(ImageFileWriter& file, const ImageMetadata& metadata, const Shape& shape, const Shape& tile,
                        int most_writes) {
  std::uint64_t written = 0;
  for (Index number = 0; number < metadata.num_images(); ++number) {
    std::vector<float> voxels = numbered_voxels<float>(shape);
    for (float& voxel : voxels) voxel += static_cast<float>(number);
    std::vector<Box> missing = tiles_of(shape, tile);
    std::erase_if(missing, [&](const Box& box) { return file.image(number).holds(box); });
    for (const Box& box : missing) {
      if (most_writes-- == 0) return written;
      file.image(number).write(box, reinterpret_cast<const std::byte*>(cut_out(voxels, shape, box).data()));
      written += io::count_of(box);
    }
  }
  return written;
}

TEST_CASE("an output whose tiling has changed is finished by the first run that continues it") {
  std::mt19937 random(6);
  const auto any = [&](Index least, Index most) { return std::uniform_int_distribution<Index>(least, most)(random); };
  for (int i = 0; i < 60; ++i) {
    const Folder folder;
    const char* name = std::array{"a.tif", "a.npy", "a.zarr", "a.ome.tif"}[static_cast<std::size_t>(i % 4)];
    const std::string path = folder / name;
    const Shape shape{any(1, 20), any(1, 30), any(1, 150)};
    ImageMetadata metadata;
    const bool names_axes = !path.ends_with(".npy");
    if (names_axes && i % 3 == 0) metadata.num_times = 3;
    if (names_axes && i % 5 == 0) metadata.num_channels = 2;
    const auto any_tile = [&] { return Shape{any(1, shape.z), any(1, shape.y), any(1, shape.x)}; };
    const auto open = [&] { return create_image(path, shape, Element::f32, metadata, kResume); };
    for (Index run = any(1, 3); run > 0; --run) {
      run_tiles(*open(), metadata, shape, any_tile(), static_cast<int>(any(0, 12)));
    }
    {
      const auto file = open();
      run_tiles(*file, metadata, shape, any_tile(), -1);
      file->commit();
    }
    CHECK(folder.num_files() == 1);
    const auto images = open_images(path);
    REQUIRE(static_cast<Index>(images.size()) == metadata.num_images());
    for (std::size_t number = 0; number < images.size(); ++number) {
      std::vector<float> voxels(static_cast<std::size_t>(num_voxels(shape)));
      images[number]->read({{0, 0, 0}, shape}, reinterpret_cast<std::byte*>(voxels.data()));
      std::vector<float> expected = numbered_voxels<float>(shape);
      for (float& voxel : expected) voxel += static_cast<float>(number);
      CHECK_MESSAGE(voxels == expected, name);
    }
  }
}

TEST_CASE("a box that is written over a part of an earlier one leaves the rest of that one") {
  const Folder folder;
  for (const char* name : {"a.npy", "a.zarr"}) {
    const std::string path = folder / name;
    const auto voxels = voxels_of_image();
    const Box middle{{2, 3, 4}, {2, 4, 5}};
    const auto write = [&](ImageFileWriter& file, const Box& box) {
      file.image().write(box, reinterpret_cast<const std::byte*>(cut_out(voxels, kShape, box).data()));
    };
    write(*create_image(path, kShape, Element::f32, {}, kResume), {{0, 0, 0}, kShape});
    {
      const auto file = create_image(path, kShape, Element::f32, {}, kResume);
      write(*file, middle);                  // by a later run
      write(*file, {{2, 5, 4}, {3, 4, 5}});  // by the same run
      CHECK(file->image().holds({{0, 0, 0}, kShape}));
    }
    {
      const auto file = create_image(path, kShape, Element::f32, {}, kResume);
      CHECK(file->image().holds({{0, 0, 0}, kShape}));
      file->commit();
    }
    CHECK(voxels_of<float>(read_image(path)) == voxels);
  }
}

TEST_CASE("the rest of a damaged box does not hold, and of a sound one only what no new box touches") {
  const Folder folder;
  const std::string path = folder / "a.raw";
  write_planes(path, 0, 6);
  std::string bytes = bytes_of(io::kept_path(path));
  bytes[2 * 480 + 7] = static_cast<char>(bytes[2 * 480 + 7] ^ 1);
  write_bytes(io::kept_path(path), bytes);
  const std::vector<float> wrong(2 * 60, -1.0F);
  create_image(path, kShape, Element::f32, {}, kResume)
      ->image()
      .write({{2, 0, 0}, {2, 5, 12}}, reinterpret_cast<const std::byte*>(wrong.data()));
  const auto file = create_image(path, kShape, Element::f32, {}, kResume);
  CHECK(held_planes(file->image()) == std::vector<bool>{true, true, false, true, true, true});
  CHECK_FALSE(file->image().holds({{2, 5, 0}, {1, 1, 1}}));
}

TEST_CASE("boxes are cut without losing or doubling a voxel") {
  std::mt19937 random(7);
  const auto any = [&](Index least, Index most) { return std::uniform_int_distribution<Index>(least, most)(random); };
  const auto any_box = [&] {
    Box box{{any(0, 9), any(0, 9), any(0, 9)}, {}};
    box.size = {any(1, 10 - box.begin.z), any(1, 10 - box.begin.y), any(1, 10 - box.begin.x)};
    return box;
  };
  const auto count_in = [](const std::vector<Box>& boxes, Index z, Index y, Index x) {
    return std::count_if(boxes.begin(), boxes.end(), [&](const Box& box) {
      return io::count_of(io::intersection(box, {{z, y, x}, {1, 1, 1}})) == 1;
    });
  };
  for (int i = 0; i < 300; ++i) {
    const Box box = any_box();
    const Box cut = any_box();
    const std::vector<Box> rest = io::difference(box, cut);
    const Shape grain{any(1, 5), any(1, 5), any(1, 5)};
    const auto most = static_cast<std::uint64_t>(any(1, 200));
    const std::vector<Box> pieces = io::pieces_of(box, grain, most);
    REQUIRE(rest.size() <= 6);
    for (const Box& piece : pieces) {
      REQUIRE((io::count_of(piece) <= most ||
               (piece.size.z <= grain.z && piece.size.y <= grain.y && piece.size.x <= grain.x)));
    }
    for (Index at = 0; at < 1000; ++at) {
      const Index z = at / 100, y = at / 10 % 10, x = at % 10;
      const auto in_box = count_in({box}, z, y, x);
      REQUIRE(count_in(pieces, z, y, x) == in_box);
      REQUIRE(count_in(rest, z, y, x) == (count_in({cut}, z, y, x) == 1 ? 0 : in_box));
    }
  }
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

TEST_CASE("checksums distinguish shape, element and voxels") {
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
