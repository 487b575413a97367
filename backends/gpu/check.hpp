// From a driver's result to an exception.
#pragma once

#include <fmt/format.h>

#include <string>

#include "convoy/error.hpp"

namespace convoy::backend::gpu {

/// Throws unless the call succeeded. DeviceMemory reports refused memory with its numbers.
template <class Api>
void check(typename Api::Result result, const char* what, const std::string& device_id) {
  if (Api::succeeded(result)) return;
  const std::string text = Api::error_text(result);
  if (Api::is_fatal(result)) {
    throw Error(Errc::device_lost, fmt::format("{}: {} failed with {}: the device's context is lost for this process; "
                                               "start the program again or use another device",
                                               device_id, what, text));
  }
  if (Api::is_out_of_memory(result)) {
    throw OutOfMemory(fmt::format("{}: {} failed with {}; set a lower memory limit", device_id, what, text), 0, 0,
                      "free device memory");
  }
  if (Api::is_unsupported(result)) {
    throw Error(Errc::unsupported, fmt::format("{}: {} is refused by the driver: {}", device_id, what, text));
  }
  throw Error(Errc::device_lost, fmt::format("{}: {} failed with {}", device_id, what, text));
}

}  // namespace convoy::backend::gpu
