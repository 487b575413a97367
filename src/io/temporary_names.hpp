// Every file and folder that lies under a temporary name now, for a program that must end at once.
#pragma once

#include <mutex>
#include <set>
#include <string>

namespace convoy::io {

class TemporaryNames {
 public:
  void add(const std::string& path);
  void remove(const std::string& path);
  /// While the lock is held, nothing is abandoned: for giving a file its name.
  std::unique_lock<std::recursive_mutex> hold() { return std::unique_lock(mutex_); }
  /// Deletes all, and never lets go of the lock.
  void abandon();

 private:
  std::recursive_mutex mutex_;  // a file is taken from the list while it is given its name
  std::set<std::string> paths_;
};

TemporaryNames& temporary_names();

}  // namespace convoy::io
