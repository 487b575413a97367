// Zarr stores: what convoy writes, what others write, and what is no store at all.
#include <sys/stat.h>
#include <unistd.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/json_text.hpp"
#include "engine/tuning.hpp"
#include "files.hpp"
#include "io/output_file.hpp"
#include "io/tiff_description.hpp"

namespace convoy::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const Shape kShape{70, 33, 150};  // several chunks on z and x, the last of them not full

std::vector<float> cut(const std::vector<float>& voxels, const Box& box) {
  std::vector<float> part;
  for (Index z = box.begin.z; z < box.begin.z + box.size.z; ++z) {
    for (Index y = box.begin.y; y < box.begin.y + box.size.y; ++y) {
      const auto row = voxels.begin() + (z * kShape.y + y) * kShape.x + box.begin.x;
      part.insert(part.end(), row, row + box.size.x);
    }
  }
  return part;
}

std::vector<float> read_box(const ImageReader& reader, const Box& box) {
  std::vector<float> voxels(static_cast<std::size_t>(num_voxels(box.size)));
  reader.read(box, reinterpret_cast<std::byte*>(voxels.data()));
  return voxels;
}

const CreateOptions kOverwrite = [] {
  CreateOptions options;
  options.overwrite = true;
  return options;
}();

void check_boxes(const Folder& folder, const CreateOptions& options) {
  const auto voxels = numbered_voxels<float>(kShape);
  {
    const ImageMetadata metadata{3, VoxelSize{2, 0.5, 0.25, "micron"}};
    const auto file = create_image(folder / "a.zarr", kShape, Element::f32, metadata, options);
    CHECK(file->image().chunk() == Shape{64, 33, 128});
    for (Index z = 0; z < kShape.z; z += 25) {
      for (Index x = 0; x < kShape.x; x += 60) {
        const Box box{{z, 0, x}, {std::min<Index>(25, kShape.z - z), kShape.y, std::min<Index>(60, kShape.x - x)}};
        file->image().write(box, reinterpret_cast<const std::byte*>(cut(voxels, box).data()));
      }
    }
    CHECK_FALSE(fs::exists(folder / "a.zarr"));
    file->commit();
  }
  CHECK(folder.num_files() == 1);
  for (const char* name : {"a.zarr", "a.zarr/", "a.zarr/0"}) {
    const auto reader = open_image(folder / name);
    CHECK(reader->shape() == kShape);
    CHECK(reader->chunk() == Shape{64, 33, 128});
    CHECK(reader->metadata().voxel_size->z == 2);
    CHECK(reader->metadata().voxel_size->x == 0.25);
    CHECK(reader->metadata().voxel_size->unit == "micron");
    for (const Box& box : {Box{{0, 0, 0}, kShape}, Box{{60, 5, 100}, {10, 20, 50}}, Box{{69, 32, 149}, {1, 1, 1}}}) {
      CHECK(read_box(*reader, box) == cut(voxels, box));
    }
  }
}

TEST_CASE("boxes of any size are written to chunks and read from them, whether chunks wait in memory or not") {
  for (const std::uint64_t cache_bytes : {0U, 2000000U, 100000000U}) {
    const Folder folder;
    CreateOptions options;
    options.cache_bytes = cache_bytes;
    check_boxes(folder, options);
  }
}

