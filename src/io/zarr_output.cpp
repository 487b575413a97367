#include "io/zarr_output.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <numeric>

#include "base/path_text.hpp"
#include "io/box.hpp"
#include "io/io_error.hpp"
#include "io/ngff.hpp"
#include "io/own_store.hpp"
#include "io/workers.hpp"
#include "io/zarr_images.hpp"

namespace convoy::io {
namespace {

using Json = nlohmann::json;

/// What is decoded at once, and how many of it a file holds along each axis.
struct Pieces {
  Shape chunk;
  Shape chunks_per_file{1, 1, 1};
};

Pieces pieces_of(const Shape& shape, OmeZarr version) {
  const bool is_plane = shape.z == 1;
  if (version == OmeZarr::v0_4) return {is_plane ? Shape{1, 1024, 1024} : Shape{64, 128, 128}};
  if (is_plane) return {{1, 512, 512}, {1, 8, 8}};
  return {{32, 128, 128}, {2, 4, 4}};
}

std::vector<FileAxis> axes_of(const Shape& shape, const ImageMetadata& metadata) {
  std::vector<FileAxis> axes;
  if (metadata.num_times) axes.push_back({'T', *metadata.num_times});
  if (metadata.num_channels) axes.push_back({'C', *metadata.num_channels});
  if (shape.z > 1 || metadata.num_axes >= 3) axes.push_back({'Z', shape.z});
  axes.push_back({'Y', shape.y});
  axes.push_back({'X', shape.x});
  return axes;
}

ZarrArray array_of(const std::string& folder, const std::vector<FileAxis>& axes, const Shape& shape, Element element,
                   OmeZarr version) {
  ZarrArray array;
  array.folder = folder + "/" + kArrayFolder;
  array.sample = sample_for(element);
  array.codecs = {ByteCodec::blosc};
  array.separator = '/';
  array.order.resize(axes.size());
  std::iota(array.order.begin(), array.order.end(), 0);
  ZarrShards shards;
  const Pieces pieces = pieces_of(shape, version);
  for (const FileAxis& axis : axes) {
    const std::size_t spatial = std::string("ZYX").find(axis.name);
    const bool is_spatial = spatial != std::string::npos;
    const Index chunk = is_spatial ? std::min(axis.extent, pieces.chunk[static_cast<int>(spatial)]) : 1;
    const Index most = is_spatial ? pieces.chunks_per_file[static_cast<int>(spatial)] : 1;
    array.extents.push_back(axis.extent);
    array.chunk.push_back(chunk);
    array.dimension_names.emplace_back(1, static_cast<char>(axis.name - 'A' + 'a'));
    shards.shape.push_back(chunk * std::min(most, (axis.extent - 1) / chunk + 1));
  }
  if (version == OmeZarr::v0_4) return array;
  array.version = 3;
  array.key_prefix = "c/";
  shards.order = array.order;
  shards.has_checksum = true;
  array.shards = std::move(shards);
  return array;
}

std::string file_text(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

std::string image_name(const std::string& path) { return text_from(path_from(path).stem()); }

const char* array_file(const ZarrArray& array) { return array.version == 2 ? ".zarray" : "zarr.json"; }

/// Calls body(i) for the numbers below `count`, on all threads.
template <class Body>
void for_each_number(std::uint64_t count, Body body) {
  codec_workers().for_each(static_cast<std::int64_t>(count), 1, [&](int, std::int64_t first, std::int64_t end) {
    for (auto i = static_cast<std::uint64_t>(first); i < static_cast<std::uint64_t>(end); ++i) body(i);
  });
}

}  // namespace

ZarrOutput::ZarrOutput(const std::string& path, OutputFile::Unfinished unfinished, const Shape& shape, Element element,
                       const ImageMetadata& metadata, const CreateOptions& options)
    : folder_(path, unfinished, options.overwrite),
      name_(image_name(path)),
      axes_(axes_of(shape, metadata)),
      metadata_(metadata),
      element_(element),
      grid_(array_of(folder_.temporary_path(), axes_, shape, element, options.ome_zarr), axes_),
      files_(folder_, grid_.array().num_files(),
             [this](std::uint64_t number) {
               return kArrayFolder + ("/" + grid_.array().file_name(grid_.array().file_position(number)));
             }),
      cache_bytes_(options.cache_bytes),
      open_chunks_(grid_.array().shards ? options.cache_bytes / 2 : options.cache_bytes) {}

bool ZarrOutput::can_continue() const {
  if (!folder_.folder().status(kArrayFolder)) return false;
  return read_json(InputFolder(folder_.folder(), kArrayFolder), array_file(grid_.array())) ==
         zarr_array_json(grid_.array());
}

void ZarrOutput::begin(bool continued) {
  const ZarrArray& array = grid_.array();
  if (!continued) folder_.empty();
  write_metadata();
  const auto folder = std::make_shared<const InputFolder>(folder_.folder(), kArrayFolder);
  written_.emplace(folder, array, ZarrChunks::Indices::read_anew);
  if (array.shards) {
    shards_.emplace(
        array, files_, [this](const std::vector<Index>& position) { return written_->read_stored(position); },
        cache_bytes_ / 2);
  }
  if (continued) remove_damaged_files();
}

void ZarrOutput::write_metadata() {
  const ZarrArray& array = grid_.array();
  const bool is_v2 = array.version == 2;
  const Json attributes = ngff_json(is_v2 ? OmeZarr::v0_4 : OmeZarr::v0_5, name_, axes_, element_, metadata_);
  if (is_v2) {
    folder_.write_text(".zgroup", file_text({{"zarr_format", 2}}));
    folder_.write_text(".zattrs", file_text(attributes));
  } else {
    folder_.write_text("zarr.json",
                       file_text({{"zarr_format", 3}, {"node_type", "group"}, {"attributes", {{"ome", attributes}}}}));
  }
  folder_.write_text(std::string(kArrayFolder) + "/" + array_file(array), file_text(zarr_array_json(array)));
}

bool ZarrOutput::is_damaged(std::uint64_t file) const {
  const ZarrArray& array = grid_.array();
  try {
    written_->read_all(array.file_position(file));
    return false;
  } catch (const Error&) {
    return true;
  }
}

/// So that those of which a part is written anew can be filled further.
void ZarrOutput::remove_damaged_files() const {
  const ZarrArray& array = grid_.array();
  for_each_number(array.num_files(), [&](std::uint64_t file) {
    if (!is_damaged(file)) return;
    const std::string name = kArrayFolder + ("/" + array.file_name(array.file_position(file)));
    const std::size_t slash = name.rfind('/');
    folder_.folder().subfolder(name.substr(0, slash)).remove(name.substr(slash + 1));
  });
}

void ZarrOutput::write(Index image, const Box& box, const std::byte* voxels) {
  const std::vector<Shape> positions = grid_.touched(box);
  for_each_number(positions.size(), [&](std::uint64_t i) { write_chunk(image, positions[i], box, voxels); });
}

/// The samples of a chunk that is saved, whether it waits for its shard or is on the disk; empty if it is not.
std::vector<std::byte> ZarrOutput::read_chunk(const std::vector<Index>& position) const {
  if (!shards_) return written_->read(position);
  std::vector<std::byte> stored = shards_->read(position);
  return stored.empty() ? stored : decode_chunk(grid_.array().folder, grid_.array(), std::move(stored));
}

/// What the chunk holds already, or zeros.
OpenChunks::Samples ZarrOutput::load(const std::vector<Index>& position) const {
  OpenChunks::Samples samples = read_chunk(position);
  samples.resize(grid_.array().chunk_bytes());
  return samples;
}

void ZarrOutput::save(const std::vector<Index>& position, const OpenChunks::Samples& samples) {
  std::vector<std::byte> encoded = blosc_compressed(folder_.path(), samples, size_of(grid_.array().sample));
  if (shards_) {
    shards_->write(position, std::move(encoded));
  } else {
    files_.write(grid_.array().file_number(position), encoded);
  }
}

void ZarrOutput::write_chunk(Index image, const Shape& position, const Box& box, const std::byte* voxels) {
  const std::size_t width = size_of(grid_.array().sample);
  const Box own = grid_.voxels_of(position);
  const Box part = intersection(box, own);
  const auto fill = [&](OpenChunks::Samples& samples) {
    for (Index z = part.begin.z; z < part.begin.z + part.size.z; ++z) {
      for (Index y = part.begin.y; y < part.begin.y + part.size.y; ++y) {
        std::memcpy(samples.data() + grid_.index_of(image, z, y, part.begin.x) * width,
                    voxels + index_in(box, z, y, part.begin.x) * width, static_cast<std::size_t>(part.size.x) * width);
      }
    }
  };
  const std::vector<Index> place = grid_.position_in_array(image, position);
  const std::uint64_t number = grid_.number_of(image, position);
  if (part == own) {
    open_chunks_.forget(number);
    OpenChunks::Samples samples(grid_.array().chunk_bytes());
    fill(samples);
    return save(place, samples);
  }
  open_chunks_.fill({number, count_of(own), [this, place] { return load(place); },
                     [this, place](const OpenChunks::Samples& samples) { save(place, samples); }},
                    count_of(part), fill);
}

std::uint64_t ZarrOutput::cache_bytes() const {
  return saturating_sum(saturating_sum(cache_bytes_, files_.memory_bytes()), codec_bytes(grid_.array().chunk_bytes()));
}

void ZarrOutput::flush() {
  open_chunks_.save_all();
  if (shards_) shards_->write_all();
}

void ZarrOutput::commit() {
  flush();
  files_.require_all();
  folder_.commit();
}

void ZarrOutput::read(Index image, const Box& box, std::byte* voxels) const {
  ImageFacts facts{grid_.image(), element_for(grid_.array().sample), grid_.chunk(), {}, 0};
  const auto read_one = [this](Index number, const Shape& position) {
    return read_chunk(grid_.position_in_array(number, position));
  };
  ZarrImages(grid_, std::move(facts), 0, read_one).read(image, box, voxels);
}

}  // namespace convoy::io
