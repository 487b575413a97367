// Calls of functions in a library that was opened by name, whose result 0 means success.
#pragma once

#include <stdexcept>
#include <string>

#include "base/shared_library.hpp"

template <class... Arguments>
void call(const convoy::SharedLibrary& library, const char* function, Arguments... arguments) {
  const auto entry = reinterpret_cast<int (*)(Arguments...)>(library.symbol(function));
  if (entry == nullptr) throw std::runtime_error(library.name() + " lacks " + function);
  if (const int result = entry(arguments...); result != 0) {
    throw std::runtime_error(std::string(function) + " returned " + std::to_string(result));
  }
}
