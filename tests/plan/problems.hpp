// What the planner is asked for.
#pragma once

#include "convoy/plan.hpp"

namespace convoy::test {

inline ConvolutionSpec spec_of(const Shape& image, const Shape& kernel, Mode mode = Mode::same) {
  ConvolutionSpec spec;
  spec.image = image;
  spec.kernel = kernel;
  spec.mode = mode;
  return spec;
}

inline PlanOptions with_limit(std::uint64_t bytes) {
  PlanOptions options;
  options.memory_limit_bytes = bytes;
  return options;
}

}  // namespace convoy::test
