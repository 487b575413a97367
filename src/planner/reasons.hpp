// Why a plan is as it is, in sentences.
#pragma once

#include <string>
#include <vector>

#include "convoy/plan.hpp"
#include "planner/search.hpp"

namespace convoy::inline v0 {

std::vector<std::string> reasons_of(const Plan& plan, const SearchResult& search, const PlanOptions& options,
                                    const Budget& budget);

}  // namespace convoy::inline v0
