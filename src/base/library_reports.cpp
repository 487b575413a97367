#include "base/library_reports.hpp"

#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>

namespace convoy::inline v0 {
namespace {

struct Reports {
  std::mutex mutex;
  std::vector<LibraryReport> list;

  LibraryReport& of(const std::string& library) {
    const auto found =
        std::find_if(list.begin(), list.end(), [&](const LibraryReport& report) { return report.library == library; });
    return found != list.end() ? *found : list.emplace_back(LibraryReport{.library = library});
  }
};

Reports& reports() {
  static auto& lasting = *new Reports;  // outlives all that happens at exit
  return lasting;
}

}  // namespace

void begin_report(const std::string& library, const char* variable) {
  const std::lock_guard lock(reports().mutex);
  reports().of(library) = {.library = library, .variable = variable == nullptr ? "" : variable};
}

void add_to_report(const std::string& library, const LibraryAttempt& attempt) {
  const std::lock_guard lock(reports().mutex);
  LibraryReport& report = reports().of(library);
  report.attempts.push_back(attempt);
  if (attempt.problem.empty()) report.found = attempt.place;
}

void report_used(const std::string& library, const std::string& name) {
  const std::lock_guard lock(reports().mutex);
  reports().of(library).found = name;
}

std::vector<LibraryReport> list_libraries() {
  const std::lock_guard lock(reports().mutex);
  return reports().list;
}

std::string to_json(const std::vector<LibraryReport>& libraries) {
  using Json = nlohmann::ordered_json;
  Json list = Json::array();
  for (const LibraryReport& library : libraries) {
    Json attempts = Json::array();
    for (const LibraryAttempt& attempt : library.attempts) {
      attempts.push_back({{"place", attempt.place}, {"problem", attempt.problem}});
    }
    list.push_back({{"library", library.library},
                    {"variable", library.variable},
                    {"found", library.found},
                    {"attempts", attempts}});
  }
  return list.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace convoy::inline v0
