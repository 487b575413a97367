// Which method computes a convolution: the one that is predicted to be the fastest.
#pragma once

#include <string>

#include "planner/search.hpp"

namespace convoy::inline v0 {

struct MethodChoice {
  SearchResult search;
  PlanOptions options;  ///< those that the search was given: with the path, where the method has only one
  std::string reason;   ///< why this method; empty where nothing else was thought of
};

/// Throws what search_tilings() throws, and Error(unsupported) for a method that is not possible.
MethodChoice choose_method(const ConvolutionSpec& spec, const Limits& limits, const PlanOptions& options,
                           const Budget& budget);

}  // namespace convoy::inline v0
