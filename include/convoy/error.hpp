// What convoy throws. Every message says what, where, the numbers and the remedy.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "convoy/export.h"

namespace convoy::inline v0 {

enum class Errc {
  invalid_argument,     ///< the caller's values do not make sense; nothing was done
  out_of_memory,        ///< see OutOfMemory
  device_lost,          ///< the device stopped answering; its sessions are useless, other devices are not
  unsupported,          ///< sensible, but this device or build cannot do it
  backend_unavailable,  ///< no driver, no library or no device; the message says which
  compile_failed,       ///< a kernel text was refused by the device's compiler; the message holds its log
  io,                   ///< a file could not be read or written
  cancelled             ///< the progress callback asked to stop
};

/// The code's name as spelled above, for reports.
CONVOY_API const char* name(Errc code);

class CONVOY_API Error : public std::runtime_error {
 public:
  Error(Errc code, const std::string& message) : std::runtime_error(message), code_(code) {}
  Errc code() const noexcept { return code_; }

 private:
  Errc code_;
};

/// A plan, allocation or load that does not fit. All figures are bytes.
class CONVOY_API OutOfMemory : public Error {
 public:
  OutOfMemory(const std::string& message, std::uint64_t requested_bytes, std::uint64_t limit_bytes,
              std::string limit_name)
      : Error(Errc::out_of_memory, message),
        requested_bytes_(requested_bytes),
        limit_bytes_(limit_bytes),
        limit_name_(std::move(limit_name)) {}

  /// What was asked for; when planning, the smallest footprint that any tiling reaches.
  std::uint64_t requested_bytes() const noexcept { return requested_bytes_; }
  /// What there was.
  std::uint64_t limit_bytes() const noexcept { return limit_bytes_; }
  /// Which limit that is: "free device memory", "memory limit", "largest binding" ...
  const std::string& limit_name() const noexcept { return limit_name_; }

 private:
  std::uint64_t requested_bytes_;
  std::uint64_t limit_bytes_;
  std::string limit_name_;
};

}  // namespace convoy::inline v0
