#include "base/host_memory.hpp"

#include <cstring>
#include <memory>

#include "backends/backend.hpp"

namespace convoy::backend {
namespace {

class HostMemory final : public Memory {
 public:
  explicit HostMemory(std::uint64_t bytes) : bytes_(allocate_host(bytes)) {}
  std::uint64_t handle() const override { return reinterpret_cast<std::uintptr_t>(bytes_.get()); }
  void write(std::uint64_t offset, std::span<const std::byte> bytes) override {
    std::memcpy(bytes_.get() + offset, bytes.data(), bytes.size());
  }
  void read(std::uint64_t offset, std::span<std::byte> bytes) const override {
    std::memcpy(bytes.data(), bytes_.get() + offset, bytes.size());
  }

 private:
  std::shared_ptr<std::byte> bytes_;
};

}  // namespace

std::unique_ptr<Memory> host_memory(std::uint64_t bytes) { return std::make_unique<HostMemory>(bytes); }

}  // namespace convoy::backend
