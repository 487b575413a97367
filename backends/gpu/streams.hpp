// The queues of a session: computing in one, and where slots allow it uploads and downloads in their own, so that the
// copies of one tile, or of one piece of it, run while another is computed.
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
  /// `num_uploads`, `num_downloads`: of a run, each of which can be waited for by itself. Without `overlaps` all lanes
  /// are one.
  Streams(int num_in_flight, bool overlaps, std::size_t num_uploads, std::size_t num_downloads, std::string device_id)
      : device_id_(std::move(device_id)), overlaps_(overlaps), sets_(static_cast<std::size_t>(num_in_flight)) {
    for (Set& set : sets_) {
      set.downloaded.resize(num_downloads);
      if (overlaps) set.uploaded.resize(num_uploads);
    }
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

  typename Api::Stream compute() const { return streams_[static_cast<std::size_t>(Lane::compute)]; }

  /// Queues what follows in `lane`: downloads behind all computing that the set has queued before, computing behind the
  /// uploads that it awaits. Uploads fill what no step before them in the run touches, and no step touches what was
  /// downloaded before it, so that neither waits, nor is waited for, beyond that.
  typename Api::Stream enter(int set, Lane lane) {
    Set& state = sets_[static_cast<std::size_t>(set)];
    if (!overlaps_) lane = Lane::compute;
    if (lane == Lane::download && state.lane != lane) order(state, Lane::compute, Lane::download);
    state.lane = lane;
    state.downloads = state.downloads || lane == Lane::download;
    return streams_[static_cast<std::size_t>(lane)];
  }
  /// The set's run has queued upload number `number`.
  void uploaded(int set, std::size_t number) {
    if (!overlaps_) return;
    const Set& state = sets_[static_cast<std::size_t>(set)];
    check<Api>(Api::record(state.uploaded.at(number), streams_[static_cast<std::size_t>(Lane::upload)]),
               "recording an event", device_id_);
  }
  void await_upload(int set, std::size_t number) {
    if (!overlaps_) return;
    const Set& state = sets_[static_cast<std::size_t>(set)];
    check<Api>(Api::make_wait(compute(), state.uploaded.at(number)), "ordering two streams", device_id_);
  }
  void begin(int set) {
    sets_[static_cast<std::size_t>(set)].lane.reset();
    sets_[static_cast<std::size_t>(set)].downloads = false;
  }
  void end(int set) {
    Set& state = sets_[static_cast<std::size_t>(set)];
    if (state.downloads && state.lane != Lane::download) order(state, Lane::download, *state.lane);
    const auto lane = static_cast<std::size_t>(state.lane.value_or(Lane::compute));
    check<Api>(Api::record(state.done, streams_[lane]), "recording an event", device_id_);
    state.submitted = true;
  }
  /// The set's run has queued download number `number`.
  void downloaded(int set, std::size_t number) {
    const Set& state = sets_[static_cast<std::size_t>(set)];
    const auto lane = static_cast<std::size_t>(state.lane.value_or(Lane::compute));
    check<Api>(Api::record(state.downloaded.at(number), streams_[lane]), "recording an event", device_id_);
  }
  void wait_for_download(int set, std::size_t number) {
    const Set& state = sets_[static_cast<std::size_t>(set)];
    check<Api>(Api::synchronize_event(state.downloaded.at(number)), "waiting for a transfer", device_id_);
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
    std::vector<typename Api::Event> uploaded;
    std::vector<typename Api::Event> downloaded;
    std::optional<Lane> lane;  // where the set's last step was queued
    bool downloads = false;    // something was queued there since begin(set)
    bool submitted = false;
  };

  /// What `after` is given from here on waits for what `before` holds.
  void order(Set& state, Lane before, Lane after) {
    auto& event = state.left[static_cast<std::size_t>(before)];
    check<Api>(Api::record(event, streams_[static_cast<std::size_t>(before)]), "recording an event", device_id_);
    check<Api>(Api::make_wait(streams_[static_cast<std::size_t>(after)], event), "ordering two streams", device_id_);
  }

  void create() {
    for (std::size_t lane = 0; lane < streams_.size(); ++lane) {
      if (!overlaps_ && lane != static_cast<std::size_t>(Lane::compute)) continue;
      check<Api>(Api::create_stream(&streams_[lane]), "creating a stream", device_id_);
    }
    for (Set& set : sets_) {
      check<Api>(Api::create_event(&set.done), "creating an event", device_id_);
      for (auto& event : set.downloaded) check<Api>(Api::create_event(&event), "creating an event", device_id_);
      if (!overlaps_) continue;
      for (auto& event : set.uploaded) check<Api>(Api::create_event(&event), "creating an event", device_id_);
      for (auto& event : set.left) check<Api>(Api::create_event(&event), "creating an event", device_id_);
    }
  }
  void destroy() noexcept {
    drain();
    if (followed_ != typename Api::Event{}) Api::destroy_event(followed_);
    for (Set& set : sets_) {
      std::vector<typename Api::Event> events(set.left.begin(), set.left.end());
      for (const auto& more : {set.uploaded, set.downloaded}) events.insert(events.end(), more.begin(), more.end());
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
  bool overlaps_;
  std::array<typename Api::Stream, 3> streams_{};
  std::vector<Set> sets_;
  typename Api::Event followed_{};
};

}  // namespace convoy::backend::gpu
