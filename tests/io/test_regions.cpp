// Readers and writers by region: any box of any kind of file, by several threads.
#include <sys/resource.h>

#include <algorithm>
#include <random>
#include <thread>

#include "io/tiff_pieces.hpp"
#include "tiff_maker.hpp"

namespace convoy::test {
namespace {

/// The box's voxels, taken from a dense image.
template <class T>
std::vector<T> cut(const std::vector<T>& voxels, const Shape& shape, const Box& box) {
  std::vector<T> part;
  for (Index z = box.begin.z; z < box.begin.z + box.size.z; ++z) {
    for (Index y = box.begin.y; y < box.begin.y + box.size.y; ++y) {
      const auto row = voxels.begin() + (z * shape.y + y) * shape.x + box.begin.x;
      part.insert(part.end(), row, row + box.size.x);
    }
  }
  return part;
}

Box random_box(std::mt19937& random, const Shape& shape) {
  Box box;
  for (int axis = 0; axis < 3; ++axis) {
    const bool all = random() % 3 == 0;
    box.begin[axis] = all ? 0 : static_cast<Index>(random()) % shape[axis];
    box.size[axis] = all ? shape[axis] : 1 + static_cast<Index>(random()) % (shape[axis] - box.begin[axis]);
  }
  return box;
}

template <class T>
void check_boxes(const ImageReader& reader, const std::vector<T>& voxels, const Shape& shape, int count = 60) {
  REQUIRE(reader.shape() == shape);
  REQUIRE(reader.element() == element_of<T>());
  std::mt19937 random(7);
  for (int i = 0; i < count; ++i) {
    const Box box = random_box(random, shape);
    std::vector<T> read(static_cast<std::size_t>(num_voxels(box.size)));
    reader.read(box, reinterpret_cast<std::byte*>(read.data()));
    CAPTURE(to_text(box.begin));
    CAPTURE(to_text(box.size));
    REQUIRE(read == cut(voxels, shape, box));
  }
}

const Shape kShape{5, 23, 37};

TEST_CASE_TEMPLATE("any box of what convoy writes", T, std::uint8_t, std::uint16_t, float, double) {
  const Folder folder;
  const auto voxels = numbered_voxels<T>(kShape);
  for (const char* name : {"a.tif", "a.npy", "a.ome.tif"}) {
    write_image(folder / name, ImageView(voxels, kShape));
    check_boxes(*open_image(folder / name), voxels, kShape);
  }
  write_image(folder / "a.raw", ImageView(voxels, kShape));
  CHECK(bytes_of(folder / "a.raw").size() == voxels.size() * sizeof(T));
  OpenOptions options;
  options.raw = RawLayout{kShape, name(element_of<T>())};
  check_boxes(*open_image(folder / "a.raw", options), voxels, kShape);
}

TEST_CASE_TEMPLATE("any box of any TIFF layout", T, std::uint8_t, std::uint16_t, float) {
  const Folder folder;
  const auto voxels = numbered_voxels<T>(kShape);
  for (const char* mode : {"wl", "wb", "w8b"}) {
    for (const int compression : {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE}) {
      for (const std::uint32_t tile : {0U, 16U}) {
        for (const std::uint32_t rows : {0U, 7U}) {
          make_tiff(folder / "a.tif", ImageView(voxels, kShape),
                    {.mode = mode, .compression = compression, .rows_per_strip = rows, .tile = tile});
          OpenOptions options;
          options.cache_bytes = 4096;  // a few tiles: most are decoded more than once
          check_boxes(*open_image(folder / "a.tif", options), voxels, kShape, 15);
        }
      }
    }
  }
}

TEST_CASE("signed samples are read in every box") {
  const Folder folder;
  const auto stored = numbered_voxels<std::uint16_t>(kShape);
  const std::vector<std::int16_t> voxels(stored.begin(), stored.end());
  for (const int compression : {COMPRESSION_NONE, COMPRESSION_LZW}) {
    make_tiff(folder / "a.tif", ImageView(stored, kShape),
              {.mode = "wb", .compression = compression, .sample_format = SAMPLEFORMAT_INT});
    check_boxes(*open_image(folder / "a.tif"), voxels, kShape);
  }
}

TEST_CASE("raw files with an offset, of either byte order") {
  const Folder folder;
  const auto voxels = numbered_voxels<std::uint16_t>(kShape);
  std::string bytes(11, 'x');
  for (const std::uint16_t voxel : voxels) bytes += {static_cast<char>(voxel >> 8), static_cast<char>(voxel & 0xFF)};
  write_bytes(folder / "a.bin", bytes);
  OpenOptions options;
  options.raw = raw_layout_from_text("5,23,37,u16,11,big");
  check_boxes(*open_image(folder / "a.bin", options), voxels, kShape);
  CHECK(voxels_of<std::uint16_t>(read_image(folder / "a.bin", options)) == voxels);
  options.raw->shape.z = 4;  // what follows is as likely a wrong shape as something else
  CHECK_THROWS_WITH_AS(open_image(folder / "a.bin", options), doctest::Contains("1702 more than the 4x23x37 u16"),
                       Error);
  options.raw = raw_layout_from_text("4,23,37,u16,11,big,more");
  CHECK(open_image(folder / "a.bin", options)->shape() == Shape{4, 23, 37});
  options.raw = raw_layout_from_text("5,23,37,u16,12,big");
  CHECK_THROWS_WITH_AS(
      open_image(folder / "a.bin", options),
      ((folder / "a.bin") + ": holds 8521 bytes, but 5x23x37 u16 zyx voxels from byte 12 on need 8522").c_str(), Error);
  options.raw->shape = {1 << 30, 1 << 30, 7};
  CHECK_THROWS_AS(open_image(folder / "a.bin", options), Error);
  CHECK_THROWS_AS(open_image(folder / "a.raw"), Error);
  for (const char* text : {"", "1,2,3", "1,2,u16", "0,2,3,u16", "1,2,3,u17", "1,2,3,u16,-1", "1,2,3,u16,big,4",
                           "1,2,3,u16,4,5", "1,2,3,u16,4,big,5", "1,2,3,u16,more,big", "1,2,3x,u16"}) {
    CHECK_THROWS_AS(raw_layout_from_text(text), Error);
  }
}

TEST_CASE("several threads read one compressed file and write one output at the same time") {
  const Folder folder;
  const Shape shape{12, 40, 50};
  const auto voxels = numbered_voxels<std::uint16_t>(shape);
  make_tiff(folder / "a.tif", ImageView(voxels, shape), {.compression = COMPRESSION_ADOBE_DEFLATE, .tile = 16});
  OpenOptions options;
  options.cache_bytes = 8192;
  const auto reader = open_image(folder / "a.tif", options);
  for (const char* name : {"b.tif", "b.npy"}) {
    const auto file = create_image(folder / name, shape, Element::u16);
    std::vector<std::thread> threads;
    for (Index thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&, thread] {
        for (Index z = thread; z < shape.z; z += 4) {
          for (Index x = 0; x < shape.x; x += 10) {
            const Box box{{z, 0, x}, {1, shape.y, 10}};
            std::vector<std::byte> part(static_cast<std::size_t>(2 * num_voxels(box.size)));
            reader->read(box, part.data());
            file->image().write(box, part.data());
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK_FALSE(std::filesystem::exists(folder / name));
    file->commit();
    CHECK(voxels_of<std::uint16_t>(read_image(folder / name)) == voxels);
  }
  CHECK(folder.num_files() == 3);
}

TEST_CASE("decoded pieces are kept within the bound") {
  constexpr std::size_t kEntry = 256;  // each takes so many beside its voxels
  io::PieceCache cache(100'000 + 2 * kEntry);
  const auto piece = [](std::size_t bytes) { return std::make_shared<const std::vector<std::byte>>(bytes); };
  cache.keep({0, 0}, piece(60'000));
  cache.keep({0, 1}, piece(40'000));
  CHECK(cache.find({0, 0}) != nullptr);
  cache.keep({1, 0}, piece(30'000));
  CHECK(cache.find({0, 1}) == nullptr);
  CHECK(cache.find({0, 0}) != nullptr);
  cache.keep({1, 1}, piece(100'001 + kEntry));
  CHECK(cache.find({1, 1}) == nullptr);
  CHECK(cache.find({1, 0}) != nullptr);
}

TEST_CASE("an output that is not finished leaves nothing, and one with holes is not finished") {
  const Folder folder;
  const std::vector<std::byte> voxels(static_cast<std::size_t>(4 * num_voxels(kShape)));
  {
    const auto file = create_image(folder / "a.tif", kShape, Element::f32);
    file->image().write({{0, 0, 0}, kShape}, voxels.data());
    CHECK(folder.num_files() == 1);
  }
  CHECK(folder.num_files() == 0);
  {
    const auto file = create_image(folder / "a.tif", kShape, Element::f32);
    file->image().write({{0, 0, 0}, {kShape.z, kShape.y, kShape.x - 1}}, voxels.data());
    CHECK_THROWS_AS(file->commit(), Error);
    CHECK_THROWS_AS(file->image().write({{0, 0, 1}, kShape}, voxels.data()), Error);
    CHECK_THROWS_AS(file->image(1), Error);
  }
  CHECK(folder.num_files() == 0);
}

TEST_CASE("a disk too small is reported at once, with what is missing") {
  const Folder folder;
  for (const char* name : {"a.tif", "a.npy", "a.raw"}) {
    try {
      create_image(folder / name, {1 << 18, 1 << 14, 1 << 14}, Element::f64);
      FAIL("half an exabyte was taken");
    } catch (const Error& error) {
      CHECK(error.code() == Errc::io);
      CHECK_MESSAGE(contains(error.what(), folder / name), error.what());
      CHECK_MESSAGE(contains(error.what(), "missing"), error.what());
    }
  }
  CHECK(folder.num_files() == 0);
}

TEST_CASE("a box outside the image is refused") {
  const Folder folder;
  const auto voxels = numbered_voxels<std::uint8_t>(kShape);
  write_image(folder / "a.npy", ImageView(voxels, kShape));
  const auto reader = open_image(folder / "a.npy");
  std::vector<std::byte> room(10000);
  for (const Box& box : {Box{{-1, 0, 0}, {1, 1, 1}}, Box{{5, 0, 0}, {1, 1, 1}}, Box{{0, 0, 0}, {1, 0, 1}},
                         Box{{0, 0, 30}, {1, 1, 8}}, Box{{0, 1, 0}, {1, INT64_MAX, 1}}}) {
    CHECK_THROWS_AS(reader->read(box, room.data()), Error);
  }
}

}  // namespace
}  // namespace convoy::test
