#include "io/zarr_images.hpp"

#include <cstring>

#include "base/voxel_rows.hpp"
#include "io/box.hpp"
#include "io/formats.hpp"
#include "io/ngff.hpp"
#include "io/workers.hpp"
#include "io/zarr_chunks.hpp"

namespace convoy::io {
namespace {

std::vector<std::byte> voxel_of(double value, Element element) {
  std::vector<std::byte> bytes(size_of(element));
  Index clipped = 0;
  if (is_complex(element)) {  // both parts are that
    const std::vector<std::byte> part = voxel_of(value, part_of(element));
    std::memcpy(bytes.data(), part.data(), part.size());
    std::memcpy(bytes.data() + part.size(), part.data(), part.size());
    return bytes;
  }
  with_element(element, [&]<class T>(T) {
    const T voxel = to_voxel<T>(value, clipped);
    std::memcpy(bytes.data(), &voxel, sizeof voxel);
  });
  return bytes;
}

}  // namespace

ZarrImages::ZarrImages(ZarrGrid grid, ImageFacts facts, std::uint64_t cache_bytes, ReadChunk read_chunk)
    : StoredImages(std::move(facts)),
      grid_(std::move(grid)),
      read_chunk_(std::move(read_chunk)),
      cache_(cache_bytes),
      fill_voxel_(voxel_of(grid_.array().fill_value, this->facts().element)) {}

void ZarrImages::read(Index image, const Box& box, std::byte* voxels) const {
  const std::vector<Shape> positions = grid_.touched(box);
  if (positions.size() == 1) return read_part(image, positions[0], box, voxels);
  codec_workers().for_each(static_cast<std::int64_t>(positions.size()), 1,
                           [&](int, std::int64_t first, std::int64_t end) {
                             for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(end); ++i) {
                               read_part(image, positions[i], box, voxels);
                             }
                           });
}

PieceCache::Samples ZarrImages::decoded(Index image, const Shape& position) const {
  const PieceCache::Key key{grid_.number_of(image, position), 0};
  if (PieceCache::Samples samples = cache_.find(key)) return samples;
  std::vector<std::byte> samples = read_chunk_(image, position);
  if (samples.empty()) return nullptr;
  auto shared = std::make_shared<const std::vector<std::byte>>(std::move(samples));
  cache_.keep(key, shared);
  return shared;
}

void ZarrImages::read_part(Index image, const Shape& position, const Box& box, std::byte* voxels) const {
  const Sample sample = grid_.array().sample;
  const std::size_t width = size_of(sample);
  const std::size_t voxel_bytes = fill_voxel_.size();
  const PieceCache::Samples samples = decoded(image, position);
  const Box part = intersection(box, grid_.voxels_of(position));
  const auto length = static_cast<std::uint64_t>(part.size.x);
  for (Index z = part.begin.z; z < part.begin.z + part.size.z; ++z) {
    for (Index y = part.begin.y; y < part.begin.y + part.size.y; ++y) {
      std::byte* row = voxels + index_in(box, z, y, part.begin.x) * voxel_bytes;
      if (!samples) {
        for (std::uint64_t i = 0; i < length; ++i) std::memcpy(row + i * voxel_bytes, fill_voxel_.data(), voxel_bytes);
        continue;
      }
      const std::byte* stored = samples->data() + grid_.index_of(image, z, y, part.begin.x) * width;
      if (grid_.stride(2) == 1) {
        convert(sample, stored, length, row);
        continue;
      }
      for (std::uint64_t i = 0; i < length; ++i) {
        convert(sample, stored + i * grid_.stride(2) * width, 1, row + i * voxel_bytes);
      }
    }
  }
}

std::unique_ptr<StoredImages> open_zarr(const std::string& path, const OpenOptions& options) {
  ZarrImage image = read_zarr_metadata(path, options.axes);
  std::string warning;
  image.array = with_separator_found(*image.folder, image.array, options.allow_missing_chunks, warning);
  ImageMetadata metadata = std::move(image.metadata);
  set_images(image.axes, metadata);
  metadata.num_axes =
      static_cast<int>(image.axes.size()) - (metadata.num_times ? 1 : 0) - (metadata.num_channels ? 1 : 0);
  if (!warning.empty()) metadata.warnings.push_back(warning);
  const auto chunks = std::make_shared<const ZarrChunks>(image.folder, image.array);
  ZarrGrid grid(std::move(image.array), image.axes);
  const std::uint64_t codec_memory = saturating_sum(codec_bytes(grid.array().chunk_bytes()), chunks->cache_bytes());
  ImageFacts facts{grid.image(), element_for(grid.array().sample), grid.chunk(), std::move(metadata),
                   saturating_sum(options.cache_bytes, codec_memory)};
  const auto read_chunk = [chunks, grid](Index number, const Shape& position) {
    const std::vector<Index> place = grid.position_in_array(number, position);
    std::vector<std::byte> samples = chunks->read(place);
    if (samples.empty()) chunks->require_never_there(place);
    return samples;
  };
  return std::make_unique<ZarrImages>(std::move(grid), std::move(facts), options.cache_bytes, read_chunk);
}

}  // namespace convoy::io
