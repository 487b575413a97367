// What one of several devices did in a run.
#pragma once

#include <string>

#include "convoy/shape.hpp"

namespace convoy::inline v0 {

/// A device's part in a run.
struct DeviceShare {
  std::string id;
  Index num_tiles = 0;  ///< that it did in this run
  std::string failure;  ///< why it takes no part any more, in this or an earlier run; empty while it does
};

}  // namespace convoy::inline v0
