#include "base/library_reports.hpp"

#include <algorithm>
#include <mutex>

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

}  // namespace convoy::inline v0
