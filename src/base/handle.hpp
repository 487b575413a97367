// A file descriptor that is closed with the object.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace convoy {

class Handle {
 public:
  Handle() = default;
  explicit Handle(int descriptor) : descriptor_(descriptor) {}
  ~Handle() { close(); }
  Handle(Handle&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }

  explicit operator bool() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }
  /// The error of close(), as errno has it; 0 if there is none. Some file systems report a full disk only here.
  int close() {
    const int closed = std::exchange(descriptor_, -1);
    return closed >= 0 && ::close(closed) != 0 ? errno : 0;
  }

 private:
  int descriptor_ = -1;
};

}  // namespace convoy
