// The library prints nothing; messages go to this sink, if there is one.
#pragma once

#include <functional>
#include <string_view>

#include "convoy/export.h"

namespace convoy::inline v0 {

/// Topics: "plan" (what was considered and not chosen, and why), "backend" (probing), "dispatch" (programs and steps),
/// "run" (devices that fail and work that moves).
using LogSink = std::function<void(std::string_view topic, std::string_view message)>;

/// Replaces the sink; an empty one ends logging. Not to be called while convoy runs in another thread.
/// The initial sink is empty, unless CONVOY_LOG names topics ("plan,dispatch" or "all"): then it writes to stderr.
CONVOY_API void set_log(LogSink sink);

}  // namespace convoy::inline v0
