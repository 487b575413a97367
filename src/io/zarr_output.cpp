#include "io/zarr_output.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <numeric>

#include "io/box.hpp"
#include "io/io_error.hpp"
#include "io/workers.hpp"
#include "io/zarr_images.hpp"

namespace convoy::io {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kArray = "0";  // its folder in the store

std::vector<FileAxis> axes_of(const Shape& shape, const ImageMetadata& metadata) {
  std::vector<FileAxis> axes;
  if (metadata.num_times) axes.push_back({'T', *metadata.num_times});
  if (metadata.num_channels) axes.push_back({'C', *metadata.num_channels});
  if (shape.z > 1 || metadata.num_axes >= 3) axes.push_back({'Z', shape.z});
  axes.push_back({'Y', shape.y});
  axes.push_back({'X', shape.x});
  return axes;
}

ZarrArray array_of(const std::string& folder, const std::vector<FileAxis>& axes, const Shape& shape, Element element) {
  ZarrArray array;
  array.folder = folder + "/" + kArray;
  array.sample = sample_for(element);
  array.codecs = {ByteCodec::blosc};
  array.separator = '/';
  array.order.resize(axes.size());
  std::iota(array.order.begin(), array.order.end(), 0);
  constexpr Shape kVolumeChunk{64, 128, 128};
  constexpr Shape kPlaneChunk{1, 1024, 1024};
  const Shape chunk = shape.z > 1 ? kVolumeChunk : kPlaneChunk;
  for (const FileAxis& axis : axes) {
    const std::size_t spatial = std::string("ZYX").find(axis.name);
    array.extents.push_back(axis.extent);
    array.chunk.push_back(spatial == std::string::npos ? 1 : std::min(axis.extent, chunk[static_cast<int>(spatial)]));
  }
  return array;
}

std::string file_text(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

std::string image_name(const std::string& path) { return fs::path(path).stem().string(); }

}  // namespace

ZarrOutput::ZarrOutput(const std::string& path, OutputFile::Unfinished unfinished, const Shape& shape, Element element,
                       const ImageMetadata& metadata, const CreateOptions& options)
    : folder_(path, unfinished, options.overwrite),
      name_(image_name(path)),
      axes_(axes_of(shape, metadata)),
      voxel_size_(metadata.voxel_size),
      grid_(array_of(folder_.temporary_path(), axes_, shape, element), axes_),
      files_(folder_, grid_.num_chunks(),
             [this](std::uint64_t number) { return kArray + ("/" + grid_.file_name(number)); }),
      cache_bytes_(options.cache_bytes),
      open_chunks_(options.cache_bytes) {}

bool ZarrOutput::can_continue() const {
  if (!folder_.folder().status(kArray)) return false;
  return read_json(InputFolder(folder_.folder(), kArray), ".zarray") == zarr_array_json(grid_.array());
}

void ZarrOutput::begin(bool continued) {
  if (continued) {
    remove_damaged_chunks();
  } else {
    folder_.empty();
  }
  folder_.write_text(".zgroup", file_text({{"zarr_format", 2}}));
  folder_.write_text(".zattrs", file_text(ngff_json(name_, axes_, voxel_size_)));
  folder_.write_text(kArray + std::string("/.zarray"), file_text(zarr_array_json(grid_.array())));
  written_.emplace(std::make_shared<const InputFolder>(folder_.folder(), kArray), grid_.array());
}

/// So that those of which a part is written anew can be filled further. Files that were not given their names go, too.
void ZarrOutput::remove_damaged_chunks() const {
  const auto is_chunk = [this](const fs::path& file) {
    try {
      const InputFile stored(file.string());
      std::vector<std::byte> bytes(stored.size_bytes());
      stored.read(0, bytes.data(), bytes.size());
      return file.filename().string()[0] != '.' &&
             !decode_chunk(file.string(), grid_.array(), std::move(bytes)).empty();
    } catch (const Error&) {
      return false;
    }
  };
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(grid_.array().folder)) {
    if (entry.is_regular_file() && entry.path().filename() != ".zarray") files.push_back(entry.path());
  }
  codec_workers().for_each(static_cast<std::int64_t>(files.size()), 1, [&](int, std::int64_t first, std::int64_t end) {
    for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(end); ++i) {
      if (!is_chunk(files[i])) fs::remove(files[i]);
    }
  });
}

void ZarrOutput::write(Index image, const Box& box, const std::byte* voxels) {
  const std::vector<Shape> positions = grid_.touched(box);
  codec_workers().for_each(static_cast<std::int64_t>(positions.size()), 1,
                           [&](int, std::int64_t first, std::int64_t end) {
                             for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(end); ++i) {
                               write_chunk(image, positions[i], box, voxels);
                             }
                           });
}

/// What the chunk holds already, or zeros.
OpenChunks::Samples ZarrOutput::load(const std::vector<Index>& position) const {
  OpenChunks::Samples samples = written_->read(position);
  samples.resize(grid_.array().chunk_bytes());
  return samples;
}

void ZarrOutput::save(std::uint64_t number, const OpenChunks::Samples& samples) {
  files_.write(number, blosc_compressed(folder_.path(), samples, size_of(grid_.array().sample)));
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
    return save(number, samples);
  }
  open_chunks_.fill({number, count_of(own), [this, place] { return load(place); },
                     [this, number](const OpenChunks::Samples& samples) { save(number, samples); }},
                    count_of(part), fill);
}

std::uint64_t ZarrOutput::cache_bytes() const {
  return saturating_sum(saturating_sum(cache_bytes_, files_.memory_bytes()), codec_bytes(grid_.array().chunk_bytes()));
}

void ZarrOutput::commit() {
  flush();
  files_.require_all();
  folder_.commit();
}

void ZarrOutput::read(Index image, const Box& box, std::byte* voxels) const {
  ImageFacts facts{grid_.image(), element_for(grid_.array().sample), grid_.chunk(), {}, 0};
  const auto read_chunk = [this](Index number, const Shape& position) {
    return written_->read(grid_.position_in_array(number, position));
  };
  ZarrImages(grid_, std::move(facts), 0, read_chunk).read(image, box, voxels);
}

}  // namespace convoy::io
