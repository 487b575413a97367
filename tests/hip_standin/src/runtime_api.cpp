// HIP's runtime functions other than modules and launches: device, errors, memory, copies, streams, events.
// Work is done at once, in the calling thread; a stream or event is only checked for being alive.
#include <hip/hip_runtime_api.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "diagnostics.hpp"
#include "handles.hpp"
#include "last_error.hpp"
#include "memory.hpp"
#include "settings.hpp"

using namespace hipemu;
using Clock = std::chrono::steady_clock;

struct ihipStream_t {};

struct ihipEvent_t {
  bool timed = true;
  std::optional<Clock::time_point> recorded;
};

namespace {

thread_local hipError_t last_error = hipSuccess;
/// Calls for which the host would wait on a device.
std::atomic<long> num_synchronizations{0};

HandleTable<ihipStream_t>& streams() {
  static auto* const table = new HandleTable<ihipStream_t>(counters().streams);
  return *table;
}

HandleTable<ihipEvent_t>& events() {
  static auto* const table = new HandleTable<ihipEvent_t>(counters().events);
  return *table;
}

hipError_t only_if(bool condition, hipError_t otherwise) { return remember(condition ? hipSuccess : otherwise); }

std::string device_name() { return "CPU emulation of " + std::string(settings().device->name); }

std::optional<int> attribute_value(hipDeviceAttribute_t attribute) {
  const DeviceModel& device = *settings().device;
  switch (attribute) {
    case hipDeviceAttributeWarpSize:
      return device.wavefront;
    case hipDeviceAttributeMultiprocessorCount:
      return device.compute_units;
    case hipDeviceAttributeComputeCapabilityMajor:
      return device.major;
    case hipDeviceAttributeComputeCapabilityMinor:
      return device.minor;
    case hipDeviceAttributeMaxThreadsPerBlock:
      return device.max_threads_per_block;
    case hipDeviceAttributeMaxBlockDimX:
      return device.max_block[0];
    case hipDeviceAttributeMaxBlockDimY:
      return device.max_block[1];
    case hipDeviceAttributeMaxBlockDimZ:
      return device.max_block[2];
    case hipDeviceAttributeMaxGridDimX:
      return device.max_grid[0];
    case hipDeviceAttributeMaxGridDimY:
      return device.max_grid[1];
    case hipDeviceAttributeMaxGridDimZ:
      return device.max_grid[2];
    case hipDeviceAttributeMaxSharedMemoryPerBlock:
      return static_cast<int>(device.lds_bytes);
    case hipDeviceAttributeIntegrated:
      return std::getenv("HIPEMU_INTEGRATED") != nullptr ? 1 : 0;
    default:
      return std::nullopt;
  }
}

// ---- memory
hipError_t allocate_block(void** pointer, std::size_t size, Place place) {
  if (!pointer) return hipErrorInvalidValue;
  *pointer = nullptr;
  if (size == 0) return hipSuccess;
  *pointer = allocate(size, place);
  return *pointer ? hipSuccess : hipErrorOutOfMemory;
}

hipError_t release_block(void* pointer, Place place) {
  return !pointer || release(pointer, place) ? hipSuccess : hipErrorInvalidValue;
}

enum class Side { host, device, either };

/// Whether `size` bytes at that address lie where the kind of a copy says: inside one device block, or outside of
/// all of them.
bool lies_on(Side side, const void* pointer, std::size_t size, const char* what) {
  const std::optional<Block> block = block_of(pointer);
  const bool in_device = block && block->place == Place::device;
  const char* problem = nullptr;
  if (side == Side::device && !block) problem = "is not device memory";
  if (side == Side::host && in_device) problem = "is device memory, the kind of the copy says host";
  if (block && static_cast<std::size_t>(block->begin + block->size - static_cast<const std::byte*>(pointer)) < size)
    problem = "is shorter than the copy";
  if (problem) say("the %s of a copy of %zu bytes %s", what, size, problem);
  return !problem;
}

hipError_t copy(void* to, const void* from, std::size_t size, hipMemcpyKind kind) {
  if (size == 0) return hipSuccess;
  if (!to || !from) return hipErrorInvalidValue;
  Side target = Side::either, source = Side::either;
  switch (kind) {
    case hipMemcpyHostToHost:
      target = source = Side::host;
      break;
    case hipMemcpyHostToDevice:
      target = Side::device, source = Side::host;
      break;
    case hipMemcpyDeviceToHost:
      target = Side::host, source = Side::device;
      break;
    case hipMemcpyDeviceToDevice:
      target = source = Side::device;
      break;
    case hipMemcpyDefault:
      break;
    default:
      return hipErrorInvalidMemcpyDirection;
  }
  const DeviceAccess access;
  if (!lies_on(target, to, size, "target") || !lies_on(source, from, size, "source")) return hipErrorInvalidValue;
  if (settings().execute) std::memmove(to, from, size);
  return hipSuccess;
}

/// Row by row, as the driver sees it: both sides must hold all rows, and the pitches must hold a row.
hipError_t copy_rows(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch, std::size_t width,
                     std::size_t rows, hipMemcpyKind kind) {
  if (width > to_pitch || width > from_pitch) return hipErrorInvalidValue;
  for (std::size_t row = 0; row < rows; ++row) {
    void* const target = static_cast<std::byte*>(to) + row * to_pitch;
    const void* const source = static_cast<const std::byte*>(from) + row * from_pitch;
    if (const hipError_t failed = copy(target, source, width, kind)) return failed;
  }
  return hipSuccess;
}

hipError_t fill(void* to, int value, std::size_t size) {
  if (size == 0) return hipSuccess;
  const DeviceAccess access;
  if (!to || !lies_on(Side::device, to, size, "target")) return hipErrorInvalidValue;
  if (settings().execute) std::memset(to, value, size);
  return hipSuccess;
}

// ---- streams and events
hipError_t new_stream(hipStream_t* stream) {
  if (!stream) return hipErrorInvalidValue;
  *stream = streams().adopt(std::make_unique<ihipStream_t>());
  return hipSuccess;
}

hipError_t new_event(hipEvent_t* event, unsigned flags) {
  if (!event) return hipErrorInvalidValue;
  *event = events().adopt(std::make_unique<ihipEvent_t>(ihipEvent_t{!(flags & hipEventDisableTiming), std::nullopt}));
  return hipSuccess;
}

hipError_t elapsed(float* milliseconds, hipEvent_t start, hipEvent_t end) {
  if (!milliseconds) return hipErrorInvalidValue;
  if (!events().contains(start) || !events().contains(end)) return hipErrorInvalidHandle;
  if (!start->timed || !end->timed || !start->recorded || !end->recorded) return hipErrorInvalidHandle;
  *milliseconds = std::chrono::duration<float, std::milli>(*end->recorded - *start->recorded).count();
  return hipSuccess;
}

}  // namespace

