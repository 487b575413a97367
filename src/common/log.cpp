#include "common/log.hpp"

#include <cstdlib>
#include <mutex>
#include <string>

#include "common/messages.hpp"

namespace convoy {
namespace {

struct Log {
  std::mutex mutex;
  LogSink sink;
  bool from_environment = false;
  std::string topics;

  Log() {
    const char* wanted = std::getenv("CONVOY_LOG");
    if (wanted == nullptr || *wanted == '\0') return;
    topics = std::string(",") + wanted + ",";
    from_environment = true;
    sink = [](std::string_view topic, std::string_view message) {
      write_message(STDERR_FILENO, fmt::format("convoy {}: {}\n", topic, message));
    };
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
  if (!log.from_environment || log.topics == ",all,") return true;
  return log.topics.find("," + std::string(topic) + ",") != std::string::npos;
}

void log_text(std::string_view topic, std::string_view message) {
  Log& log = the_log();
  const std::lock_guard lock(log.mutex);
  if (log.sink) log.sink(topic, message);
}

}  // namespace convoy
