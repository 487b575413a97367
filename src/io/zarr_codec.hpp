// How the chunks of a Zarr array are encoded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace convoy::io {

enum class ByteCodec { blosc, deflate, zstd, crc32c };  ///< deflate: zlib or gzip, as the header says

/// Of a CRC-32C, behind what it is of.
inline constexpr std::size_t kChecksumBytes = 4;

/// The most that a compressed byte can stand for; generous, to find false sizes before memory is taken for them.
inline constexpr std::uint64_t kLargestChunkRatio = 65536;

/// The `size` bytes that are stored, encoded by the codecs in that order. Throws Error(io), naming `path`, if there are
/// more or fewer, or if anything is damaged.
std::vector<std::byte> decoded(const std::string& path, const std::vector<ByteCodec>& codecs,
                               std::vector<std::byte> stored, std::uint64_t size);

/// What convoy writes: blosc, LZ4, level 5, bytes shuffled by the size of a sample.
std::vector<std::byte> blosc_compressed(const std::string& path, std::span<const std::byte> samples,
                                        std::size_t sample_bytes);

/// CRC-32C (Castagnoli).
std::uint32_t crc32c(std::span<const std::byte> bytes);

/// The bytes before the little-endian CRC-32C that ends `bytes`. Throws Error(io), naming `path`, if it is another one.
std::span<const std::byte> without_checksum(const std::string& path, std::span<const std::byte> bytes);

}  // namespace convoy::io