namespace hipemu {

hipError_t remember(hipError_t result) {
  if (result != hipSuccess) last_error = result;
  return result;
}

bool is_live(hipStream_t stream) { return !stream || stream == hipStreamPerThread || streams().contains(stream); }

}  // namespace hipemu

extern "C" {

// ---- device
hipError_t hipInit(unsigned flags) {
  settings();
  return only_if(flags == 0, hipErrorInvalidValue);
}
hipError_t hipGetDeviceCount(int* count) {
  settings();
  if (count) *count = 1;
  return only_if(count, hipErrorInvalidValue);
}
hipError_t hipSetDevice(int device) { return only_if(device == 0, hipErrorInvalidDevice); }
hipError_t hipGetDevice(int* device) {
  if (device) *device = 0;
  return only_if(device, hipErrorInvalidValue);
}
hipError_t hipDeviceGet(hipDevice_t* device, int ordinal) {
  if (ordinal != 0) return remember(hipErrorInvalidDevice);
  *device = 0;
  return hipSuccess;
}
hipError_t hipDeviceGetName(char* name, int size, hipDevice_t device) {
  if (device != 0) return remember(hipErrorInvalidDevice);
  std::snprintf(name, static_cast<std::size_t>(size), "%s", device_name().c_str());
  return hipSuccess;
}
hipError_t hipDeviceGetAttribute(int* value, hipDeviceAttribute_t attribute, int device) {
  if (device != 0) return remember(hipErrorInvalidDevice);
  const std::optional<int> known = attribute_value(attribute);
  if (value && known) *value = *known;
  return only_if(value && known, hipErrorInvalidValue);
}
#if HIPEMU_ABI >= 6 && HIP_VERSION_MAJOR < 6
/// As HIP 6 and 7 lay it out, of which HIP 5's headers know nothing.
__attribute__((visibility("default"))) hipError_t hipGetDevicePropertiesR0600(void* properties, int device) {
  constexpr std::size_t kBytes = 1472, kArchitectureAt = 1160;
  if (device != 0) return remember(hipErrorInvalidDevice);
  auto* const bytes = static_cast<char*>(properties);
  std::memset(bytes, 0x5a, kBytes);
  std::snprintf(bytes, 256, "%s", device_name().c_str());
  std::snprintf(bytes + kArchitectureAt, 256, "%s", std::string(settings().device->name).c_str());
  return hipSuccess;
}
#endif
#if HIPEMU_ABI < 7
hipError_t hipGetDeviceProperties(hipDeviceProp_t* properties, int device) {
  if (device != 0) return remember(hipErrorInvalidDevice);
  const DeviceModel& model = *settings().device;
  *properties = {};
  std::snprintf(properties->name, sizeof properties->name, "%s", device_name().c_str());
  std::snprintf(properties->gcnArchName, sizeof properties->gcnArchName, "%s", std::string(model.name).c_str());
  properties->totalGlobalMem = settings().total_memory;
  properties->sharedMemPerBlock = model.lds_bytes;
  properties->warpSize = model.wavefront;
  properties->maxThreadsPerBlock = model.max_threads_per_block;
  for (int i = 0; i < 3; ++i) {
    properties->maxThreadsDim[i] = static_cast<int>(model.max_block[i]);
    properties->maxGridSize[i] = static_cast<int>(model.max_grid[i]);
  }
  properties->multiProcessorCount = model.compute_units;
  properties->major = model.major;
  properties->minor = model.minor;
  return hipSuccess;
}
#endif
hipError_t hipDeviceTotalMem(size_t* bytes, hipDevice_t device) {
  if (device != 0) return remember(hipErrorInvalidDevice);
  *bytes = settings().total_memory;
  return hipSuccess;
}
hipError_t hipMemGetInfo(size_t* free_bytes, size_t* total) {
  const std::size_t all = settings().total_memory;
  if (total) *total = all;
  if (free_bytes) *free_bytes = all - used_device_memory();
  return hipSuccess;
}
hipError_t hipRuntimeGetVersion(int* version) {
  *version = HIPEMU_ABI > HIP_VERSION_MAJOR ? HIPEMU_ABI * 10000000 : HIP_VERSION;
  return hipSuccess;
}
hipError_t hipDriverGetVersion(int* version) {
  *version = HIPEMU_ABI > HIP_VERSION_MAJOR ? HIPEMU_ABI * 10000000 : HIP_VERSION;
  return hipSuccess;
}
hipError_t hipDeviceSynchronize() {
  ++num_synchronizations;
  return hipSuccess;
}

/// The stand-in's own: how often the host would have waited so far, for tests.
extern "C" __attribute__((visibility("default"))) long hipemu_num_synchronizations() { return num_synchronizations; }

// ---- errors
hipError_t hipPeekAtLastError() { return last_error; }
hipError_t hipGetLastError() { return std::exchange(last_error, hipSuccess); }
const char* hipGetErrorName(hipError_t error) {
  switch (error) {
#define HIPEMU_NAME(x) \
  case x:              \
    return #x;
    HIPEMU_NAME(hipSuccess)
    HIPEMU_NAME(hipErrorInvalidValue)
    HIPEMU_NAME(hipErrorOutOfMemory)
    HIPEMU_NAME(hipErrorNotInitialized)
    HIPEMU_NAME(hipErrorInvalidConfiguration)
    HIPEMU_NAME(hipErrorInvalidMemcpyDirection)
    HIPEMU_NAME(hipErrorNoDevice)
    HIPEMU_NAME(hipErrorInvalidDevice)
    HIPEMU_NAME(hipErrorInvalidImage)
    HIPEMU_NAME(hipErrorNoBinaryForGpu)
    HIPEMU_NAME(hipErrorInvalidHandle)
    HIPEMU_NAME(hipErrorNotFound)
    HIPEMU_NAME(hipErrorNotReady)
    HIPEMU_NAME(hipErrorIllegalAddress)
    HIPEMU_NAME(hipErrorLaunchFailure)
    HIPEMU_NAME(hipErrorNotSupported)
    HIPEMU_NAME(hipErrorUnknown)
#undef HIPEMU_NAME
    default:
      return "hipErrorUnknown";
  }
}
const char* hipGetErrorString(hipError_t error) {
  switch (error) {
    case hipSuccess:
      return "no error";
    case hipErrorInvalidValue:
      return "invalid argument";
    case hipErrorOutOfMemory:
      return "out of memory";
    case hipErrorNotInitialized:
      return "initialization error";
    case hipErrorInvalidConfiguration:
      return "invalid configuration argument";
    case hipErrorInvalidMemcpyDirection:
      return "invalid copy direction for memcpy";
    case hipErrorNoDevice:
      return "no ROCm-capable device is detected";
    case hipErrorInvalidDevice:
      return "invalid device ordinal";
    case hipErrorInvalidImage:
      return "device kernel image is invalid";
    case hipErrorNoBinaryForGpu:
      return "no kernel image is available for execution on the device";
    case hipErrorInvalidHandle:
      return "invalid resource handle";
    case hipErrorNotFound:
      return "named symbol not found";
    case hipErrorNotReady:
      return "device not ready";
    case hipErrorIllegalAddress:
      return "an illegal memory access was encountered";
    case hipErrorLaunchFailure:
      return "unspecified launch failure";
    case hipErrorNotSupported:
      return "operation not supported";
    default:
      return "unknown error";
  }
}

// ---- memory
hipError_t hipMalloc(void** pointer, size_t size) { return remember(allocate_block(pointer, size, Place::device)); }
hipError_t hipFree(void* pointer) { return remember(release_block(pointer, Place::device)); }
hipError_t hipHostMalloc(void** pointer, size_t size, unsigned) {
  return remember(allocate_block(pointer, size, Place::pinned));
}
hipError_t hipHostFree(void* pointer) { return remember(release_block(pointer, Place::pinned)); }
hipError_t hipHostGetFlags(unsigned* flags, void* pointer) {
  *flags = 0;
  const std::optional<Block> block = block_of(pointer);
  return only_if(block && block->place == Place::pinned, hipErrorInvalidValue);
}
hipError_t hipMemcpy(void* to, const void* from, size_t size, hipMemcpyKind kind) {
  return remember(copy(to, from, size, kind));
}
hipError_t hipMemcpyAsync(void* to, const void* from, size_t size, hipMemcpyKind kind, hipStream_t stream) {
  return remember(is_live(stream) ? copy(to, from, size, kind) : hipErrorInvalidHandle);
}
hipError_t hipMemcpy2DAsync(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width, size_t height,
                            hipMemcpyKind kind, hipStream_t stream) {
  return remember(is_live(stream) ? copy_rows(to, to_pitch, from, from_pitch, width, height, kind)
                                  : hipErrorInvalidHandle);
}
hipError_t hipMemset(void* to, int value, size_t size) { return remember(fill(to, value, size)); }
hipError_t hipMemsetAsync(void* to, int value, size_t size, hipStream_t stream) {
  return remember(is_live(stream) ? fill(to, value, size) : hipErrorInvalidHandle);
}

// ---- streams
hipError_t hipStreamCreate(hipStream_t* stream) { return remember(new_stream(stream)); }
hipError_t hipStreamCreateWithFlags(hipStream_t* stream, unsigned) { return remember(new_stream(stream)); }
hipError_t hipStreamDestroy(hipStream_t stream) { return only_if(streams().destroy(stream), hipErrorInvalidHandle); }
hipError_t hipStreamSynchronize(hipStream_t stream) {
  ++num_synchronizations;
  return only_if(is_live(stream), hipErrorInvalidHandle);
}
hipError_t hipStreamQuery(hipStream_t stream) { return only_if(is_live(stream), hipErrorInvalidHandle); }
hipError_t hipStreamWaitEvent(hipStream_t stream, hipEvent_t event, unsigned) {
  return only_if(is_live(stream) && events().contains(event), hipErrorInvalidHandle);
}

// ---- events
hipError_t hipEventCreate(hipEvent_t* event) { return remember(new_event(event, hipEventDefault)); }
hipError_t hipEventCreateWithFlags(hipEvent_t* event, unsigned flags) { return remember(new_event(event, flags)); }
hipError_t hipEventDestroy(hipEvent_t event) { return only_if(events().destroy(event), hipErrorInvalidHandle); }
hipError_t hipEventRecord(hipEvent_t event, hipStream_t stream) {
  if (!events().contains(event) || !is_live(stream)) return remember(hipErrorInvalidHandle);
  event->recorded = Clock::now();
  return hipSuccess;
}
hipError_t hipEventSynchronize(hipEvent_t event) {
  ++num_synchronizations;
  return only_if(events().contains(event), hipErrorInvalidHandle);
}
hipError_t hipEventQuery(hipEvent_t event) { return only_if(events().contains(event), hipErrorInvalidHandle); }
hipError_t hipEventElapsedTime(float* milliseconds, hipEvent_t start, hipEvent_t end) {
  return remember(elapsed(milliseconds, start, end));
}

}  // extern "C"
