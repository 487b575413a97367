#include "io/zarr_codec.hpp"

#include <blosc.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <cstring>
#include <optional>

#include "convoy/shape.hpp"
#include "io/io_error.hpp"

namespace convoy::io {
namespace {

using Bytes = std::span<const std::byte>;

/// Decoders fill what has room for all that is expected, and return the number of bytes; nothing if the rest does not
/// fit, or if anything is damaged.
using Count = std::optional<std::size_t>;

Count decode_blosc(Bytes stored, std::span<std::byte> room) {
  std::size_t bytes = 0;
  if (blosc_cbuffer_validate(stored.data(), stored.size(), &bytes) != 0 || bytes > room.size()) return std::nullopt;
  constexpr int kThreads = 1;
  const int count = blosc_decompress_ctx(stored.data(), room.data(), room.size(), kThreads);
  if (count < 0 || static_cast<std::size_t>(count) != bytes) return std::nullopt;
  return bytes;
}

/// zlib's stream, which ends with the object.
class Inflater {
 public:
  explicit Inflater(Bytes stored) {
    constexpr int kAnyHeader = 15 + 32;  // the largest window; zlib or gzip, as the header says
    begun_ = inflateInit2(&stream_, kAnyHeader) == Z_OK;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(stored.data()));  // zlib reads it only
    stream_.avail_in = static_cast<uInt>(stored.size());
  }
  ~Inflater() {
    if (begun_) inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  bool at_end() const { return stream_.avail_in == 0; }

  /// Of one member of a gzip file, or of all that zlib has; its checksum agrees.
  Count decode_member(std::span<std::byte> room) {
    Bytef beyond = 0;  // one more byte than there is room for shows that there are too many
    if (!begun_ || inflateReset(&stream_) != Z_OK) return std::nullopt;
    stream_.next_out = reinterpret_cast<Bytef*>(room.data());
    stream_.avail_out = static_cast<uInt>(room.size());
    int result = inflate(&stream_, Z_NO_FLUSH);
    const std::size_t count = room.size() - stream_.avail_out;
    if (stream_.avail_out == 0 && result != Z_STREAM_END) {
      stream_.next_out = &beyond;
      stream_.avail_out = 1;
      result = inflate(&stream_, Z_FINISH);
      if (stream_.avail_out == 0) return std::nullopt;
    }
    if (result != Z_STREAM_END) return std::nullopt;
    return count;
  }

 private:
  z_stream stream_{};
  bool begun_ = false;
};

/// A gzip file may have several members, one behind the other; nothing else may follow.
Count decode_deflate(Bytes stored, std::span<std::byte> room) {
  constexpr std::byte kGzip{0x1F};
  if (stored.size() > INT32_MAX || room.size() > UINT32_MAX) return std::nullopt;
  const bool is_gzip = !stored.empty() && stored[0] == kGzip;
  Inflater inflater(stored);
  std::size_t count = 0;
  do {
    const Count member = inflater.decode_member(room.subspan(count));
    if (!member) return std::nullopt;
    count += *member;
  } while (is_gzip && !inflater.at_end());
  if (!inflater.at_end()) return std::nullopt;
  return count;
}

/// All frames, one behind the other.
Count decode_zstd(Bytes stored, std::span<std::byte> room) {
  const std::size_t count = ZSTD_decompress(room.data(), room.size(), stored.data(), stored.size());
  if (ZSTD_isError(count) != 0) return std::nullopt;
  return count;
}

Count decode(ByteCodec codec, Bytes stored, std::span<std::byte> room) {
  switch (codec) {
    case ByteCodec::blosc:
      return decode_blosc(stored, room);
    case ByteCodec::deflate:
      return decode_deflate(stored, room);
    case ByteCodec::zstd:
      return decode_zstd(stored, room);
    case ByteCodec::crc32c:
      break;
  }
  return std::nullopt;
}

/// Room for what comes out where not the samples do, but what another codec made of them.
std::uint64_t most_encoded_bytes(std::uint64_t size) {
  constexpr std::uint64_t kOverhead = 65536;
  return saturating_sum(saturating_sum(size, size / 8), kOverhead);
}

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  constexpr std::uint32_t kReversedPolynomial = 0x82F63B78;
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kReversedPolynomial : 0);
    table[byte] = crc;
  }
  return table;
}

}  // namespace

std::vector<std::byte> decoded(const std::string& path, const std::vector<ByteCodec>& codecs,
                               std::vector<std::byte> stored, std::uint64_t size) {
  const std::size_t file_bytes = stored.size();
  Count count = stored.size();
  for (std::size_t i = codecs.size(); count && i-- > 0;) {
    if (codecs[i] == ByteCodec::crc32c) {
      stored.resize(without_checksum(path, stored).size());
      count = stored.size();
      continue;
    }
    std::vector<std::byte> room(i == 0 ? size : most_encoded_bytes(size));
    count = decode(codecs[i], stored, room);
    room.resize(count.value_or(0));
    stored = std::move(room);
  }
  if (count != size) fail(path, "is damaged: its {} bytes do not decode to the {} of a chunk", file_bytes, size);
  return stored;
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

std::uint32_t crc32c(std::span<const std::byte> bytes) {
  static constexpr std::array<std::uint32_t, 256> kTable = make_crc_table();
  std::uint32_t crc = ~std::uint32_t{0};
  for (const std::byte byte : bytes) crc = (crc >> 8) ^ kTable[(crc ^ static_cast<std::uint32_t>(byte)) & 0xFF];
  return ~crc;
}

std::span<const std::byte> without_checksum(const std::string& path, std::span<const std::byte> bytes) {
  if (bytes.size() < kChecksumBytes) fail(path, "is damaged: {} bytes have no room for a CRC-32C", bytes.size());
  const std::span<const std::byte> content = bytes.first(bytes.size() - kChecksumBytes);
  std::uint32_t stored = 0;  // little-endian, as this machine
  std::memcpy(&stored, bytes.data() + content.size(), kChecksumBytes);
  const std::uint32_t found = crc32c(content);
  if (found != stored) fail(path, "is damaged: its CRC-32C is {:08x}, and {:08x} is stored", found, stored);
  return content;
}

}  // namespace convoy::io
