// VkFFT, inside the namespace of the backend that includes this (see prelude.hpp). VKFFT_BACKEND tells which API;
// CONVOY_VKFFT_REPAIRABLE is 1 when the headers found are the very release that repairs.hpp fits.

/// What VkFFT prints lands here instead of on the user's terminal.
static thread_local std::string vkfft_output;

__attribute__((format(printf, 1, 2))) static inline int capture_printf(const char* format, ...) {
  constexpr std::size_t kMostCharacters = 1 << 20;
  va_list arguments;
  va_start(arguments, format);
  char* text = nullptr;
  const int length = vasprintf(&text, format, arguments);
  va_end(arguments);
  if (length < 0) return length;
  if (vkfft_output.size() < kMostCharacters) vkfft_output.append(text, static_cast<std::size_t>(length));
  free(text);
  return length;
}

/// A pointer, not a function: else the C library's printf would be found too wherever an argument's type is global.
static int (*const printf)(const char*, ...) = &capture_printf;

#if CONVOY_VKFFT_REPAIRABLE
#include "backends/vkfft/repairs.hpp"
#else
#include "vkFFT.h"
#endif
