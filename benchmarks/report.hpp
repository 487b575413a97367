// Results for people (a line each) and for scripts (JSON; README.md lists the keys).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "options.hpp"
#include "result.hpp"

namespace convoy::bench {

std::string table_header();
/// One line, or two where there is a failure to report.
std::string table_line(const Result& result);

/// Versions, command, date, machine, and an empty array "results".
nlohmann::ordered_json document_head(const Options& options);

/// [z, y, x].
nlohmann::ordered_json zyx(const Shape& shape);

std::string to_json(const std::vector<Result>& results, const Options& options);

/// Writes the text under a temporary name, then renames it. Throws Error(io).
void write_file(const std::string& path, const std::string& text);

}  // namespace convoy::bench
