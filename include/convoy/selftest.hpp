// Whether to trust a device: the contract that convoy's own tests hold every backend to, on small and odd shapes.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "convoy/device.hpp"
#include "convoy/export.h"
#include "convoy/plan.hpp"

namespace convoy::inline v0 {

struct SelftestCheck {
  enum class Verdict { passed, failed, skipped };
  std::string name;
  Verdict verdict = Verdict::failed;
  double error = 0;      ///< largest relative L2 difference from the direct double-precision sum; 0 where none is taken
  double tolerance = 0;  ///< what it may be
  double seconds = 0;
  std::string detail;  ///< why it failed or was skipped
};

struct CONVOY_API SelftestReport {
  DeviceInfo device;
  std::optional<Path> path;           ///< that all was computed on, if one was asked for
  Method method = Method::automatic;  ///< likewise
  std::vector<SelftestCheck> checks;
  /// True if at least one check passed and none failed.
  bool passed() const;
};

/// Runs every check on the device; about 200 MB of its memory at most, well under a minute on a GPU. A check that
/// throws has failed. `done` (optional) is called after each check. With `path` every problem is planned on it, and a
/// check of which that cannot do a problem is skipped; with `method` every problem is computed by it. Throws nothing
/// but what `done` throws.
CONVOY_API SelftestReport run_selftest(Device device, const std::function<void(const SelftestCheck&)>& done = {},
                                       std::optional<Path> path = {}, Method method = Method::automatic);

/// One JSON object: version, device, driver, limits, checks with errors and verdicts.
CONVOY_API std::string to_json(const SelftestReport& report);

}  // namespace convoy::inline v0
