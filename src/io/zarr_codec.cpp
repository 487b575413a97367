#include "io/zarr_codec.hpp"

#include <blosc.h>
#include <zlib.h>
#include <zstd.h>

#include <cstring>

#include "io/io_error.hpp"

namespace convoy::io {
namespace {

bool decompress_blosc(std::span<const std::byte> stored, std::span<std::byte> samples) {
  std::size_t bytes = 0;
  if (blosc_cbuffer_validate(stored.data(), stored.size(), &bytes) != 0 || bytes != samples.size()) return false;
  constexpr int kThreads = 1;
  return blosc_decompress_ctx(stored.data(), samples.data(), samples.size(), kThreads) ==
         static_cast<int>(samples.size());
}

bool decompress_zlib(std::span<const std::byte> stored, std::span<std::byte> samples) {
  z_stream stream{};
  constexpr int kAnyHeader = 15 + 32;  // the largest window; zlib or gzip, as the header tells
  if (inflateInit2(&stream, kAnyHeader) != Z_OK) return false;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(stored.data()));  // zlib reads it only
  stream.avail_in = static_cast<uInt>(stored.size());
  stream.next_out = reinterpret_cast<Bytef*>(samples.data());
  stream.avail_out = static_cast<uInt>(samples.size());
  const int result = inflate(&stream, Z_FINISH);
  const bool whole = result == Z_STREAM_END && stream.avail_out == 0;
  inflateEnd(&stream);
  return whole;
}

bool decompress_zstd(std::span<const std::byte> stored, std::span<std::byte> samples) {
  return ZSTD_decompress(samples.data(), samples.size(), stored.data(), stored.size()) == samples.size();
}

}  // namespace

void decompress(const std::string& path, Compressor compressor, std::span<const std::byte> stored,
                std::span<std::byte> samples) {
  bool good = false;
  switch (compressor) {
    case Compressor::none:
      good = stored.size() == samples.size();
      if (good) std::memcpy(samples.data(), stored.data(), stored.size());
      break;
    case Compressor::blosc:
      good = decompress_blosc(stored, samples);
      break;
    case Compressor::zlib:
      good = decompress_zlib(stored, samples);
      break;
    case Compressor::zstd:
      good = decompress_zstd(stored, samples);
      break;
  }
  if (!good) fail(path, "is damaged: its {} bytes do not decode to the {} of a chunk", stored.size(), samples.size());
}

std::vector<std::byte> blosc_compressed(const std::string& path, std::span<const std::byte> samples,
                                        std::size_t sample_bytes) {
  constexpr int kLevel = 5;
  constexpr int kThreads = 1;
  std::vector<std::byte> stored(samples.size() + BLOSC_MAX_OVERHEAD);
  const int bytes = blosc_compress_ctx(kLevel, BLOSC_SHUFFLE, sample_bytes, samples.size(), samples.data(),
                                       stored.data(), stored.size(), BLOSC_LZ4_COMPNAME, 0, kThreads);
  if (bytes <= 0) fail(path, "a chunk of {} bytes cannot be compressed (blosc answers {})", samples.size(), bytes);
  stored.resize(static_cast<std::size_t>(bytes));
  return stored;
}

}  // namespace convoy::io
