#include "backends/cuda/cuda_driver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "base/driver_libraries.hpp"

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
  driver.cuda = open_driver(DriverLibrary::cuda);
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

/// libnvrtc.so.12 and nvrtc64_120_0.dll are of CUDA 12; 0 where the name does not say it.
int cuda_major_of(const std::string& name) {
  const std::size_t at =
      name.find_first_of("123456789", name.find("64_") == std::string::npos ? 0 : name.find("64_") + 3);
  return at == std::string::npos ? 0 : std::stoi(name.substr(at, 2));
}

/// NVRTCs whose machine code the driver takes, newest first: those of its own major version and older ones.
std::vector<std::string> nvrtc_names(int driver_version) {
  std::vector<std::string> names;
  for (const char* name : names_of(DriverLibrary::nvrtc).names) {
    const int major = cuda_major_of(name);
    if (major <= driver_version / 1000) names.emplace_back(name);
  }
  return names;
}

std::vector<int> device_architectures(int num_devices) {
  std::vector<int> architectures;
  for (int ordinal = 0; ordinal < num_devices; ++ordinal) {
    CUdevice device = 0;
    int major = 0;
    int minor = 0;
    if (cuDeviceGet(&device, ordinal) != CUDA_SUCCESS) continue;
    cuDeviceGetAttribute(&major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device);
    cuDeviceGetAttribute(&minor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device);
    architectures.push_back(major * 10 + minor);
  }
  return architectures;
}

/// Those of the devices that the NVRTC in use does not compile for.
std::vector<int> unknown_of(const std::vector<int>& devices) {
  const std::vector<int> known = nvrtc_architectures();
  std::vector<int> unknown;
  if (known.empty()) return unknown;
  std::copy_if(devices.begin(), devices.end(), std::back_inserter(unknown),
               [&](int device) { return std::find(known.begin(), known.end(), device) == known.end(); });
  return unknown;
}

/// The newest NVRTC may know no old devices (13: none before sm_75) while an older one lies beside it: of those that
/// there are, the one that knows most of the devices is used, and of equals the newest.
void use_nvrtc_that_knows_most(Driver& driver, LibrarySearch& search) {
  const std::vector<int> devices = device_architectures(driver.num_devices);
  std::vector<int> unknown = unknown_of(devices);
  while (!unknown.empty()) {
    const SharedLibrary older = search.next();
    if (!older.loaded()) break;
    int major = 0;
    int minor = 0;
    if (!missing_nvrtc_functions(older).empty()) continue;
    nvrtcVersion(&major, &minor);
    std::vector<int> still_unknown = unknown_of(devices);
    if (major > driver.version / 1000 || still_unknown.size() >= unknown.size()) continue;
    driver.passed_over += fmt::format("{}{}.{} does not know sm_{}", driver.passed_over.empty() ? "" : ", ",
                                      driver.nvrtc_major, driver.nvrtc_minor, fmt::join(unknown, ", sm_"));
    driver.nvrtc = older;
    driver.nvrtc_major = major;
    driver.nvrtc_minor = minor;
    unknown = std::move(still_unknown);
  }
  search.use(driver.nvrtc);
  static_cast<void>(missing_nvrtc_functions(driver.nvrtc));  // the functions of the one that is used
}

/// The reason why kernels cannot be compiled, or nothing.
std::string start_nvrtc(Driver& driver) {
  LibrarySearch search = search_for(DriverLibrary::nvrtc, nvrtc_names(driver.version));
  driver.nvrtc = search.next();
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
  use_nvrtc_that_knows_most(driver, search);
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

std::vector<int> nvrtc_architectures() {
  int count = 0;
  if (nvrtcGetNumSupportedArchs(&count) != NVRTC_SUCCESS || count < 1) return {};
  std::vector<int> known(static_cast<std::size_t>(count));
  if (nvrtcGetSupportedArchs(known.data()) != NVRTC_SUCCESS) return {};
  return known;
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
