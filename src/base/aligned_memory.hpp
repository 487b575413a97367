// Memory that begins at a multiple of a power of two.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <limits>
#if defined(_WIN32)
#include <malloc.h>
#endif

namespace convoy::inline v0 {

/// Null where there is no memory. To be freed by free_aligned.
inline void* allocate_aligned(std::size_t alignment, std::size_t bytes) {
#if defined(_WIN32)
  return ::_aligned_malloc(bytes, alignment);
#else
  if (bytes > std::numeric_limits<std::size_t>::max() - alignment) return nullptr;
  return std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
#endif
}

inline void free_aligned(void* memory) {
#if defined(_WIN32)
  ::_aligned_free(memory);
#else
  std::free(memory);
#endif
}

}  // namespace convoy::inline v0
