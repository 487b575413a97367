// The device buffers of a session, with guard bytes behind each where that is asked for.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "backends/backend.hpp"
#include "backends/gpu/check.hpp"
#include "backends/gpu/device_memory.hpp"
#include "program/program.hpp"

namespace convoy::backend::gpu {

inline constexpr std::size_t kGuardBytes = 256;
inline constexpr unsigned char kGuardByte = 0xA5;
inline constexpr unsigned char kNanByte = 0xFF;  // repeated, the bits of a NaN in float and in double

/// The device must be current in the calling thread for every call.
template <class Api>
class Slots {
 public:
  Slots(const Program& program, DeviceMemory<Api>& memory, bool sentinels, std::string device_id)
      : slots_(program.slots), sentinels_(sentinels), device_id_(std::move(device_id)) {
    for (const Slot& slot : slots_) {
      const int copies = slot.per_tile_in_flight ? program.num_in_flight : 1;
      addresses_.emplace_back();
      if (slot.external) {
        addresses_.back().push_back(nullptr);
        continue;
      }
      for (int copy = 0; copy < copies; ++copy) {
        const std::string name = copies > 1 ? fmt::format("{}[{}]", slot.name, copy) : slot.name;
        addresses_.back().push_back(memory.allocate(name, slot.bytes + (sentinels_ ? kGuardBytes : 0)));
      }
    }
  }

  void* address(SlotId slot, int set) const {
    const auto& copies = addresses_[static_cast<std::size_t>(slot)];
    return copies[copies.size() > 1 ? static_cast<std::size_t>(set) : 0];
  }
  void bind(const ExternalMemory& memory) {
    auto* const begin = reinterpret_cast<std::byte*>(memory.handle);
    addresses_.at(static_cast<std::size_t>(memory.slot)).at(0) = begin + memory.offset_bytes;
  }
  const Slot& slot(SlotId id) const { return slots_[static_cast<std::size_t>(id)]; }

  void fill_sentinels(typename Api::Stream stream) const {
    if (!sentinels_) return;
    for_each([&](const Slot& slot, std::byte* begin) {
      check<Api>(Api::fill(begin, kNanByte, slot.bytes, stream), "filling a slot", device_id_);
      check<Api>(Api::fill(begin + slot.bytes, kGuardByte, kGuardBytes, stream), "filling a guard", device_id_);
    });
  }

  /// What the program wants to find in its slots.
  void fill_contents() const {
    for_each([&](const Slot& slot, std::byte* begin) {
      if (!slot.contents) return;
      const auto result = Api::upload_now(begin, slot.contents->data(), slot.contents->size());
      check<Api>(result, "filling a slot", device_id_);
    });
  }

  /// All work on the slots must be done.
  void check_sentinels() const {
    if (!sentinels_) return;
    for_each([&](const Slot& slot, std::byte* begin) {
      std::array<unsigned char, kGuardBytes> guard{};
      check<Api>(Api::download_now(guard.data(), begin + slot.bytes, guard.size()), "reading a guard", device_id_);
      const auto changed =
          std::find_if(guard.begin(), guard.end(), [](unsigned char byte) { return byte != kGuardByte; });
      if (changed == guard.end()) return;
      throw Error(
          Errc::device_lost,
          fmt::format("{}: slot {} of {} bytes was written past its end: byte {} behind it changed; results are "
                      "not to be trusted, please report this with the plan",
                      device_id_, slot.name, slot.bytes, changed - guard.begin()));
    });
  }

 private:
  template <class Action>
  void for_each(const Action& action) const {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].external) continue;
      for (void* address : addresses_[i]) action(slots_[i], static_cast<std::byte*>(address));
    }
  }

  std::vector<Slot> slots_;
  bool sentinels_;
  std::string device_id_;
  std::vector<std::vector<void*>> addresses_;  // [slot][copy]
};

}  // namespace convoy::backend::gpu
