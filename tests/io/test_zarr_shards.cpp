// OME-Zarr 0.5: shards that boxes of any shape fill in any order, and what goes on where a run ended.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "files.hpp"
#include "io/output_place.hpp"

namespace convoy::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const Shape kShape{70, 140, 530};  // two shards along z and x, chunks at the end that are not full
const Shape kShard{64, 140, 512};

CreateOptions sharded(std::uint64_t cache_bytes) {
  CreateOptions options;
  options.ome_zarr = OmeZarr::v0_5;
  options.overwrite = true;
  options.cache_bytes = cache_bytes;
  return options;
}

std::vector<std::uint16_t> cut(const std::vector<std::uint16_t>& voxels, const Box& box) {
  std::vector<std::uint16_t> part;
  for (Index z = box.begin.z; z < box.begin.z + box.size.z; ++z) {
    for (Index y = box.begin.y; y < box.begin.y + box.size.y; ++y) {
      const auto row = voxels.begin() + (z * kShape.y + y) * kShape.x + box.begin.x;
      part.insert(part.end(), row, row + box.size.x);
    }
  }
  return part;
}

void write_box(ImageFileWriter& file, const std::vector<std::uint16_t>& voxels, const Box& box) {
  file.image().write(box, reinterpret_cast<const std::byte*>(cut(voxels, box).data()));
}

std::vector<Box> boxes_of(const Shape& size) {
  std::vector<Box> boxes;
  for (Index z = 0; z < kShape.z; z += size.z) {
    for (Index y = 0; y < kShape.y; y += size.y) {
      for (Index x = 0; x < kShape.x; x += size.x) {
        boxes.push_back(
            {{z, y, x},
             {std::min(size.z, kShape.z - z), std::min(size.y, kShape.y - y), std::min(size.x, kShape.x - x)}});
      }
    }
  }
  return boxes;
}

/// All files of a store, by name.
std::map<std::string, std::string> files_of(const std::string& store) {
  std::map<std::string, std::string> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(store)) {
    if (!entry.is_directory()) files[fs::relative(entry.path(), store).string()] = bytes_of(entry.path().string());
  }
  return files;
}

TEST_CASE("a sharded store has the same bytes, whatever boxes it was filled by, in whatever order and memory") {
  const Folder folder;
  const auto voxels = numbered_voxels<std::uint16_t>(kShape);
  write_image(folder / "whole.zarr", ImageView(voxels, kShape), {}, sharded(1 << 26));
  const auto whole = files_of(folder / "whole.zarr");
  CHECK(whole.size() == 2 + 4);
  CHECK(open_image(folder / "whole.zarr")->chunk() == Shape{32, 128, 128});
  std::mt19937 random(1);
  for (const Shape size : {kShard, Shape{13, 140, 530}, Shape{30, 50, 100}, Shape{70, 9, 530}}) {
    for (const std::uint64_t cache_bytes : {0U, 3000000U, 64U << 20}) {
      CAPTURE(to_text(size));
      CAPTURE(cache_bytes);
      std::vector<Box> boxes = boxes_of(size);
      std::shuffle(boxes.begin(), boxes.end(), random);
      const auto file = create_image(folder / "whole.zarr", kShape, Element::u16, {}, sharded(cache_bytes));
      CHECK(file->image().chunk() == kShard);
      for (const Box& box : boxes) write_box(*file, voxels, box);
      file->commit();
      CHECK(files_of(folder / "whole.zarr") == whole);
    }
  }
  CHECK(voxels_of<std::uint16_t>(read_image(folder / "whole.zarr")) == voxels);
  CHECK(folder.num_files() == 1);
}

