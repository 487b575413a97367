// A device that works until it does not, through the seam.
#pragma once

#include <atomic>
#include <chrono>
#include <thread>

#include "backends/backend.hpp"

namespace convoy::test {

/// What goes wrong, and when. Counts are of all sessions of the device together.
struct Fault {
  int good_submits = -1;  ///< of the run section; after so many, submit throws; -1: never
  int good_waits = -1;
  int good_uploads = -1;
  bool out_of_memory_at_load = false;
  Errc code = Errc::device_lost;
  std::chrono::milliseconds slowness{0};  ///< of every submit
};

class FaultySession final : public backend::Session {
 public:
  FaultySession(std::unique_ptr<backend::Session> inner, const Fault& fault, std::atomic<int>& submits,
                std::atomic<int>& waits)
      : inner_(std::move(inner)), fault_(fault), submits_(submits), waits_(waits) {}

  std::byte* port(PortId port, int set) override { return inner_->port(port, set); }
  void submit(Section section, int set, int times) override {
    if (section == Section::run) {
      std::this_thread::sleep_for(fault_.slowness);
      const int submits = submits_++;
      if (fault_.good_submits >= 0 && submits >= fault_.good_submits) fail("submit");
    }
    inner_->submit(section, set, times);
  }
  void run_on(std::uint64_t queue, const std::vector<backend::ExternalMemory>& memory) override {
    inner_->run_on(queue, memory);
  }
  void wait(int set) override {
    inner_->wait(set);
    if (fault_.good_waits >= 0 && submits_ > 0 && waits_++ >= fault_.good_waits) fail("wait");
  }
  void upload_piece(int set, int piece, const backend::HostBox* lent) override {
    if (fault_.good_uploads >= 0 && uploads_++ >= fault_.good_uploads) fail("upload");
    inner_->upload_piece(set, piece, lent);
  }
  void lend_output(int set, int piece, const backend::HostBox& box) override { inner_->lend_output(set, piece, box); }
  void wait_piece(int set, int piece) override { inner_->wait_piece(set, piece); }
  void end_setup() override { inner_->end_setup(); }
  void check_sentinels() override { inner_->check_sentinels(); }

 private:
  [[noreturn]] void fail(const char* where) const {
    throw Error(fault_.code, std::string("the device fell off the bus in ") + where);
  }

  std::unique_ptr<backend::Session> inner_;
  const Fault& fault_;
  std::atomic<int>& submits_;
  std::atomic<int>& waits_;
  int uploads_ = 0;
};

class FaultyDevice final : public backend::Device {
 public:
  FaultyDevice(const convoy::Device& inner, const Fault& fault, const std::string& id)
      : inner_(inner), fault_(fault), info_(inner.info()) {
    info_.id = id;
  }

  const DeviceInfo& info() const override { return info_; }
  Limits limits() const override { return inner_.implementation().limits(); }
  std::uint64_t used_bytes() const override { return inner_.used_bytes(); }
  std::uint64_t peak_bytes() const override { return inner_.implementation().peak_bytes(); }
  void reset_peak() override { inner_.implementation().reset_peak(); }
  std::unique_ptr<backend::Session> load(const Program& program, const backend::LoadOptions& options) override {
    if (fault_.out_of_memory_at_load) throw OutOfMemory("the device is full", 1, 0, "free device memory");
    return std::make_unique<FaultySession>(inner_.implementation().load(program, options), fault_, submits_, waits_);
  }

 private:
  convoy::Device inner_;
  Fault fault_;
  DeviceInfo info_;
  std::atomic<int> submits_{0};
  std::atomic<int> waits_{0};
};

inline convoy::Device faulty(const convoy::Device& inner, const Fault& fault, const std::string& id) {
  return convoy::Device(std::make_shared<FaultyDevice>(inner, fault, id));
}

}  // namespace convoy::test
