// Checksums that distinguish voxels; not against malice. XXH3, 64 bit: github.com/Cyan4973/xxHash.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/private_export.hpp"

namespace convoy::inline v0 {

/// Of bytes that come piece by piece; the same however they are cut.
class CONVOY_PRIVATE Checksum {
 public:
  Checksum();
  ~Checksum();
  Checksum(const Checksum&) = delete;
  Checksum& operator=(const Checksum&) = delete;

  void add(const std::byte* bytes, std::uint64_t count);
  std::uint64_t value() const;

 private:
  void* state_;  // of a type whose name the header of XXH3 changes
};

/// Seeds distinguish what is added up.
CONVOY_PRIVATE std::uint64_t checksum_of(const std::byte* bytes, std::uint64_t count, std::uint64_t seed);

}  // namespace convoy::inline v0