TEST_CASE("several threads fill the same shards") {
  const Folder folder;
  const auto voxels = numbered_voxels<std::uint16_t>(kShape);
  for (const std::uint64_t cache_bytes : {0U, 4000000U}) {
    const auto file = create_image(folder / "a.zarr", kShape, Element::u16, {}, sharded(cache_bytes));
    const std::vector<Box> boxes = boxes_of({20, 70, 200});
    std::vector<std::thread> threads;
    for (std::size_t thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&, thread] {
        for (std::size_t i = thread; i < boxes.size(); i += 4) write_box(*file, voxels, boxes[i]);
      });
    }
    for (std::thread& thread : threads) thread.join();
    file->commit();
    CHECK(voxels_of<std::uint16_t>(read_image(folder / "a.zarr")) == voxels);
  }
}

TEST_CASE("an unfinished sharded store is continued, under another memory limit, whatever was damaged in it") {
  const Folder folder;
  const auto voxels = numbered_voxels<std::uint16_t>(kShape);
  write_image(folder / "whole.zarr", ImageView(voxels, kShape), {}, sharded(1 << 26));
  const auto whole = files_of(folder / "whole.zarr");
  CreateOptions options = sharded(1 << 26);
  options.resume = true;
  options.job = {{"kernel", "k"}};
  const std::vector<Box> boxes = boxes_of({20, 140, 530});
  {
    const auto file = create_image(folder / "whole.zarr", kShape, Element::u16, {}, options);
    for (std::size_t i = 0; i + 1 < boxes.size(); ++i) write_box(*file, voxels, boxes[i]);
  }
  const std::string shard = io::kept_path(folder / "whole.zarr") + "/0/c/0/0/1";
  std::string damaged = bytes_of(shard);
  damaged[damaged.size() / 3] = static_cast<char>(damaged[damaged.size() / 3] ^ 0x55);
  write_bytes(shard, damaged);
  options.cache_bytes = 100000;
  const auto file = create_image(folder / "whole.zarr", kShape, Element::u16, {}, options);
  std::size_t num_held = 0;
  for (const Box& box : boxes) {
    if (file->image().holds(box)) {
      ++num_held;
    } else {
      write_box(*file, voxels, box);
    }
  }
  CHECK(num_held < boxes.size() - 1);
  file->commit();
  CHECK(files_of(folder / "whole.zarr") == whole);
}

TEST_CASE_TEMPLATE("any kind of voxel, one to three axes, times and channels", T, std::uint8_t, std::uint16_t, float,
                   double) {
  const Folder folder;
  for (const Shape shape : {Shape{1, 1, 1}, Shape{1, 4, 7}, Shape{3, 4, 5}, Shape{1, 530, 3}, Shape{33, 2, 129}}) {
    const auto voxels = numbered_voxels<T>(shape);
    write_image(folder / "a.zarr", ImageView(voxels, shape), {}, sharded(1 << 20));
    CHECK(voxels_of<T>(read_image(folder / "a.zarr")) == voxels);
  }
}

TEST_CASE("names of channels, units and time steps survive in both versions") {
  const Folder folder;
  ImageMetadata metadata;
  metadata.voxel_size = VoxelSize{0.3, 0.1, 0.1, "micron"};
  metadata.num_times = 2;
  metadata.num_channels = 2;
  metadata.time_step = TimeStep{0.5, "s"};
  metadata.channel_names = {"DAPI", "µ-tubulin"};
  for (const OmeZarr version : {OmeZarr::v0_4, OmeZarr::v0_5}) {
    CreateOptions options = sharded(1 << 20);
    options.ome_zarr = version;
    const Shape shape{2, 3, 4};
    const auto file = create_image(folder / "a.zarr", shape, Element::u16, metadata, options);
    const std::vector<std::uint16_t> voxels(24, 7);
    for (Index i = 0; i < 4; ++i)
      file->image(i).write({{0, 0, 0}, shape}, reinterpret_cast<const std::byte*>(voxels.data()));
    file->commit();
    const auto images = open_images(folder / "a.zarr");
    const ImageMetadata& read = images[0]->metadata();
    REQUIRE(images.size() == 4);
    CHECK(read.channel_names == metadata.channel_names);
    REQUIRE(read.time_step);
    CHECK(read.time_step->length == 0.5);
    CHECK(read.time_step->unit == "s");
    CHECK(read.voxel_size->z == 0.3);
    CHECK(read.voxel_size->unit == "micron");
    CHECK(read.warnings.empty());
  }
}

