// The fastest choice of a problem on a device, as text in the cache folder.
#pragma once

#include <optional>
#include <string>

#include "convoy/device.hpp"
#include "convoy/plan.hpp"

namespace convoy {

/// Everything that a choice rests on: device, driver, library, convoy's version, sizes and budget.
std::string wisdom_key(const ConvolutionSpec& spec, const DeviceInfo& device, const PlanOptions& options);

std::string to_text(const PlanChoice& choice);

/// Nothing if the text is no choice, whatever it is instead.
std::optional<PlanChoice> choice_from_text(const std::string& text);

}  // namespace convoy
