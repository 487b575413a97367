#include "backends/hip/hip_driver.hpp"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <vector>

#include "base/driver_libraries.hpp"

namespace convoy::backend::hip {

#define CONVOY_DEFINE(name) decltype(&::name) name = nullptr;
CONVOY_HIP_FUNCTIONS(CONVOY_DEFINE)
CONVOY_HIP_OPTIONAL_FUNCTIONS(CONVOY_DEFINE)
CONVOY_HIPRTC_FUNCTIONS(CONVOY_DEFINE)
#undef CONVOY_DEFINE
hipError_t (*driver_malloc)(void** pointer, std::size_t bytes) = nullptr;
hipError_t (*driver_free)(void* pointer) = nullptr;
hipError_t (*driver_host_malloc)(void** pointer, std::size_t bytes, unsigned flags) = nullptr;
decltype(&::hiprtcCompileProgram) driver_compile_program = nullptr;

namespace {

/// The properties of a device are a structure of two layouts: HIP 5 has the first, HIP 7 the second, under a name of
/// its own, and HIP 6 both. The headers that convoy is built with know one of them.
struct PropertiesFunction {
  const char* name;
  std::size_t architecture_at;  ///< where gcnArchName begins, a text of 256 bytes
  hipError_t (*function)(void* properties, int ordinal) = nullptr;
};
constexpr std::size_t kArchitectureBytes = 256;
std::array<PropertiesFunction, 2> properties_functions{
    {{"hipGetDevicePropertiesR0600", 1160}, {"hipGetDeviceProperties", 396}}};

std::string missing_runtime_functions(const SharedLibrary& library) {
  std::string missing;
#define CONVOY_LOAD(name) look_up(name, library, #name, missing);
  CONVOY_HIP_FUNCTIONS(CONVOY_LOAD)
  look_up(driver_malloc, library, "hipMalloc", missing);
  look_up(driver_free, library, "hipFree", missing);
  look_up(driver_host_malloc, library, "hipHostMalloc", missing);
  std::string optional;
#define CONVOY_LOAD_OPTIONAL(name) look_up(name, library, #name, optional);
  CONVOY_HIP_OPTIONAL_FUNCTIONS(CONVOY_LOAD_OPTIONAL)
  for (PropertiesFunction& one : properties_functions) look_up(one.function, library, one.name, optional);
#undef CONVOY_LOAD_OPTIONAL
  return missing;
}

std::string missing_hiprtc_functions(const SharedLibrary& library) {
  std::string missing;
  CONVOY_HIPRTC_FUNCTIONS(CONVOY_LOAD)
#undef CONVOY_LOAD
  look_up(driver_compile_program, library, "hiprtcCompileProgram", missing);
  return missing;
}

/// The reason why the runtime offers no device, or nothing. The codes that mean "no device" differ by release.
std::string start_runtime(Driver& driver) {
  driver.hip = open_driver(DriverLibrary::hip);
  if (!driver.hip.loaded()) {
    return fmt::format(
        "libamdhip64 not found: install AMD's ROCm runtime (Debian: libamdhip64-5), or name the file in "
        "CONVOY_HIP_LIBRARY ({})",
        driver.hip.why_not());
  }
  const std::string& library = driver.hip.name();
  if (const std::string missing = missing_runtime_functions(driver.hip); !missing.empty()) {
    return fmt::format("{} lacks {}: HIP 5 or later is needed", library, missing);
  }
  if (const hipError_t result = hipInit(0); result != hipSuccess) {
    return fmt::format(
        "no device: {} is present, but hipInit returned {}, {} (is there an AMD GPU, and may this user "
        "open /dev/kfd?)",
        library, static_cast<int>(result), error_text(result));
  }
  const hipError_t result = hipGetDeviceCount(&driver.num_devices);
  if (result != hipSuccess || driver.num_devices == 0) {
    return fmt::format("no device: {} is present, but hipGetDeviceCount returned {}, {} and {} devices", library,
                       static_cast<int>(result), error_text(result), driver.num_devices);
  }
  static_cast<void>(hipRuntimeGetVersion(&driver.runtime_version));
  return "";
}

/// The reason why kernels cannot be compiled, or nothing. HIP 5 and 6 hold hiprtc in the runtime library.
std::string start_hiprtc(Driver& driver) {
  if (missing_hiprtc_functions(driver.hip).empty()) return "";
  driver.separate_hiprtc = open_driver(DriverLibrary::hiprtc);
  if (!driver.separate_hiprtc.loaded()) {
    return fmt::format(
        "the HIP runtime is present, hiprtc is missing: install it, or name the file in "
        "CONVOY_HIPRTC_LIBRARY ({})",
        driver.separate_hiprtc.why_not());
  }
  const std::string missing = missing_hiprtc_functions(driver.separate_hiprtc);
  return missing.empty() ? "" : fmt::format("{} lacks {}", driver.separate_hiprtc.name(), missing);
}

Driver load_driver() {
  Driver driver;
  driver.problem = start_runtime(driver);
  if (driver.problem.empty()) driver.problem = start_hiprtc(driver);
  return driver;
}

}  // namespace

std::string architecture(int ordinal) {
  constexpr std::size_t kRoomBytes = 4096;  // the structures have 792 and 1472
  for (const PropertiesFunction& one : properties_functions) {
    alignas(std::max_align_t) std::array<char, kRoomBytes> properties{};
    if (one.function == nullptr || one.function(properties.data(), ordinal) != hipSuccess) continue;
    const char* const name = properties.data() + one.architecture_at;
    return std::string(name, strnlen(name, kArchitectureBytes));
  }
  return "";
}

hiprtcResult compile_for_current_device(hiprtcProgram program, int num_options, const char** options) {
  std::vector<const char*> all(options, options + num_options);
  int ordinal = 0;
  const std::string name = hipGetDevice(&ordinal) == hipSuccess ? architecture(ordinal) : "";
  const std::string option = "--offload-arch=" + name;
  if (!name.empty()) all.push_back(option.c_str());
  return driver_compile_program(program, static_cast<int>(all.size()), all.data());
}

const Driver& driver() {
  static const Driver loaded = load_driver();
  return loaded;
}

std::string error_text(hipError_t result) {
  const char* const code = hipGetErrorName != nullptr ? hipGetErrorName(result) : "unknown error";
  const char* const words = hipGetErrorString != nullptr ? hipGetErrorString(result) : "";
  return fmt::format("{} ({})", code, words);
}

}  // namespace convoy::backend::hip
