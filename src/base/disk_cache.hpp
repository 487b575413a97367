// What took long to find out, by key: in memory for this process, on disk for the next. Compiled plans and wisdom.
//
// The folder is CONVOY_CACHE_DIR, else (on Windows) %LOCALAPPDATA%\convoy, else $XDG_CACHE_HOME/convoy, else
// ~/.cache/convoy; "off" keeps nothing on disk. What it holds may be code that will be executed, so it must belong to
// this user and be closed to others (0700), or it is ignored with a log line. A file is written whole under a temporary
// name and renamed; it carries its full key and a checksum, and one that does not fit both is ignored, and replaced by
// what is found out anew.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "convoy/device.hpp"

namespace convoy::inline v0 {

class DiskCache {
 public:
  virtual ~DiskCache() = default;
  virtual std::optional<std::string> find(const std::string& key) = 0;
  /// Never throws for what goes wrong on disk: it is logged.
  virtual void store(const std::string& key, const std::string& value) = 0;
  /// Takes an entry out that turned out to be useless.
  virtual void forget(const std::string& key) = 0;
};

/// What a compiled plan or a measurement is good for and nothing else: this device with this driver and compiler.
std::string device_identity(const DeviceInfo& device);

/// Compiled plans and self-test verdicts of this process and those before it.
DiskCache& plan_cache();

/// What tuning found to be fastest.
DiskCache& wisdom();

/// Another plan cache on the same folder, with a memory of its own: what the next process will see.
std::unique_ptr<DiskCache> make_plan_cache();
/// The same of wisdom.
std::unique_ptr<DiskCache> make_wisdom();

}  // namespace convoy::inline v0
