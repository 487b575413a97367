// THE SEAM. A program goes down, results and errors come up; nothing below asks a question back.
//
// To add a backend: make backends/NAME with a CMakeLists.txt and a function `Backend& NAME_backend()` (README.md here).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "convoy/device.hpp"
#include "convoy/error.hpp"
#include "program/program.hpp"

namespace convoy::backend {

struct LoadOptions {
  /// Called after every allocation and release: what, and the bytes the device then holds for convoy.
  std::function<void(const std::string& step, std::uint64_t used_bytes)> trace_memory;
  /// Fill slots with NaN and put guard bytes behind them; Session::check_sentinels reports a breach.
  bool sentinels = false;
};

/// A box of rows in the caller's memory that a transfer moves in place of the port's bytes.
struct HostBox {
  std::byte* data = nullptr;
  std::array<std::uint64_t, 3> extent{};            ///< bytes of a row, rows of a plane, planes
  std::array<std::uint64_t, 2> host_pitch_bytes{};  ///< from row to row, from plane to plane
  std::array<std::uint64_t, 2> slot_pitch_bytes{};
  std::uint64_t slot_offset = 0;
};

/// The caller's memory for one external slot.
struct ExternalMemory {
  SlotId slot = 0;
  std::uint64_t handle = 0;        ///< the address where Device::handles_are_addresses(), else what names the buffer
  std::uint64_t offset_bytes = 0;  ///< where the slot begins
};

/// A loaded program: memory, compiled code, streams. Its destructor gives everything back and never throws.
/// Sets are numbered 0 .. program.num_in_flight - 1. One thread at a time; where the device's threads are the host's
/// (Limits::num_host_threads), each set may be run by a thread of its own, which is alone then (WorkerPool::Alone).
class Session {
 public:
  virtual ~Session() = default;
  /// Host memory of a port, valid until the session ends (ports of setup: until end_setup, and one copy for all sets).
  virtual std::byte* port(PortId port, int set) = 0;
  /// Queues the section's steps, so many times over; each sees the writes of all before it, in this and earlier
  /// submits. Does not block longer than queueing takes. The set must not be in flight.
  virtual void submit(Section section, int set, int times = 1) = 0;
  /// Queues a run of set 0 with these external slots: after all that `queue` (the API's own stream or queue; 0: the
  /// default one) holds already, and before all that is put into it later.
  /// Throws Error(invalid_argument) for memory that the device cannot use at that offset.
  virtual void run_on(std::uint64_t queue, const std::vector<ExternalMemory>& memory) = 0;
  /// Blocks until what was last submitted for the set is done. Throws Error(device_lost) and the like.
  virtual void wait(int set) = 0;
  /// Transfers piece by piece, while the host fills or empties other pieces. A session may leave all of it to submit()
  /// and wait(), but must do what `lent` asks if its device is_dma_accessible() that memory.
  /// Queues the run section's Upload step number `piece` ahead of submit(), which then leaves it out. `lent`, if given,
  /// is what to upload; the rest of what the step would have uploaded becomes zero.
  virtual void upload_piece([[maybe_unused]] int set, [[maybe_unused]] int piece,
                            [[maybe_unused]] const HostBox* lent) {}
  /// In the set's next submit, Download step number `piece` writes this box.
  virtual void set_output_target([[maybe_unused]] int set, [[maybe_unused]] int piece,
                                 [[maybe_unused]] const HostBox& box) {}
  /// Blocks until Download step number `piece` of what was last submitted for the set is done.
  virtual void wait_piece(int set, [[maybe_unused]] int piece) { wait(set); }
  /// Gives back ports of setup. Call after waiting for it.
  virtual void end_setup() = 0;
  /// Throws Error(device_lost) naming a slot whose guard bytes changed. Does nothing unless loaded with sentinels.
  virtual void check_sentinels() = 0;
};

/// Device memory that a caller holds beside sessions.
class Memory {
 public:
  virtual ~Memory() = default;
  /// As DeviceArray::handle.
  virtual std::uint64_t handle() const = 0;
  /// Both block, behind what is queued on the API's default stream or the device's own queue.
  virtual void write(std::uint64_t offset, std::span<const std::byte> bytes) = 0;
  virtual void read(std::uint64_t offset, std::span<std::byte> bytes) const = 0;
};

/// For devices that compute in the host's memory. Throws OutOfMemory.
std::unique_ptr<Memory> host_memory(std::uint64_t bytes);

class Device {
 public:
  virtual ~Device() = default;
  virtual const DeviceInfo& info() const = 0;
  /// Whether device and sessions can be used, and end as usual, in a forked child of the process that opened them.
  virtual bool survives_fork() const { return false; }
  virtual Limits limits() const = 0;             ///< fresh from the driver
  virtual std::uint64_t used_bytes() const = 0;  ///< device memory held by all its sessions
  virtual std::uint64_t peak_bytes() const = 0;  ///< the most it ever was since reset_peak
  virtual void reset_peak() = 0;
  /// Whether the device copies from and to this host memory without help (it is pinned).
  virtual bool is_dma_accessible([[maybe_unused]] const void* data, [[maybe_unused]] std::uint64_t bytes) const {
    return false;
  }
  /// Whether a DeviceArray's handle is its address; else it names a buffer of the API.
  virtual bool handles_are_addresses() const { return true; }
  /// Host memory that it reaches, given back with the last copy; null if there is no such thing. Throws OutOfMemory.
  virtual std::shared_ptr<std::byte> allocate_host([[maybe_unused]] std::uint64_t bytes) { return nullptr; }
  /// Throws OutOfMemory. Outlives neither driver nor fork; keeps the device open.
  virtual std::unique_ptr<Memory> allocate(std::uint64_t bytes) { return host_memory(bytes); }
  /// Allocates and compiles all that the program needs. Throws OutOfMemory (this is the only place that does) or
  /// Error(unsupported) when the fused path is refused or failed its self-test; then nothing stays allocated.
  virtual std::unique_ptr<Session> load(const Program& program, const LoadOptions& options) = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual const char* name() const = 0;
  /// Whether a forked child can use the backend after its parent has.
  virtual bool survives_fork() const { return false; }
  /// Loads the driver on first call. Never throws for absence: it says why.
  virtual BackendInfo probe() = 0;
  /// Throws Error(backend_unavailable).
  virtual std::shared_ptr<Device> open(int index) = 0;
};

/// Every backend of this build, in order of preference: by the ranks in their CMakeLists.txt. Lists of
/// backends come from here.
const std::vector<Backend*>& all();

/// Names of those that convoy has, but this build has not.
const std::vector<const char*>& left_out();

}  // namespace convoy::backend

namespace convoy::inline v0 {

/// What is behind an open device, for convoy's own layers: valid as long as a copy of it is. Throws Error(unsupported)
/// in a forked child if the device does not survive that.
backend::Device& implementation_of(const Device& device);

}  // namespace convoy::inline v0
