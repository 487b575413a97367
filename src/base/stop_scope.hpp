// How a long call is stopped from outside: what the caller may ask, and where the work looks.
#pragma once

#include <stop_token>

namespace convoy::inline v0 {

/// While it lives, work that the calling thread does, and hands to worker threads, ends with Error(cancelled) soon
/// after the token is asked to stop. Scopes nest: the inner one also heeds the outer's token.
class StopScope {
 public:
  explicit StopScope(std::stop_token token);
  ~StopScope();
  StopScope(const StopScope&) = delete;
  StopScope& operator=(const StopScope&) = delete;

  /// Of the calling thread, to be handed to threads that work for it (UnderStopScope); nullptr where there is none.
  static const StopScope* current();
  bool stop_requested() const;

 private:
  std::stop_token token_;
  const StopScope* before_;
};

/// Makes the scope of another thread this thread's, while that one waits.
class UnderStopScope {
 public:
  explicit UnderStopScope(const StopScope* scope);
  ~UnderStopScope();
  UnderStopScope(const UnderStopScope&) = delete;
  UnderStopScope& operator=(const UnderStopScope&) = delete;

 private:
  const StopScope* before_;
};

/// Whether the calling thread's work is to end.
bool stop_requested();
/// Throws Error(cancelled) if it is.
void throw_if_stopped();

}  // namespace convoy::inline v0
