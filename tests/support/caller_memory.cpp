#include "support/caller_memory.hpp"

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "support/device_under_test.hpp"

namespace {

class HostMemory final : public CallerMemory {
 public:
  convoy::Device device() override { return device_under_test(); }
  std::uint64_t allocate(std::size_t bytes) override {
    blocks_.emplace_back(bytes);
    return reinterpret_cast<std::uintptr_t>(blocks_.back().data());
  }
  void write(std::uint64_t handle, std::span<const std::byte> bytes) override {
    std::memcpy(reinterpret_cast<void*>(handle), bytes.data(), bytes.size());
  }
  void read(std::uint64_t handle, std::span<std::byte> bytes) override {
    std::memcpy(bytes.data(), reinterpret_cast<const void*>(handle), bytes.size());
  }
  convoy::DeviceStream stream() override { return {}; }

 private:
  std::vector<std::vector<std::byte>> blocks_;
};

}  // namespace

std::unique_ptr<CallerMemory> caller_memory() {
  const std::string id = device_under_test().info().id;
  auto memory = caller_memory_of(id.substr(0, id.find(':')));
  return memory ? std::move(memory) : std::make_unique<HostMemory>();
}
