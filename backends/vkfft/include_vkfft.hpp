// VkFFT, inside the namespace of the backend that includes this (see prelude.hpp). VKFFT_BACKEND says which API;
// CONVOY_VKFFT_REPAIRABLE is 1 when the headers found are the very release that repairs.hpp fits.

/// What VkFFT prints lands here instead of on the user's terminal.
static inline std::string& vkfft_output() { return of_thread<std::string, struct VkfftOutput>(); }

static inline int capture_printf(const char* format, ...) {
  constexpr std::size_t kMostCharacters = 1 << 20;
  va_list arguments;
  va_start(arguments, format);
  va_list again;
  va_copy(again, arguments);
  const int length = ::vsnprintf(nullptr, 0, format, arguments);
  va_end(arguments);
  if (length > 0 && vkfft_output().size() < kMostCharacters) {
    std::string text(static_cast<std::size_t>(length), '\0');
    ::vsnprintf(text.data(), text.size() + 1, format, again);
    vkfft_output() += text;
  }
  va_end(again);
  return length;
}

/// A pointer, not a function: else the C library's printf would be found too wherever an argument's type is global.
static int (*const printf)(const char*, ...) = &capture_printf;

/// Host memory of one application. VkFFT's shader printer forgets some 30 KB of it a plan.
class HostAllocations {
 public:
  HostAllocations() = default;
  HostAllocations(const HostAllocations&) = delete;
  HostAllocations& operator=(const HostAllocations&) = delete;
  ~HostAllocations() {
    for (void* block : blocks_) ::free(block);
  }

  void* keep(void* block) {
    if (block != nullptr) blocks_.insert(block);
    return block;
  }
  void forget(void* block) { blocks_.erase(block); }

 private:
  std::unordered_set<void*> blocks_;
};

/// Whose allocations VkFFT's are in this thread.
static thread_local HostAllocations* host_allocations = nullptr;

class KeepHostAllocations {
 public:
  explicit KeepHostAllocations(HostAllocations& owner) : previous_(std::exchange(host_allocations, &owner)) {}
  ~KeepHostAllocations() { host_allocations = previous_; }
  KeepHostAllocations(const KeepHostAllocations&) = delete;
  KeepHostAllocations& operator=(const KeepHostAllocations&) = delete;

 private:
  HostAllocations* previous_;
};

static void* kept_malloc(std::size_t bytes) {
  void* const block = ::malloc(bytes);
  return host_allocations != nullptr ? host_allocations->keep(block) : block;
}
static void* kept_calloc(std::size_t count, std::size_t bytes) {
  void* const block = ::calloc(count, bytes);
  return host_allocations != nullptr ? host_allocations->keep(block) : block;
}
static void forgotten_free(void* block) {
  if (host_allocations != nullptr) host_allocations->forget(block);
  ::free(block);
}

// Pointers, like printf, and under the names that VkFFT calls.
static void* (*const malloc)(std::size_t) = &kept_malloc;
static void* (*const calloc)(std::size_t, std::size_t) = &kept_calloc;
static void (*const free)(void*) = &forgotten_free;

#include "backends/vkfft/kernel_texts.hpp"

#if CONVOY_VKFFT_REPAIRABLE
#include "backends/vkfft/repairs.hpp"
#else
#include "vkFFT.h"
#endif

#undef glslang_shader_create
#undef glslang_program_SPIRV_generate
#undef nvrtcCreateProgram
#undef nvrtcCompileProgram
#undef hiprtcCreateProgram
#undef hiprtcCompileProgram
