#include "base/log.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <mutex>
#include <set>
#include <sstream>
#include <string>

#include "base/fork.hpp"
#include "base/messages.hpp"

namespace convoy::inline v0 {
namespace {

constexpr std::array<std::string_view, 5> kTopics{"plan", "backend", "dispatch", "run", "all"};

struct Log {
  std::mutex& mutex = process_mutex(ProcessLock::log);
  LogSink sink;
  bool from_environment = false;
  std::set<std::string, std::less<>> topics;

  Log() {
    const char* wanted = std::getenv("CONVOY_LOG");
    if (wanted == nullptr || *wanted == '\0') return;
    from_environment = true;
    sink = [](std::string_view topic, std::string_view message) {
      write_message(kStandardError, fmt::format("convoy {}: {}\n", topic, message));
    };
    choose(wanted);
  }

  /// Takes the topics of "plan,run"; a word that is none is reported through the sink itself.
  void choose(const std::string& wanted) {
    std::istringstream words(wanted);
    for (std::string word; std::getline(words, word, ',');) {
      const bool known = std::find(kTopics.begin(), kTopics.end(), word) != kTopics.end();
      if (known) {
        topics.insert(word);
      } else {
        sink("log", "CONVOY_LOG names '" + word + "', which is not a topic: plan, backend, dispatch, run or all");
      }
    }
  }
};

Log& the_log() {
  static Log log;
  return log;
}

}  // namespace

void set_log(LogSink sink) {
  Log& log = the_log();
  const std::lock_guard lock(log.mutex);
  log.from_environment = false;
  log.sink = std::move(sink);
}

bool log_wanted(std::string_view topic) {
  Log& log = the_log();
  const std::lock_guard lock(log.mutex);
  if (!log.sink) return false;
  return !log.from_environment || log.topics.contains("all") || log.topics.contains(topic);
}

void log_text(std::string_view topic, std::string_view message) {
  Log& log = the_log();
  const std::lock_guard lock(log.mutex);
  if (log.sink) log.sink(topic, message);
}

}  // namespace convoy::inline v0
