#include "base/stop_scope.hpp"

#include <utility>

#include "convoy/error.hpp"

namespace convoy::inline v0 {
namespace {
thread_local const StopScope* scope_of_thread = nullptr;
}

StopScope::StopScope(std::stop_token token) : token_(std::move(token)), before_(scope_of_thread) {
  scope_of_thread = this;
}
StopScope::~StopScope() { scope_of_thread = before_; }
const StopScope* StopScope::current() { return scope_of_thread; }
bool StopScope::stop_requested() const {
  return token_.stop_requested() || (before_ != nullptr && before_->stop_requested());
}

UnderStopScope::UnderStopScope(const StopScope* scope) : before_(scope_of_thread) { scope_of_thread = scope; }
UnderStopScope::~UnderStopScope() { scope_of_thread = before_; }

bool stop_requested() { return scope_of_thread != nullptr && scope_of_thread->stop_requested(); }
void throw_if_stopped() {
  if (stop_requested()) throw Error(Errc::cancelled, "stopped because the caller asked for it");
}

}  // namespace convoy::inline v0
