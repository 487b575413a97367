// A device that works until it does not, through the seam: round any backend's.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "backends/backend.hpp"

namespace convoy::test {

/// What goes wrong, and when. Counts are of all sessions of the device together; -1: never.
struct Fault {
  int good_submits = -1;  ///< of the run section; after so many, submit throws
  int good_waits = -1;    ///< of them, once the run section was submitted
  int good_uploads = -1;  ///< of upload_piece
  bool out_of_memory_at_load = false;
  Errc code = Errc::device_lost;
  std::chrono::milliseconds slowness{0};  ///< of every submit of the run section
  std::function<void()> on_submit;        ///< called within every submit of the run section
  /// Of all calls of every kind, and of the allocations within load. Where the next one takes memory, it alone throws
  /// OutOfMemory; elsewhere it throws `code`, and so does every call after it: a lost device stays lost.
  int good_calls = -1;
};

/// The calls that a device has seen, which decide together what fails.
class FaultyCalls {
 public:
  enum class Kind { memory, load, submit, wait, upload, other };

  explicit FaultyCalls(const Fault& fault) : fault_(fault) {}

  /// Throws if it is this call's turn to fail.
  void arrive(Kind kind, const std::string& step) {
    const std::lock_guard lock(mutex_);
    steps_.push_back(step);
    const bool takes_memory = kind == Kind::memory || kind == Kind::load;
    const int before = static_cast<int>(steps_.size()) - 1;
    if (kind == Kind::load && fault_.out_of_memory_at_load)
      throw OutOfMemory("the device is full", 1, 0, "device memory");
    if (takes_memory && before == fault_.good_calls) {
      throw OutOfMemory("the device is full at " + step, 1, 0, "free device memory");
    }
    is_lost_ = is_lost_ || before == fault_.good_calls;
    if (is_lost_) fail(step);
    if (kind == Kind::submit && passed(submits_++, fault_.good_submits)) fail(step);
    if (kind == Kind::wait && submits_ > 0 && passed(waits_++, fault_.good_waits)) fail(step);
    if (kind == Kind::upload && passed(uploads_++, fault_.good_uploads)) fail(step);
  }

  std::chrono::milliseconds slowness() const { return fault_.slowness; }
  void tell_of_submit() const {
    if (fault_.on_submit) fault_.on_submit();
  }
  std::vector<std::string> steps() const {
    const std::lock_guard lock(mutex_);
    return steps_;
  }

 private:
  static bool passed(int before, int good) { return good >= 0 && before >= good; }
  [[noreturn]] void fail(const std::string& step) const {
    throw Error(fault_.code, "the device fell off the bus in " + step);
  }

  mutable std::mutex mutex_;
  const Fault fault_;
  std::vector<std::string> steps_;
  int submits_ = 0;
  int waits_ = 0;
  int uploads_ = 0;
  bool is_lost_ = false;
};

class FaultySession final : public backend::Session {
 public:
  FaultySession(std::unique_ptr<backend::Session> inner, std::shared_ptr<FaultyCalls> calls)
      : inner_(std::move(inner)), calls_(std::move(calls)) {}

  std::byte* port(PortId port, int set) override { return inner_->port(port, set); }
  void submit(Section section, int set, int times) override {
    const bool is_run = section == Section::run;
    if (is_run) std::this_thread::sleep_for(calls_->slowness());
    if (is_run) calls_->tell_of_submit();
    calls_->arrive(is_run ? Kind::submit : Kind::other, std::string("submit of ") + name(section));
    inner_->submit(section, set, times);
  }
  void run_on(std::uint64_t queue, const std::vector<backend::ExternalMemory>& memory) override {
    calls_->arrive(Kind::submit, "run_on");
    inner_->run_on(queue, memory);
  }
  void wait(int set) override {
    inner_->wait(set);
    calls_->arrive(Kind::wait, "wait");
  }
  void upload_piece(int set, int piece, const backend::HostBox* lent) override {
    calls_->arrive(Kind::upload, "upload_piece");
    inner_->upload_piece(set, piece, lent);
  }
  void set_output_target(int set, int piece, const backend::HostBox& box) override {
    calls_->arrive(Kind::other, "set_output_target");
    inner_->set_output_target(set, piece, box);
  }
  void wait_piece(int set, int piece) override {
    inner_->wait_piece(set, piece);
    calls_->arrive(Kind::other, "wait_piece");
  }
  void end_setup() override {
    calls_->arrive(Kind::other, "end_setup");
    inner_->end_setup();
  }
  void check_sentinels() override {
    calls_->arrive(Kind::other, "check_sentinels");
    inner_->check_sentinels();
  }

 private:
  using Kind = FaultyCalls::Kind;

  std::unique_ptr<backend::Session> inner_;
  std::shared_ptr<FaultyCalls> calls_;
};

class FaultyDevice final : public backend::Device {
 public:
  FaultyDevice(const convoy::Device& inner, const Fault& fault, const std::string& id)
      : inner_(inner), calls_(std::make_shared<FaultyCalls>(fault)), info_(inner.info()) {
    info_.id = id;
  }

  const DeviceInfo& info() const override { return info_; }
  Limits limits() const override { return implementation_of(inner_).limits(); }
  bool handles_are_addresses() const override { return implementation_of(inner_).handles_are_addresses(); }
  std::uint64_t used_bytes() const override { return inner_.used_bytes(); }
  std::uint64_t peak_bytes() const override { return implementation_of(inner_).peak_bytes(); }
  void reset_peak() override { implementation_of(inner_).reset_peak(); }
  bool is_dma_accessible(const void* data, std::uint64_t bytes) const override {
    return implementation_of(inner_).is_dma_accessible(data, bytes);
  }
  std::shared_ptr<std::byte> allocate_host(std::uint64_t bytes) override {
    calls_->arrive(FaultyCalls::Kind::memory, "allocate_host");
    return implementation_of(inner_).allocate_host(bytes);
  }
  std::unique_ptr<backend::Session> load(const Program& program, const backend::LoadOptions& options) override {
    calls_->arrive(FaultyCalls::Kind::load, "load");
    backend::LoadOptions watched = options;
    const auto loading = std::make_shared<Loading>();
    watched.trace_memory = [options, loading, calls = calls_](const std::string& step, std::uint64_t used_bytes) {
      if (options.trace_memory) options.trace_memory(step, used_bytes);
      const bool grew = used_bytes > loading->used_bytes;
      loading->used_bytes = used_bytes;
      if (grew && loading->goes_on) calls->arrive(FaultyCalls::Kind::memory, step);
    };
    loading->used_bytes = used_bytes();
    auto session = implementation_of(inner_).load(program, watched);
    loading->goes_on = false;
    return std::make_unique<FaultySession>(std::move(session), calls_);
  }

  std::vector<std::string> steps() const { return calls_->steps(); }

 private:
  struct Loading {
    bool goes_on = true;
    std::uint64_t used_bytes = 0;
  };

  convoy::Device inner_;
  std::shared_ptr<FaultyCalls> calls_;
  DeviceInfo info_;
};

inline convoy::Device faulty(const convoy::Device& inner, const Fault& fault, const std::string& id) {
  return convoy::Device(std::make_shared<FaultyDevice>(inner, fault, id));
}

/// What was asked of it so far, call by call.
inline std::vector<std::string> steps_of(const convoy::Device& device) {
  return dynamic_cast<const FaultyDevice&>(implementation_of(device)).steps();
}

}  // namespace convoy::test
