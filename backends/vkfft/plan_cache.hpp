// Compiled plans by key: in memory for this process, on disk for the next.
//
// The folder is CONVOY_CACHE_DIR, else $XDG_CACHE_HOME/convoy, else ~/.cache/convoy; "off" keeps nothing on disk. What
// it holds is code that will be executed, so it must belong to this user and be closed to others (0700), or it is
// ignored with a log line. A file is written whole under a temporary name and renamed; it carries its full key and a
// checksum, and one that does not fit both is ignored, and replaced by the plan compiled anew.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "convoy/device.hpp"

namespace convoy {

class PlanCache {
 public:
  virtual ~PlanCache() = default;
  virtual std::optional<std::string> find(const std::string& key) = 0;
  /// Never throws for what goes wrong on disk: it is logged.
  virtual void store(const std::string& key, const std::string& plan) = 0;
  /// Takes a plan out that turned out to be useless.
  virtual void forget(const std::string& key) = 0;
};

/// What a compiled plan is good for and nothing else: this device with this driver and compiler.
std::string plan_identity(const DeviceInfo& device);

/// The process' own.
PlanCache& plan_cache();

/// Another one on the same folder, with a memory of its own: what the next process will see.
std::unique_ptr<PlanCache> make_plan_cache();

}  // namespace convoy
