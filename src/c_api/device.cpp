#include <map>
#include <mutex>

#include "c_api/convert.hpp"
#include "convoy/libraries.hpp"
#include "convoy/pinned_buffer.hpp"
#include "convoy/selftest.hpp"

namespace convoy::c_api {
namespace {

constexpr Choice<DeviceType> kTypes[] = {{CONVOY_DISCRETE_GPU, DeviceType::discrete_gpu},
                                         {CONVOY_INTEGRATED_GPU, DeviceType::integrated_gpu},
                                         {CONVOY_CPU, DeviceType::cpu},
                                         {CONVOY_SOFTWARE, DeviceType::software}};

struct Found {
  std::vector<std::string> ids;
  std::string why_none;
};

Found find_devices(const char* backend) {
  Found found;
  bool known = backend == nullptr;
  for (const BackendInfo& info : list_backends()) {
    if (backend != nullptr && info.name != backend) continue;
    known = true;
    for (const DeviceInfo& device : info.devices) found.ids.push_back(device.id);
    if (!info.unavailable_because.empty()) {
      found.why_none +=
          fmt::format("{}{}: {}", found.why_none.empty() ? "" : "; ", info.name, info.unavailable_because);
    }
  }
  if (!known)
    refuse(fmt::format("this build has no backend '{}'; it has {}", backend, fmt::join(backend_names(), ", ")));
  return found;
}

struct PinnedBuffers {
  std::mutex mutex;
  std::map<const void*, PinnedBuffer> of;
};

PinnedBuffers& pinned_buffers() {
  static auto& lasting = *new PinnedBuffers;  // outlives all that happens at exit
  return lasting;
}

}  // namespace

std::vector<Device> devices_from(const convoy_device* const* devices, std::size_t num_devices) {
  std::vector<Device> opened;
  for (std::size_t i = 0; i < num_devices; ++i) {
    opened.push_back(required((&required(devices, "devices"))[i], "one of the devices").device);
  }
  return opened;
}

void share_of(const std::vector<DeviceShare>& shares, std::size_t index, std::int64_t* num_tiles,
              const char** failure) {
  if (index >= shares.size()) refuse(fmt::format("there is no device {} of {} in the last run", index, shares.size()));
  if (num_tiles != nullptr) *num_tiles = shares[index].num_tiles;
  if (failure != nullptr) *failure = shares[index].failure.c_str();
}

}  // namespace convoy::c_api

using namespace convoy::c_api;

int convoy_device_count(const char* backend, int32_t* count) {
  return guarded([&] {
    int32_t& target = required(count, "count");
    const Found found = find_devices(backend);
    target = static_cast<int32_t>(found.ids.size());
    if (found.ids.empty()) set_last_error(found.why_none.c_str());
  });
}

int convoy_device_id(const char* backend, int32_t index, char** id) {
  return guarded([&] {
    char*& target = required(id, "id");
    const Found found = find_devices(backend);
    if (index < 0 || static_cast<std::size_t>(index) >= found.ids.size()) {
      refuse(fmt::format("there is no device {} of {}", index, found.ids.size()));
    }
    target = new_text(found.ids[static_cast<std::size_t>(index)]);
  });
}

int convoy_device_open(const char* id, convoy_device** device) {
  return guarded([&] { give(device, "device", convoy::open_device(&required(id, "id"))); });
}

int convoy_device_open_vulkan(const convoy_vulkan_handles* handles, convoy_device** device) {
  return guarded([&] {
    const convoy_vulkan_handles from = read_struct(handles, convoy_vulkan_handles{}, "handles");
    give(device, "device",
         convoy::open_vulkan_device({from.physical_device, from.device, from.queue, from.queue_family}));
  });
}

int convoy_device_get_info(const convoy_device* device, convoy_device_info* info) {
  return guarded([&] {
    const convoy::DeviceInfo& from = required(device, "device").device.info();
    convoy_device_info result{};
    result.id = from.id.c_str();
    result.name = from.name.c_str();
    result.driver = from.driver.c_str();
    result.uuid = from.uuid.c_str();
    result.architecture = from.architecture.c_str();
    result.type = number_of(kTypes, from.type);
    result.supports_f64 = from.limits.supports_f64 ? 1 : 0;
    result.memory_is_host = from.limits.memory_is_host ? 1 : 0;
    write_struct(info, required(info, "info").struct_size, result, "info");
  });
}

int convoy_device_memory(const convoy_device* device, uint64_t* free_bytes, uint64_t* used_bytes,
                         uint64_t* total_bytes) {
  return guarded([&] {
    const convoy::Device& opened = required(device, "device").device;
    const convoy::Limits limits = opened.limits();
    if (free_bytes != nullptr) *free_bytes = limits.free_bytes;
    if (used_bytes != nullptr) *used_bytes = opened.used_bytes();
    if (total_bytes != nullptr) *total_bytes = limits.total_bytes;
  });
}

void convoy_device_release(convoy_device* device) { delete device; }

int convoy_selftest_json(const convoy_device* device, int32_t* passed, char** json) {
  return guarded([&] {
    int32_t& verdict = required(passed, "passed");
    const convoy::SelftestReport report = convoy::run_selftest(required(device, "device").device);
    if (json != nullptr) *json = new_text(convoy::to_json(report));
    verdict = report.passed() ? 1 : 0;
  });
}

int convoy_libraries_json(char** json) {
  return guarded([&] { required(json, "json") = new_text(convoy::to_json(convoy::list_libraries())); });
}

int convoy_pinned_alloc(const convoy_device* device, uint64_t size_bytes, void** memory) {
  return guarded([&] {
    void*& target = required(memory, "memory");
    convoy::PinnedBuffer buffer(required(device, "device").device, size_bytes);
    void* address = buffer.data();
    PinnedBuffers& buffers = pinned_buffers();
    const std::lock_guard lock(buffers.mutex);
    buffers.of.emplace(address, std::move(buffer));
    target = address;
  });
}

void convoy_pinned_free(void* memory) {
  decltype(PinnedBuffers::of)::node_type freed;  // after the lock
  PinnedBuffers& buffers = pinned_buffers();
  const std::lock_guard lock(buffers.mutex);
  freed = buffers.of.extract(memory);
}
