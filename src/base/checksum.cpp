#include "base/checksum.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <new>

namespace convoy::inline v0 {
namespace {

XXH3_state_t* hash(void* state) { return static_cast<XXH3_state_t*>(state); }

}  // namespace

Checksum::Checksum() : state_(XXH3_createState()) {
  if (state_ == nullptr) throw std::bad_alloc();
  XXH3_64bits_reset(hash(state_));
}

Checksum::~Checksum() { XXH3_freeState(hash(state_)); }

void Checksum::add(const std::byte* bytes, std::uint64_t count) { XXH3_64bits_update(hash(state_), bytes, count); }

std::uint64_t Checksum::value() const { return XXH3_64bits_digest(hash(state_)); }

std::uint64_t checksum_of(const std::byte* bytes, std::uint64_t count, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes, count, seed);
}

}  // namespace convoy::inline v0
