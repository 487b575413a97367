// Copies of rows that are not read again soon.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace convoy::inline v0 {

/// Below this many bytes together, rows are better left in the caches.
inline constexpr std::size_t kStreamBytes = std::size_t{8} << 20;

/// memcpy that, where the processor can, writes past the caches: lines of the target are then not read first, which
/// saves a third of the traffic.
inline void stream_copy(void* to, const void* from, std::size_t bytes) {
#if defined(__SSE2__)
  constexpr std::size_t kVector = sizeof(__m128i);
  auto* target = static_cast<std::byte*>(to);
  const auto* source = static_cast<const std::byte*>(from);
  const std::size_t head = std::min(bytes, (kVector - reinterpret_cast<std::uintptr_t>(target) % kVector) % kVector);
  std::memcpy(target, source, head);
  std::size_t at = head;
  for (; at + 4 * kVector <= bytes; at += 4 * kVector) {
    for (std::size_t part = 0; part < 4; ++part) {
      const std::size_t here = at + part * kVector;
      const __m128i value = _mm_loadu_si128(reinterpret_cast<const __m128i*>(source + here));
      _mm_stream_si128(reinterpret_cast<__m128i*>(target + here), value);
    }
  }
  std::memcpy(target + at, source + at, bytes - at);
#else
  std::memcpy(to, from, bytes);
#endif
}

/// To be called after the last stream_copy() of a thread, before another thread reads what it wrote.
inline void end_stream() {
#if defined(__SSE2__)
  _mm_sfence();
#endif
}

}  // namespace convoy::inline v0