TEST_CASE("several threads fill the same chunks") {
  const Folder folder;
  const auto voxels = numbered_voxels<float>(kShape);
  CreateOptions options;
  options.cache_bytes = 1500000;  // one chunk and a half: chunks are closed while others wait for them
  const auto file = create_image(folder / "a.zarr", kShape, Element::f32, {}, options);
  std::vector<std::thread> threads;
  for (Index thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (Index z = 0; z < kShape.z; z += 10) {
        const Box box{{z, thread * 8, 0}, {10, thread == 3 ? 9 : 8, kShape.x}};
        file->image().write(box, reinterpret_cast<const std::byte*>(cut(voxels, box).data()));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  file->commit();
  CHECK(voxels_of<float>(read_image(folder / "a.zarr")) == voxels);
}

TEST_CASE_TEMPLATE("a Zarr store holds what was written", T, std::uint8_t, std::uint16_t, float, double) {
  const Folder folder;
  for (const Shape shape : {Shape{1, 1, 1}, Shape{1, 4, 7}, Shape{3, 4, 5}, Shape{1, 1030, 3}}) {
    const auto voxels = numbered_voxels<T>(shape);
    write_image(folder / "a.zarr", ImageView(voxels, shape), {}, kOverwrite);
    CHECK(voxels_of<T>(read_image(folder / "a.zarr")) == voxels);
  }
  CHECK(folder.num_files() == 1);
}

TEST_CASE("time points and channels are axes of the array") {
  const Folder folder;
  ImageMetadata metadata;
  metadata.num_times = 2;
  metadata.num_channels = 3;
  const Shape shape{2, 3, 4};
  const auto file = create_image(folder / "a.zarr", shape, Element::u16, metadata);
  for (Index image = 0; image < 6; ++image) {
    const std::vector<std::uint16_t> voxels(24, static_cast<std::uint16_t>(image));
    file->image(image).write({{0, 0, 0}, shape}, reinterpret_cast<const std::byte*>(voxels.data()));
  }
  file->commit();
  const auto images = open_images(folder / "a.zarr");
  REQUIRE(images.size() == 6);
  CHECK(images[0]->metadata().num_times == 2);
  for (std::size_t image = 0; image < 6; ++image) {
    std::vector<std::uint16_t> voxels(24);
    images[image]->read({{0, 0, 0}, shape}, reinterpret_cast<std::byte*>(voxels.data()));
    CHECK(voxels == std::vector<std::uint16_t>(24, static_cast<std::uint16_t>(image)));
  }
}

TEST_CASE("an unfinished store is continued, whatever was damaged in it") {
  const Folder folder;
  const auto voxels = numbered_voxels<float>(kShape);
  const CreateOptions resume{true, {{"kernel", "k"}}};
  const auto slab = [](Index z) { return Box{{z, 0, 0}, {10, kShape.y, kShape.x}}; };
  const auto write_slab = [&](ImageFileWriter& file, Index z) {
    file.image().write(slab(z), reinterpret_cast<const std::byte*>(cut(voxels, slab(z)).data()));
  };
  {
    const auto file = create_image(folder / "a.zarr", kShape, Element::f32, {}, resume);
    for (Index z = 0; z < 70; z += 10) write_slab(*file, z);
  }
  CHECK(is_unfinished(folder / "a.zarr"));
  write_bytes(io::kept_path(folder / "a.zarr") + "/0/1/0/1", "damaged");
  write_bytes(io::kept_path(folder / "a.zarr") + "/0/1/0/.convoy-1-2.part", "not yet renamed");
  {
    const auto file = create_image(folder / "a.zarr", kShape, Element::f32, {}, resume);
    for (Index z = 0; z < 60; z += 10) CHECK(file->image().holds(slab(z)));
    CHECK_FALSE(file->image().holds(slab(60)));
    CHECK_FALSE(fs::exists(folder / "a.zarr"));
    write_slab(*file, 60);
    file->commit();
  }
  CHECK(voxels_of<float>(read_image(folder / "a.zarr")) == voxels);
  CHECK_FALSE(fs::exists(folder / "a.zarr/0/1/0/.convoy-1-2.part"));
  CHECK(folder.num_files() == 1);
}

TEST_CASE("only a Zarr store is replaced") {
  const Folder folder;
  const std::vector<float> voxels(6, 1.0F);
  const ImageView image(voxels, Shape{1, 2, 3});
  fs::create_directory(folder / "mine.zarr");
  write_bytes(folder / "mine.zarr/thesis.txt", "years of work");
  CHECK_THROWS_WITH_AS(write_image(folder / "mine.zarr", image), doctest::Contains("no Zarr store"), Error);
  CHECK_THROWS_WITH_AS(require_writable_image(folder / "mine.zarr"), doctest::Contains("no Zarr store"), Error);
  CHECK(bytes_of(folder / "mine.zarr/thesis.txt") == "years of work");
  write_bytes(folder / "file.zarr", "x");
  CHECK_THROWS_WITH_AS(write_image(folder / "file.zarr", image), doctest::Contains("is a file"), Error);
  CHECK_THROWS_WITH_AS(write_image(folder / "no/a.zarr", image), doctest::Contains("there is no folder"), Error);
  { const auto unfinished = create_image(folder / "a.zarr", image.shape, Element::f32); }
  CHECK(folder.num_files() == 2);
}

/// A version 2 array of one plain chunk, changed as the test wants.
void make_array(const std::string& folder, const Json& changes) {
  Json json{{"zarr_format", 2},      {"shape", {2, 3}}, {"chunks", {2, 3}},      {"dtype", "<u2"},
            {"compressor", nullptr}, {"order", "C"},    {"fill_value", nullptr}, {"filters", nullptr}};
  json.update(changes);
  fs::create_directories(folder);
  write_bytes(folder + "/.zarray", json.dump());
  write_bytes(folder + "/0.0", std::string("\1\0\2\0\3\0\4\0\5\0\6\0", 12));
}

TEST_CASE("orders, byte orders, missing chunks and fill values of version 2") {
  const Folder folder;
  const std::string path = folder / "a.zarr";
  using Voxels = std::vector<std::uint16_t>;
  make_array(path, Json::object());
  CHECK(voxels_of<std::uint16_t>(read_image(path)) == Voxels{1, 2, 3, 4, 5, 6});
  make_array(path, {{"dtype", ">u2"}});
  CHECK(voxels_of<std::uint16_t>(read_image(path)) == Voxels{256, 512, 768, 1024, 1280, 1536});
  make_array(path, {{"order", "F"}});
  CHECK(voxels_of<std::uint16_t>(read_image(path)) == Voxels{1, 3, 5, 2, 4, 6});
  make_array(path, {{"shape", {2, 5}}, {"fill_value", 9}});
  CHECK(voxels_of<std::uint16_t>(read_image(path)) == Voxels{1, 2, 3, 9, 9, 4, 5, 6, 9, 9});
  make_array(path, {{"dtype", "<i2"}});
  CHECK(voxels_of<std::int16_t>(read_image(path)) == std::vector<std::int16_t>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("signed integers and halves stay what they are, truth values become u8") {
  const Folder folder;
  const std::string path = folder / "a.zarr";
  const auto read_as = [&]<class T>(const char* type, const std::string& bytes, T) {
    make_array(path, {{"dtype", type}, {"shape", {1, 4}}, {"chunks", {1, 4}}});
    write_bytes(path + "/0.0", bytes);
    const auto voxels = voxels_of<T>(read_image(path));
    return std::vector<float>(voxels.begin(), voxels.end());
  };
  CHECK(read_as("|i1", std::string("\x80\xFF\0\x7F", 4), std::int8_t{}) == std::vector<float>{-128, -1, 0, 127});
  make_array(path, {{"dtype", "|b1"}, {"shape", {1, 4}}, {"chunks", {1, 4}}, {"fill_value", true}});
  write_bytes(path + "/0.0", std::string("\1\0\1\0", 4));
  CHECK(voxels_of<std::uint8_t>(read_image(path)) == std::vector<std::uint8_t>{1, 0, 1, 0});
  CHECK(read_as(">i2", std::string("\x80\0\xFF\xFF\0\1\x7F\xFF", 8), std::int16_t{}) ==
        std::vector<float>{-32768, -1, 1, 32767});
  const std::vector<float> halves{1, -65504, 0x1p-24F, std::numeric_limits<float>::infinity()};
  CHECK(read_as("<f2", std::string("\0\x3C\xFF\xFB\1\0\0\x7C", 8), Float16{}) == halves);
  CHECK(read_as(">f2", std::string("\x3C\0\xFB\xFF\0\1\x7C\0", 8), Float16{}) == halves);
}

TEST_CASE("metadata that lies or is not understood is refused by name, before memory is taken") {
  const Folder folder;
  const std::string path = folder / "a.zarr";
  const auto refuses = [&](const Json& changes, const std::string& part) {
    CAPTURE(changes.dump());
    make_array(path, changes);
    CHECK_READING_FAILS(path, part);
  };
  const Json huge = 1000000000;
  refuses({{"shape", {huge, huge}}, {"chunks", {huge, huge}}}, "chunks of");
  refuses({{"shape", {huge, huge, huge}}, {"chunks", {1, 1, 1}}}, "claims more than");
  refuses({{"chunks", {10000, 10000}}}, "do not decode to the");
  refuses({{"chunks", {2}}}, "has 2 axes, but chunks of 1");
  refuses({{"shape", {0, 3}}}, "no sizes above 0");
  refuses({{"shape", "many"}}, "no sizes above 0");
  refuses({{"shape", Json::array({1.5, 2})}}, "no sizes above 0");
  refuses({{"shape", Json::array()}}, "no sizes above 0");
  refuses({{"shape", {1, 1, 1, 1}}, {"chunks", {1, 1, 1, 1}}}, "--axes");
  refuses({{"dtype", "<c32"}}, "<c32");
  refuses({{"dtype", {{"a", 1}}}}, "holds {");
  refuses({{"order", "K"}}, "order");
  refuses({{"compressor", {{"id", "bz2"}}}}, "'bz2'");
  refuses({{"compressor", {{"id", "blosc"}}}}, "is damaged");
  refuses({{"compressor", {{"id", "zlib"}}}}, "is damaged");
  refuses({{"compressor", {{"id", "zstd"}}}}, "is damaged");
  refuses({{"filters", {{{"id", "delta"}}}}}, "filters");
  refuses({{"fill_value", "much"}}, "fill value");
  make_array(path, Json::object());
  write_bytes(path + "/0.0", "too short");
  CHECK_READING_FAILS(path + "/", "is damaged: its 9 bytes");
  write_bytes(path + "/.zarray", "{ not json");
  CHECK_READING_FAILS(path + "/", "no JSON");
  fs::remove(path + "/.zarray");
  CHECK_READING_FAILS(path, "no Zarr array and no OME-NGFF image");
  for (const char* name : {"../../etc", "/etc", "", "0"}) {
    write_bytes(path + "/.zattrs", Json{{"multiscales", {{{"datasets", {{{"path", name}}}}}}}}.dump());
    CHECK_READING_FAILS(path, "first dataset");
  }
  CHECK_READING_FAILS(folder / "missing.zarr", "no such folder");
}

/// 4 x 6 voxels in chunks of 2 x 3 under names such as "0.1" or "0/1", all of them 7.
void make_four_chunks(const std::string& path, const char* separator) {
  fs::remove_all(path);
  make_array(path, {{"shape", {4, 6}}, {"dimension_separator", separator}});
  fs::remove(path + "/0.0");
  for (const char* y : {"0", "1"}) {
    if (*separator == '/') fs::create_directory(path + "/" + y);
    for (const char* x : {"0", "1"})
      write_bytes(path + "/" + y + separator + x, std::string("\7\0\7\0\7\0\7\0\7\0\7\0", 12));
  }
}

TEST_CASE("a chunk that cannot be read is an error that names it, not the fill value") {
  const Folder folder;
  const std::string path = folder / "a.zarr";
  const auto fails_after = [&](const auto& change, const std::string& chunk, const std::string& part) {
    make_four_chunks(path, "/");
    change();
    CHECK_READING_FAILS(path, path + "/" + chunk);
    CHECK_READING_FAILS(path, part);
  };
  const auto replaced_by_link = [&](const std::string& name, const std::string& target) {
    fs::remove_all(path + "/" + name);
    fs::create_symlink(target, path + "/" + name);
  };
  fails_after([&] { replaced_by_link("1", "/not/fetched"); }, "1/", "leads nowhere");
  fails_after([&] { replaced_by_link("1/1", "/not/fetched"); }, "1/1", "leads nowhere");
  fails_after([&] { replaced_by_link("1", "1"); }, "1/", "cannot be read");
  fails_after([&] { fs::remove(path + "/1/0"), fs::create_directory(path + "/1/0"); }, "1/0", "folder");
  fails_after([&] { fs::remove(path + "/1/0"), ::mkfifo((path + "/1/0").c_str(), 0600); }, "1/0", "not a regular file");
  fails_after([&] { fs::remove_all(path + "/1"), write_bytes(path + "/1", "x"); }, "1/", "Not a directory");
  fails_after([&] { write_bytes(path + "/1/0", ""); }, "1/0", "empty");
  if (::geteuid() != 0) fails_after([&] { fs::permissions(path + "/1/0", fs::perms::none); }, "1/0", "denied");
  make_four_chunks(path, "/");
  fs::rename(path + "/1", folder / "elsewhere");
  fs::create_symlink(folder / "elsewhere", path + "/1");
  CHECK(voxels_of<std::uint16_t>(read_image(path)) == std::vector<std::uint16_t>(24, 7));
}

TEST_CASE("a store without a chunk is refused, one whose chunks have the other separator is read") {
  const Folder folder;
  const std::string path = folder / "a.zarr";
  for (const auto& [written, named] : {std::pair{".", "/"}, std::pair{"/", "."}}) {
    make_four_chunks(path, written);
    Json json = Json::parse(bytes_of(path + "/.zarray"));
    json["dimension_separator"] = named;
    write_bytes(path + "/.zarray", json.dump());
    CHECK(voxels_of<std::uint16_t>(read_image(path)) == std::vector<std::uint16_t>(24, 7));
  }
  make_four_chunks(path, ".");
  for (const char* chunk : {"0.0", "0.1", "1.0", "1.1"}) fs::remove(path + "/" + chunk);
  write_bytes(path + "/2.0", "beyond the array");
  CHECK_READING_FAILS(path, "holds no chunk at all, neither as in '0.0' nor as in '0/0'");
  CHECK_READING_FAILS(path, "--allow-missing-chunks");
  OpenOptions options;
  options.allow_missing_chunks = true;
  CHECK(voxels_of<std::uint16_t>(read_image(path, options)) == std::vector<std::uint16_t>(24, 0));
}

TEST_CASE("a store that is moved while it is read gives what it holds, one that is deleted an error") {
  const Folder folder;
  const std::string path = folder / "a.zarr";
  make_four_chunks(path, "/");
  const auto reader = open_image(path);
  std::vector<std::uint16_t> voxels(24);
  const Box all{{0, 0, 0}, {1, 4, 6}};
  fs::rename(path, folder / "b.zarr");
  make_four_chunks(path, ".");  // another store of that name
  write_bytes(path + "/0.0", "something else");
  reader->read(all, reinterpret_cast<std::byte*>(voxels.data()));
  CHECK(voxels == std::vector<std::uint16_t>(24, 7));
  OpenOptions no_cache;
  no_cache.cache_bytes = 0;
  for (const char* part : {"", "/1", "/1/1"}) {
    make_four_chunks(path, "/");
    const auto other = open_image(path, no_cache);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // time stamps may be that coarse
    fs::remove_all(path + part);
    CHECK_THROWS_WITH_AS(other->read(all, reinterpret_cast<std::byte*>(voxels.data())), doctest::Contains(path.c_str()),
                         Error);
  }
}

TEST_CASE("JSON may nest a hundred levels, no deeper, wherever it comes from") {
  const Folder folder;
  const std::string path = folder / "a.zarr";
  const auto nested = [](int depth) {
    const auto levels = static_cast<std::size_t>(depth);
    return std::string(levels, '[') + std::string(levels, ']');
  };
  CHECK(parse_json(nested(kDeepestJson)));
  CHECK_FALSE(parse_json(nested(kDeepestJson + 1)));
  CHECK_FALSE(parse_json(std::string(100000, '[')));
  CHECK(*parse_json("\"[[[\\\"\"") == "[[[\"");
  CHECK(*parse_json("[NaN, -Infinity, Infinity, \"NaN\"]") == Json({"NaN", "-Infinity", "Infinity", "NaN"}));
  for (const int depth : {1000, 100000}) {
    make_array(path, Json::object());
    write_bytes(path + "/.zarray", "{\"zarr_format\":2,\"shape\":[2,3],\"fill_value\":" + nested(depth) + "}");
    CHECK_READING_FAILS(path, "nests deeper");
    fs::remove(path + "/.zarray");
    write_bytes(path + "/.zattrs", "{\"multiscales\":" + nested(depth) + "}");
    CHECK_READING_FAILS(path, "nests deeper");
    write_bytes(path + "/zarr.json", "{\"zarr_format\":3,\"attributes\":" + nested(depth) + "}");
    CHECK_READING_FAILS(path, "nests deeper");
    fs::remove(path + "/zarr.json");
    fs::remove(path + "/.zattrs");
    const std::string journal = io::journal_path(folder / "out.npy");
    write_bytes(journal, "{\"convoy_journal\":1,\"job\":" + nested(depth) + "}\n");
    CHECK_THROWS_AS(create_image(folder / "out.npy", {1, 2, 3}, Element::f32, {}, {true, {{"kernel", "k"}}}), Error);
    fs::remove(journal);
    CHECK_FALSE(choice_from_text("{\"padded_zyx\":" + nested(depth) + "}"));
    CHECK(io::parse_description("a.tif", "{\"shape\":" + nested(depth) + "}", {}).program.empty());
  }
}

TEST_CASE("any damaged byte of a store's files gives an image or an error, never a crash") {
  const Folder folder;
  const auto voxels = numbered_voxels<std::uint8_t>({2, 9, 11});
  write_image(folder / "a.zarr", ImageView(voxels, Shape{2, 9, 11}));
  for (const char* name : {"/.zattrs", "/0/.zarray", "/0/0/0/0"}) {
    const std::string path = (folder / "a.zarr") + name;
    const std::string good = bytes_of(path);
    for (std::size_t at = 0; at < good.size(); ++at) {
      for (const int flip : {0xFF, 0x01, 0x80}) {
        std::string bytes = good;
        bytes[at] = static_cast<char>(bytes[at] ^ flip);
        write_bytes(path, bytes);
        try {
          read_image(folder / "a.zarr");
        } catch (const Error& error) {
          CHECK(contains(error.what(), folder / "a.zarr"));
        }
      }
    }
    write_bytes(path, good);
  }
}

}  // namespace
}  // namespace convoy::test
