#include "watch.hpp"

#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <convoy/error.hpp>
#include <exception>
#include <optional>

namespace convoy::python {
namespace {

constexpr std::chrono::milliseconds kSignalPeriod{50};

/// With the GIL: what signal handlers raise becomes an exception.
void check_signals() {
  if (PyErr_CheckSignals() != 0) throw nb::python_error();
}

/// The caller's side of some work: its progress function, what that or a signal raised, and the wish to stop.
class Caller {
 public:
  explicit Caller(const nb::object& progress) : progress_(progress) {}

  /// With the GIL or without. False: stop.
  bool tell(const Standing& standing) {
    const nb::gil_scoped_acquire gil;
    return guarded([&] {
      check_signals();
      if (progress_.is_none()) return true;
      return progress_(standing.done, standing.total, standing.seconds, standing.fraction).ptr() != Py_False;
    });
  }
  void look_for_signals() {
    const nb::gil_scoped_acquire gil;
    guarded([] {
      check_signals();
      return true;
    });
  }
  std::stop_token stop() const { return stop_.get_token(); }
  /// With the GIL. Also after work that has succeeded: a signal must not be lost.
  void rethrow() {
    if (raised_) throw nb::python_error(std::move(*raised_));
  }

 private:
  template <class Call>
  bool guarded(const Call& call) {
    if (raised_) return false;
    try {
      return call();
    } catch (nb::python_error& error) {
      raised_.emplace(std::move(error));
      stop_.request_stop();
      return false;
    }
  }

  const nb::object& progress_;
  std::stop_source stop_;
  std::optional<nb::python_error> raised_;
};

/// Work on a thread of its own, whose progress the caller's thread tells.
class Helper {
 public:
  Helper(Caller& caller, const std::function<void(const Watch&)>& work) : caller_(caller), work_(work) {}

  void run() {
    std::thread thread([this] { do_work(); });
    std::unique_lock lock(mutex_);
    while (!finished_) {
      changed_.wait_for(lock, kSignalPeriod, [this] { return finished_ || question_.has_value(); });
      if (finished_) break;
      const std::optional<Standing> question = question_;
      lock.unlock();
      bool answer = true;
      if (question)
        answer = caller_.tell(*question);
      else
        caller_.look_for_signals();
      lock.lock();
      if (question) {
        question_.reset();
        answer_ = answer;
        changed_.notify_all();
      }
    }
    lock.unlock();
    thread.join();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void do_work() {
    try {
      work_({caller_.stop(), [this](const Standing& standing) { return ask(standing); }});
    } catch (...) {
      failure_ = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    finished_ = true;
    changed_.notify_all();
  }
  bool ask(const Standing& standing) {
    std::unique_lock lock(mutex_);
    question_ = standing;
    answer_.reset();
    changed_.notify_all();
    changed_.wait(lock, [this] { return answer_.has_value(); });
    return *answer_;
  }

  Caller& caller_;
  const std::function<void(const Watch&)>& work_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Standing> question_;
  std::optional<bool> answer_;
  bool finished_ = false;
  std::exception_ptr failure_;
};

void do_here(Caller& caller, const std::function<void(const Watch&)>& work) {
  work({caller.stop(), [&caller](const Standing& standing) { return caller.tell(standing); }});
}

}  // namespace

void Turns::begin() {
  if (holder_.load() == std::this_thread::get_id() && process_.load() == getpid()) {
    throw Error(Errc::invalid_argument,
                "a progress function calls the object whose progress it is told; make another object for that");
  }
  while (!mutex_.try_lock_for(kSignalPeriod)) {
    if (process_.load() != 0 && process_.load() != getpid()) {
      throw Error(Errc::unsupported,
                  "another thread was using this object when the process was forked, so that it stays in use for ever "
                  "here; make the object after fork(), or start processes by multiprocessing's 'spawn'");
    }
    const nb::gil_scoped_acquire gil;
    check_signals();
  }
  holder_ = std::this_thread::get_id();
  process_ = getpid();
}

void Turns::end() {
  holder_ = std::thread::id();
  process_ = 0;
  mutex_.unlock();
}

void watched(Turns* turns, const nb::object& progress, bool is_short, const std::function<void(const Watch&)>& work) {
  Caller caller(progress);
  std::exception_ptr failure;
  {
    const nb::gil_scoped_release release;
    bool has_turn = false;
    try {
      if (turns != nullptr) turns->begin();
      has_turn = turns != nullptr;
      if (is_short)
        do_here(caller, work);
      else
        Helper(caller, work).run();
    } catch (...) {
      failure = std::current_exception();
    }
    if (has_turn) turns->end();
  }
  caller.rethrow();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace convoy::python