TEST_CASE("damaged shards give an image or an error, never a crash, and their checksums are looked at") {
  const Folder folder;
  const std::string path = folder / "a.zarr";
  const auto voxels = numbered_voxels<std::uint8_t>({2, 9, 300});
  write_image(path, ImageView(voxels, Shape{2, 9, 300}), {}, sharded(1 << 20));
  const std::string shard = path + "/0/c/0/0/0";
  const std::string good = bytes_of(shard);
  constexpr std::size_t kIndexBytes = 3 * 16 + 4;
  for (std::size_t at = 0; at < good.size(); at += at + kIndexBytes < good.size() ? 37 : 1) {
    std::string bytes = good;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x80);
    write_bytes(shard, bytes);
    if (at + kIndexBytes >= good.size()) {
      CHECK_READING_FAILS(path, "CRC-32C");
      continue;
    }
    try {
      read_image(path);
    } catch (const Error& error) {
      CHECK(contains(error.what(), path));
    }
  }
  write_bytes(shard, good.substr(0, 20));
  CHECK_READING_FAILS(path, "no room for the index");
}

TEST_CASE("extensions that must be understood are refused by name, others are not") {
  const Folder folder;
  const std::string path = folder / "a.zarr";
  const std::vector<std::uint8_t> voxels(24, 7);
  write_image(path, ImageView(voxels, Shape{2, 3, 4}), {}, sharded(1 << 20));
  const std::string file = path + "/0/zarr.json";
  const Json good = Json::parse(bytes_of(file));
  const auto read_with = [&](const char* place, const Json& value) {
    Json json = good;
    json[Json::json_pointer(place)] = value;
    write_bytes(file, json.dump());
    return voxels_of<std::uint8_t>(read_image(path));
  };
  const auto refuses = [&](const char* place, const Json& value, const std::string& part) {
    CAPTURE(value.dump());
    CHECK_THROWS_WITH_AS(read_with(place, value), doctest::Contains(part.c_str()), Error);
  };
  const Json ignorable{{"name", "other"}, {"must_understand", false}};
  CHECK(read_with("/other", ignorable) == voxels);
  CHECK(read_with("/storage_transformers", Json::array({ignorable})) == voxels);
  CHECK(read_with("/attributes", Json{{"anything", Json::array({1, 2})}}) == voxels);
  CHECK(read_with("/data_type", Json{{"name", "uint8"}}) == voxels);
  CHECK(read_with("/chunk_key_encoding", "default") == voxels);
  refuses("/other", Json{{"name", "other"}}, "'other'");
  refuses("/other", 1, "'other'");
  refuses("/storage_transformers", Json::array({Json{{"name", "indirect"}}}), "indirect");
  refuses("/codecs/0/configuration/codecs/1", Json{{"name", "zfp"}}, "zfp");
  refuses("/codecs/0/name", "pcodec", "pcodec");
  refuses("/codecs/0/configuration/index_location", "middle", "middle");
  refuses("/codecs/0/configuration/chunk_shape", Json::array({2, 2, 4}), "not made of whole chunks");
  refuses("/codecs/0/configuration/codecs", good["codecs"], "shards inside shards");
  refuses("/codecs/0/configuration/codecs/0/configuration/endian", "middle", "middle");
  refuses("/chunk_grid/name", "rectilinear", "rectilinear");
  refuses("/chunk_key_encoding", Json{{"name", "fan-out"}}, "fan-out");
  refuses("/data_type", "complex32", "complex32");
  refuses("/fill_value", -1, "fill value -1");
  refuses("/zarr_format", 4, "version 4");
  refuses("/dimension_names", Json::array({"x"}), "dimension_names");
}

}  // namespace
}  // namespace convoy::test
