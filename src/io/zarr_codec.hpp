// How the chunks of a Zarr array are compressed.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace convoy::io {

enum class Compressor { none, blosc, zlib, zstd };  ///< zlib reads gzip, too

/// The most that a compressed byte can stand for; generous, to tell lies from good compression.
inline constexpr std::uint64_t kLargestChunkRatio = 65536;

/// Fills `samples` exactly. Throws Error(io), naming `path`.
void decompress(const std::string& path, Compressor compressor, std::span<const std::byte> stored,
                std::span<std::byte> samples);

/// What convoy writes: blosc, LZ4, level 5, bytes shuffled by the size of a sample.
std::vector<std::byte> blosc_compressed(const std::string& path, std::span<const std::byte> samples,
                                        std::size_t sample_bytes);

}  // namespace convoy::io
