// The border between C++ and C: exceptions become a status and a text, structs are read and written as far as both
// sides know them.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <exception>
#include <string>

#include "convoy.h"
#include "convoy/error.hpp"

namespace convoy::c_api {

/// The status of the exception that is being handled, whose text becomes this thread's convoy_last_error().
int status_of_exception() noexcept;
void set_last_error(const char* text) noexcept;

/// Runs `body` and turns what it throws into a status.
template <class Body>
int guarded(const Body& body) noexcept {
  try {
    body();
    return CONVOY_OK;
  } catch (...) {
    return status_of_exception();
  }
}

[[noreturn]] inline void refuse(const std::string& message) { throw Error(Errc::invalid_argument, message); }

template <class T>
T& required(T* pointer, const char* what) {
  if (pointer == nullptr) refuse(fmt::format("{} is null", what));
  return *pointer;
}

inline std::size_t checked_size(std::size_t struct_size, const char* what) {
  if (struct_size < sizeof(std::size_t) || struct_size > 4096) {
    refuse(
        fmt::format("{}.struct_size is {}: set it to sizeof, or call the struct's _init function", what, struct_size));
  }
  return struct_size;
}

/// What the caller gave, over `defaults` for what its version of the struct does not have.
template <class T>
T read_struct(const T* given, const T& defaults, const char* what) {
  const std::size_t size = checked_size(required(given, what).struct_size, what);
  const auto* bytes = reinterpret_cast<const char*>(given);
  if (size > sizeof(T) && std::any_of(bytes + sizeof(T), bytes + size, [](char byte) { return byte != 0; })) {
    throw Error(Errc::unsupported,
                fmt::format("{} is of a newer convoy ({} bytes, {} here) and sets what this one, {}, does not know",
                            what, size, sizeof(T), convoy_version()));
  }
  T value = defaults;
  std::memcpy(&value, given, std::min(size, sizeof(T)));
  return value;
}

/// Writes as much as the caller's struct_size says; what this version does not know becomes 0.
template <class T>
void write_struct(T* target, std::size_t struct_size, T value, const char* what) {
  const std::size_t size = checked_size(struct_size, what);
  value.struct_size = size;
  std::memset(&required(target, what), 0, size);
  std::memcpy(target, &value, std::min(size, sizeof(T)));
}

/// A copy for the caller, which convoy_string_free frees.
char* new_text(const std::string& text);

}  // namespace convoy::c_api
