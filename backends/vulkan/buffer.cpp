#include "backends/vulkan/buffer.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace convoy::backend::vulkan {
namespace {

constexpr VkBufferUsageFlags kCopied = VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
constexpr VkMemoryPropertyFlags kMapped = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;

}  // namespace

Buffer BufferMaker::on_device(const std::string& name, std::uint64_t bytes) const {
  memory_.set_purpose(name);
  return make(name, bytes, kCopied | VK_BUFFER_USAGE_STORAGE_BUFFER_BIT, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT,
              VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT);
}

Buffer BufferMaker::on_host(const std::string& name, std::uint64_t bytes, HostUse use) const {
  memory_.set_purpose(std::nullopt);
  // Reading memory that the processor does not cache is some twenty times slower than writing it.
  const bool reads = use == HostUse::reads;
  const VkMemoryPropertyFlags cached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
  const bool has_cached = choose_memory_type(physical_.memory, ~0u, kMapped | cached, 0).has_value();
  return make(name, bytes, kCopied, reads && has_cached ? kMapped | cached : kMapped,
              VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT);
}

OutOfMemory BufferMaker::out_of_memory(const std::string& name, std::uint64_t bytes) const {
  const Limits limits = query_limits(physical_);
  return OutOfMemory(
      fmt::format("{} ({}): {} needs {} bytes, but {} of the device's {} bytes are free, {} in one piece; "
                  "set a lower memory limit, or end what else uses the device",
                  physical_.info.id, physical_.info.name, name, bytes, limits.free_bytes, limits.total_bytes,
                  limits.max_allocation_bytes),
      bytes, std::min(limits.free_bytes, limits.max_allocation_bytes), "free device memory");
}

Buffer BufferMaker::make(const std::string& name, std::uint64_t bytes, VkBufferUsageFlags usage,
                         VkMemoryPropertyFlags wanted, VkMemoryPropertyFlags unwanted) const {
  if (bytes > physical_.max_allocation_bytes) throw out_of_memory(name, bytes);
  VkBufferCreateInfo creation{};
  creation.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
  creation.size = std::max<std::uint64_t>(bytes, 4);
  creation.usage = usage;
  creation.sharingMode = VK_SHARING_MODE_EXCLUSIVE;
  VkBuffer created = VK_NULL_HANDLE;
  const auto require = [&](VkResult result, const char* action) {
    if (result == VK_ERROR_OUT_OF_DEVICE_MEMORY || result == VK_ERROR_OUT_OF_HOST_MEMORY)
      throw out_of_memory(name, bytes);
    check(result, action, physical_.info.id);
  };
  require(vkCreateBuffer(device_, &creation, nullptr, &created), "creating a buffer");
  OwnedBuffer buffer(device_, created);

  VkMemoryRequirements needs{};
  vkGetBufferMemoryRequirements(device_, created, &needs);
  const auto type = choose_memory_type(physical_.memory, needs.memoryTypeBits, wanted, unwanted);
  if (!type) {
    throw Error(Errc::unsupported, fmt::format("{} has no memory of the kind that {} needs", physical_.info.id, name));
  }
  VkMemoryAllocateInfo allocation{};
  allocation.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
  allocation.allocationSize = needs.size;
  allocation.memoryTypeIndex = *type;
  VkDeviceMemory allocated = VK_NULL_HANDLE;
  require(vkAllocateMemory(device_, &allocation, nullptr, &allocated), "allocating memory");
  OwnedMemory memory(device_, allocated);
  require(vkBindBufferMemory(device_, created, allocated, 0), "binding a buffer");
  void* mapped = nullptr;
  if ((wanted & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) != 0) {
    require(vkMapMemory(device_, allocated, 0, VK_WHOLE_SIZE, 0, &mapped), "mapping memory");
  }
  return Buffer(std::move(memory), std::move(buffer), bytes, static_cast<std::byte*>(mapped));
}

}  // namespace convoy::backend::vulkan
