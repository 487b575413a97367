// A ledger in the JSON of a plan, of convolutions and deconvolutions alike.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "convoy/plan.hpp"

namespace convoy::inline v0 {

inline nlohmann::ordered_json ledger_to_json(const std::vector<LedgerLine>& ledger) {
  auto json = nlohmann::ordered_json::array();
  for (const LedgerLine& line : ledger) {
    json.push_back({{"name", line.name}, {"bytes", line.bytes}, {"note", line.note}});
  }
  return json;
}

}  // namespace convoy::inline v0
