#include "backends/cuda/cuda_driver.hpp"

#include <fmt/format.h>

namespace convoy::backend::cuda {

#define CONVOY_DEFINE(name) decltype(&::name) name = nullptr;
CONVOY_CUDA_DRIVER_FUNCTIONS(CONVOY_DEFINE)
CONVOY_CUDA_OPTIONAL_FUNCTIONS(CONVOY_DEFINE)
CONVOY_NVRTC_FUNCTIONS(CONVOY_DEFINE)
#undef CONVOY_DEFINE

namespace {

// Two steps, so that a name which is a macro is expanded before it becomes a text.
#define CONVOY_TEXT_OF(name) #name
#define CONVOY_TEXT(name) CONVOY_TEXT_OF(name)

template <class Function>
bool look_up(Function& function, const SharedLibrary& library, const char* symbol, std::string& missing) {
  function = reinterpret_cast<Function>(library.symbol(symbol));
  if (function != nullptr) return true;
  missing += missing.empty() ? symbol : fmt::format(", {}", symbol);
  return false;
}

std::string missing_driver_functions(const SharedLibrary& library) {
  std::string missing;
#define CONVOY_LOAD(name) look_up(name, library, CONVOY_TEXT(name), missing);
  CONVOY_CUDA_DRIVER_FUNCTIONS(CONVOY_LOAD)
  std::string optional;
#define CONVOY_LOAD_OPTIONAL(name) look_up(name, library, CONVOY_TEXT(name), optional);
  CONVOY_CUDA_OPTIONAL_FUNCTIONS(CONVOY_LOAD_OPTIONAL)
#undef CONVOY_LOAD_OPTIONAL
  return missing;
}

std::string missing_nvrtc_functions(const SharedLibrary& library) {
  std::string missing;
  CONVOY_NVRTC_FUNCTIONS(CONVOY_LOAD)
#undef CONVOY_LOAD
  return missing;
}

/// The reason why the driver offers no device, or nothing.
std::string start_driver(Driver& driver) {
  driver.cuda = SharedLibrary({"libcuda.so.1", "libcuda.so"}, "CONVOY_CUDA_LIBRARY");
  if (!driver.cuda.loaded())
    return fmt::format("libcuda.so.1 not found, so there is no NVIDIA driver ({})", driver.cuda.why_not());
  if (const std::string missing = missing_driver_functions(driver.cuda); !missing.empty()) {
    return fmt::format("{} lacks {}: the driver is too old, CUDA 11.4 or later is needed", driver.cuda.name(), missing);
  }
  if (const CUresult result = cuInit(0); result != CUDA_SUCCESS) {
    return fmt::format("the NVIDIA driver does not start: cuInit returned {}, {}", static_cast<int>(result),
                       error_text(result));
  }
  cuDriverGetVersion(&driver.version);
  if (const CUresult result = cuDeviceGetCount(&driver.num_devices); result != CUDA_SUCCESS) {
    return fmt::format("cuDeviceGetCount returned {}, {}", static_cast<int>(result), error_text(result));
  }
  return driver.num_devices == 0 ? "the NVIDIA driver is present, but shows 0 devices (CUDA_VISIBLE_DEVICES?)" : "";
}

/// The newest NVRTC whose machine code the driver takes: that of its own major version or an older one.
SharedLibrary load_nvrtc(int driver_version) {
  constexpr const char* variable = "CONVOY_NVRTC_LIBRARY";
  if (driver_version >= 13000) {
    return SharedLibrary({"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2", "libnvrtc.so"}, variable);
  }
  if (driver_version >= 12000) return SharedLibrary({"libnvrtc.so.12", "libnvrtc.so.11.2", "libnvrtc.so"}, variable);
  return SharedLibrary({"libnvrtc.so.11.2", "libnvrtc.so"}, variable);
}

/// The reason why kernels cannot be compiled, or nothing.
std::string start_nvrtc(Driver& driver) {
  driver.nvrtc = load_nvrtc(driver.version);
  constexpr const char* remedy =
      "install NVRTC of CUDA 11.2 or later (package cuda-nvrtc, or pip's nvidia-cuda-nvrtc with CONVOY_NVRTC_LIBRARY "
      "naming the file), or use vulkan on this GPU";
  if (!driver.nvrtc.loaded())
    return fmt::format("driver present, NVRTC missing: {} ({})", remedy, driver.nvrtc.why_not());
  if (const std::string missing = missing_nvrtc_functions(driver.nvrtc); !missing.empty()) {
    return fmt::format("{} lacks {}: {}", driver.nvrtc.name(), missing, remedy);
  }
  nvrtcVersion(&driver.nvrtc_major, &driver.nvrtc_minor);
  if (driver.nvrtc_major > driver.version / 1000) {
    return fmt::format(
        "{} is of CUDA {}, but the driver knows CUDA {}.{} only: update the driver, or name an older NVRTC "
        "in CONVOY_NVRTC_LIBRARY",
        driver.nvrtc.name(), driver.nvrtc_major, driver.version / 1000, driver.version % 1000 / 10);
  }
  return "";
}

Driver load_driver() {
  Driver driver;
  driver.problem = start_driver(driver);
  if (driver.problem.empty()) driver.problem = start_nvrtc(driver);
  return driver;
}

}  // namespace

const Driver& driver() {
  static const Driver loaded = load_driver();
  return loaded;
}

std::string error_text(CUresult result) {
  const char* code = nullptr;
  const char* words = nullptr;
  if (cuGetErrorName != nullptr) cuGetErrorName(result, &code);
  if (cuGetErrorString != nullptr) cuGetErrorString(result, &words);
  return fmt::format("{} ({})", code != nullptr ? code : "unknown error",
                     words != nullptr ? words : std::to_string(static_cast<int>(result)));
}

}  // namespace convoy::backend::cuda
