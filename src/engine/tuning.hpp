// Tune::measure: the likeliest plans are run once on the device; the fastest is kept as wisdom, as text in the cache
// folder.
#pragma once

#include <optional>
#include <string>

#include "convoy/convolution.hpp"

namespace convoy::inline v0 {

/// The options with the choice that is the fastest of those measured, now or (kept as wisdom) before. Candidates
/// that the device refuses are left out; if it refuses all, the options come back unchanged. Blocks for up to some
/// seconds; the device holds nothing more at the end. Throws what make_plan() throws for the options as given.
PlanOptions tuned(const ConvolutionSpec& spec, Device& device, const Limits& limits, const PlanOptions& options);

/// Everything that a choice rests on: device, driver, library, convoy's version, sizes and budget.
std::string wisdom_key(const ConvolutionSpec& spec, const DeviceInfo& device, const PlanOptions& options);

std::string to_text(const PlanChoice& choice);

/// Nothing if the text is no choice, whatever it is instead.
std::optional<PlanChoice> choice_from_text(const std::string& text);

}  // namespace convoy::inline v0
