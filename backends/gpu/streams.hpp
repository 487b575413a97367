// The queues of a session: computing in one, and with several sets of ports uploads and downloads in their own, so that
// the copies of one tile run while another is computed.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "backends/gpu/check.hpp"

namespace convoy::backend::gpu {

enum class Lane { upload, compute, download };

/// The device must be current in the calling thread for every call.
template <class Api>
class Streams {
 public:
  /// `num_marks`: how many points of a set's work can be waited for before its end.
  Streams(int num_sets, int num_marks, std::string device_id)
      : device_id_(std::move(device_id)), sets_(static_cast<std::size_t>(num_sets)) {
    for (Set& set : sets_) set.marks.resize(static_cast<std::size_t>(num_marks));
    try {
      create();
    } catch (...) {
      destroy();
      throw;
    }
  }
  ~Streams() { destroy(); }
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;

  bool overlaps() const { return sets_.size() > 1; }
  typename Api::Stream compute() const { return streams_[static_cast<std::size_t>(Lane::compute)]; }

  /// Queues what follows in `lane`, behind all that the set has queued since begin(set).
  typename Api::Stream enter(int set, Lane lane) {
    Set& state = sets_[static_cast<std::size_t>(set)];
    if (!overlaps()) lane = Lane::compute;
    const auto stream = streams_[static_cast<std::size_t>(lane)];
    if (state.lane && *state.lane != lane) {
      const auto left = static_cast<std::size_t>(*state.lane);
      check<Api>(Api::record(state.left[left], streams_[left]), "recording an event", device_id_);
      check<Api>(Api::make_wait(stream, state.left[left]), "ordering two streams", device_id_);
    }
    state.lane = lane;
    return stream;
  }
  void begin(int set) { sets_[static_cast<std::size_t>(set)].lane.reset(); }
  void end(int set) {
    Set& state = sets_[static_cast<std::size_t>(set)];
    const auto lane = static_cast<std::size_t>(state.lane.value_or(Lane::compute));
    check<Api>(Api::record(state.done, streams_[lane]), "recording an event", device_id_);
    state.submitted = true;
  }
  /// Point number `number` of the set's work: all that it has queued so far.
  void mark(int set, int number) {
    const Set& state = sets_[static_cast<std::size_t>(set)];
    const auto lane = static_cast<std::size_t>(state.lane.value_or(Lane::compute));
    check<Api>(Api::record(state.marks.at(static_cast<std::size_t>(number)), streams_[lane]), "recording an event",
               device_id_);
  }
  void wait_for_mark(int set, int number) {
    const Set& state = sets_[static_cast<std::size_t>(set)];
    check<Api>(Api::synchronize_event(state.marks.at(static_cast<std::size_t>(number))), "waiting for a transfer",
               device_id_);
  }
  void wait(int set) {
    const Set& state = sets_[static_cast<std::size_t>(set)];
    if (state.submitted) check<Api>(Api::synchronize_event(state.done), "waiting for a submitted section", device_id_);
  }
  /// What is queued from here on waits for all that the caller's stream holds now.
  void follow(typename Api::Stream callers) {
    if (followed_ == typename Api::Event{}) check<Api>(Api::create_event(&followed_), "creating an event", device_id_);
    check<Api>(Api::record(followed_, callers), "recording an event in the caller's stream", device_id_);
    check<Api>(Api::make_wait(compute(), followed_), "waiting for the caller's stream", device_id_);
  }
  /// What the caller's stream is given from here on waits for what the set submitted last.
  void precede(int set, typename Api::Stream callers) const {
    check<Api>(Api::make_wait(callers, sets_[static_cast<std::size_t>(set)].done), "making the caller's stream wait",
               device_id_);
  }
  /// Waits for everything, whatever the outcome.
  void drain() noexcept {
    for (const auto stream : streams_) {
      if (stream != typename Api::Stream{}) static_cast<void>(Api::synchronize_stream(stream));
    }
  }

 private:
  struct Set {
    typename Api::Event done{};
    std::array<typename Api::Event, 3> left{};
    std::vector<typename Api::Event> marks;
    std::optional<Lane> lane;  // where the set's last step was queued
    bool submitted = false;
  };

  void create() {
    for (std::size_t lane = 0; lane < streams_.size(); ++lane) {
      if (!overlaps() && lane != static_cast<std::size_t>(Lane::compute)) continue;
      check<Api>(Api::create_stream(&streams_[lane]), "creating a stream", device_id_);
    }
    for (Set& set : sets_) {
      check<Api>(Api::create_event(&set.done), "creating an event", device_id_);
      for (auto& event : set.marks) check<Api>(Api::create_event(&event), "creating an event", device_id_);
      if (!overlaps()) continue;
      for (auto& event : set.left) check<Api>(Api::create_event(&event), "creating an event", device_id_);
    }
  }
  void destroy() noexcept {
    drain();
    if (followed_ != typename Api::Event{}) Api::destroy_event(followed_);
    for (Set& set : sets_) {
      std::vector<typename Api::Event> events(set.left.begin(), set.left.end());
      events.insert(events.end(), set.marks.begin(), set.marks.end());
      events.push_back(set.done);
      for (auto event : events) {
        if (event != typename Api::Event{}) Api::destroy_event(event);
      }
    }
    for (auto stream : streams_) {
      if (stream != typename Api::Stream{}) Api::destroy_stream(stream);
    }
  }

  std::string device_id_;
  std::array<typename Api::Stream, 3> streams_{};
  std::vector<Set> sets_;
  typename Api::Event followed_{};
};

}  // namespace convoy::backend::gpu
