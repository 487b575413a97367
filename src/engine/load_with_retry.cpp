#include "engine/load_with_retry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/settings.hpp"

namespace convoy::inline v0 {
namespace {

/// Each attempt asks for four fifths of the one before: six of them reach a quarter of what the device promised.
constexpr int kMaxAttempts = 6;
constexpr double kShrink = 0.8;

}  // namespace

Replan LoadAttempts::next(std::uint64_t footprint_bytes, const OutOfMemory& problem) {
  if (deterministic_) throw;
  smallest_bytes_ = std::min(smallest_bytes_, footprint_bytes);
  refusal_ = problem.what();
  log("plan", "{}: attempt {}: {}; planning again for less", device_, ++num_failed_, refusal_);
  if (num_failed_ == kMaxAttempts) {
    throw OutOfMemory(
        fmt::format("{} has no room: {} attempts failed, the smallest for {} ({}); free some of its memory or use "
                    "another device",
                    device_, num_failed_, bytes_to_text(smallest_bytes_), refusal_),
        smallest_bytes_, problem.limit_bytes(), problem.limit_name());
  }
  return {static_cast<std::uint64_t>(kShrink * static_cast<double>(footprint_bytes)), refusal_};
}

void LoadAttempts::throw_no_smaller_plan(const OutOfMemory& problem) const {
  throw OutOfMemory(fmt::format("{}; the device {} refused {} before ({}), although it had reported enough",
                                problem.what(), device_, bytes_to_text(smallest_bytes_), refusal_),
                    problem.requested_bytes(), problem.limit_bytes(), problem.limit_name());
}

SessionHandle load_session(Device& device, const Program& program, const backend::LoadOptions& load_options,
                           std::uint64_t footprint_bytes, bool deterministic) {
  if (log_wanted("dispatch")) log("dispatch", "{}:\n{}", device.info().id, to_text(program));
  try {
    backend::Device& on = implementation_of(device);
    return {on.load(program, load_options).release(), {on.survives_fork()}};
  } catch (const OutOfMemory& problem) {
    if (!deterministic) throw;
    throw OutOfMemory(fmt::format("{} ({}); a deterministic plan is not made smaller for what happens to be free: free "
                                  "some memory, or set a memory limit below {}",
                                  problem.what(), device.info().id, bytes_to_text(footprint_bytes)),
                      problem.requested_bytes(), problem.limit_bytes(), problem.limit_name());
  }
}

bool sentinels_wanted(bool asked_for) {
  const char* variable = setting("CONVOY_SENTINELS");
  const std::string_view wanted = variable == nullptr ? "" : variable;
  return wanted == "1" || (asked_for && wanted != "0");
}

}  // namespace convoy::inline v0
