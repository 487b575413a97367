// Memory aligned for vector instructions.
#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <new>

#include "base/aligned_memory.hpp"

namespace convoy::backend::cpu {

/// Uninitialised bytes, aligned to 64. Throws std::bad_alloc.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t bytes) : data_(allocate(bytes)) {}

  std::byte* data() const { return data_.get(); }
  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(data_.get());
  }

 private:
  struct Free {
    void operator()(std::byte* memory) const { free_aligned(memory); }
  };
  static std::byte* allocate(std::size_t bytes) {
    constexpr std::size_t kAlignment = 64;
    if (bytes == std::numeric_limits<std::size_t>::max()) throw std::bad_alloc();
    void* memory = allocate_aligned(kAlignment, bytes + 1);
    if (memory == nullptr) throw std::bad_alloc();
    return static_cast<std::byte*>(memory);
  }

  std::unique_ptr<std::byte, Free> data_;
};

}  // namespace convoy::backend::cpu
