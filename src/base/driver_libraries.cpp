#include "base/driver_libraries.hpp"

#include <array>
#include <cstddef>

namespace convoy::inline v0 {
namespace {

using Texts = std::span<const char* const>;

namespace on_linux {
constexpr std::array kCuda{"libcuda.so.1", "libcuda.so"};
constexpr std::array kCudaFolders{"/usr/lib/wsl/lib", "/usr/lib64-nvidia", "/run/opengl-driver/lib"};
constexpr std::array kNvrtc{"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2", "libnvrtc.so"};
constexpr std::array kToolkitFolders{"$CUDA_PATH/lib64",
                                     "$CUDA_HOME/lib64",
                                     "$CONDA_PREFIX/lib",
                                     "$CONDA_PREFIX/targets/*/lib",
                                     "$VIRTUAL_ENV/lib/python3*/site-packages/nvidia/cu*/lib",
                                     "$VIRTUAL_ENV/lib/python3*/site-packages/nvidia/cuda_nvrtc/lib",
                                     "/usr/local/cuda/lib64",
                                     "/usr/local/cuda-*/lib64",
                                     "/opt/cuda/lib64",
                                     "/opt/nvidia/hpc_sdk/Linux_*/*/cuda/lib64"};
constexpr std::array kHip{"libamdhip64.so.7", "libamdhip64.so.6", "libamdhip64.so.5", "libamdhip64.so"};
constexpr std::array kHiprtc{"libhiprtc.so.7", "libhiprtc.so.6", "libhiprtc.so"};
constexpr std::array kRocmFolders{"$ROCM_PATH/lib",    "$HIP_PATH/lib",
                                  "$CONDA_PREFIX/lib", "$VIRTUAL_ENV/lib/python3*/site-packages/_rocm_sdk_core/lib",
                                  "/opt/rocm/lib",     "/opt/rocm-*/lib"};
constexpr std::array kVulkan{"libvulkan.so.1", "libvulkan.so"};
constexpr std::array kVulkanFolders{"$VULKAN_SDK/lib", "$CONDA_PREFIX/lib", "/run/opengl-driver/lib"};
constexpr std::array kFftw3f{"libfftw3f.so.3", "libfftw3f.so", "libmkl_rt.so.3", "libmkl_rt.so.2"};
constexpr std::array kFftw3{"libfftw3.so.3", "libfftw3.so", "libmkl_rt.so.3", "libmkl_rt.so.2"};
constexpr std::array kFftFolders{"$CONDA_PREFIX/lib", "$VIRTUAL_ENV/lib", "$MKLROOT/lib", "$MKLROOT/lib/intel64",
                                 "/opt/intel/oneapi/mkl/latest/lib"};
}  // namespace on_linux

namespace on_windows {
constexpr std::array kCuda{"nvcuda.dll"};
constexpr std::array kNvrtc{"nvrtc64_130_0.dll", "nvrtc64_120_0.dll", "nvrtc64_112_0.dll"};
constexpr std::array kToolkitFolders{"$CUDA_PATH/bin/x64", "$CUDA_PATH/bin", "$CONDA_PREFIX/Library/bin",
                                     "$VIRTUAL_ENV/Lib/site-packages/nvidia/cu*/bin",
                                     "$VIRTUAL_ENV/Lib/site-packages/nvidia/cuda_nvrtc/bin"};
constexpr std::array kHip{"amdhip64_7.dll", "amdhip64_6.dll", "amdhip64.dll"};
constexpr std::array kHiprtc{"hiprtc0700.dll", "hiprtc0604.dll", "hiprtc0602.dll", "hiprtc0507.dll"};
constexpr std::array kRocmFolders{"$HIP_PATH/bin"};
constexpr std::array kVulkan{"vulkan-1.dll"};
constexpr std::array kFftw3f{"libfftw3f-3.dll", "fftw3f.dll", "mkl_rt.3.dll", "mkl_rt.2.dll"};
constexpr std::array kFftw3{"libfftw3-3.dll", "fftw3.dll", "mkl_rt.3.dll", "mkl_rt.2.dll"};
constexpr std::array kFftFolders{"$CONDA_PREFIX/Library/bin", "$VIRTUAL_ENV/Library/bin", "$MKLROOT/bin"};
}  // namespace on_windows

namespace on_macos {  // neither CUDA nor HIP
constexpr std::array kVulkan{"libvulkan.1.dylib", "libMoltenVK.dylib"};
constexpr std::array kVulkanFolders{"$VULKAN_SDK/lib", "$CONDA_PREFIX/lib", "/opt/homebrew/lib", "/usr/local/lib"};
constexpr std::array kFftw3f{"libfftw3f.3.dylib"};
constexpr std::array kFftw3{"libfftw3.3.dylib"};
constexpr std::array kFftFolders{"$CONDA_PREFIX/lib", "/opt/homebrew/lib", "/usr/local/lib"};
}  // namespace on_macos

struct Files {
  Texts names;
  Texts folders;
};

// In the order of DriverLibrary.
constexpr std::array<Files, kNumDriverLibraries> kOnLinux{{{on_linux::kCuda, on_linux::kCudaFolders},
                                                           {on_linux::kNvrtc, on_linux::kToolkitFolders},
                                                           {on_linux::kHip, on_linux::kRocmFolders},
                                                           {on_linux::kHiprtc, on_linux::kRocmFolders},
                                                           {on_linux::kVulkan, on_linux::kVulkanFolders},
                                                           {on_linux::kFftw3f, on_linux::kFftFolders},
                                                           {on_linux::kFftw3, on_linux::kFftFolders}}};
constexpr std::array<Files, kNumDriverLibraries> kOnWindows{{{on_windows::kCuda, {}},
                                                             {on_windows::kNvrtc, on_windows::kToolkitFolders},
                                                             {on_windows::kHip, on_windows::kRocmFolders},
                                                             {on_windows::kHiprtc, on_windows::kRocmFolders},
                                                             {on_windows::kVulkan, {}},
                                                             {on_windows::kFftw3f, on_windows::kFftFolders},
                                                             {on_windows::kFftw3, on_windows::kFftFolders}}};
constexpr std::array<Files, kNumDriverLibraries> kOnMacos{{{},
                                                           {},
                                                           {},
                                                           {},
                                                           {on_macos::kVulkan, on_macos::kVulkanFolders},
                                                           {on_macos::kFftw3f, on_macos::kFftFolders},
                                                           {on_macos::kFftw3, on_macos::kFftFolders}}};

struct Title {
  const char* description;
  const char* variable;
};
constexpr std::array<Title, kNumDriverLibraries> kTitles{{{"NVIDIA's driver", "CONVOY_CUDA_LIBRARY"},
                                                          {"NVRTC", "CONVOY_NVRTC_LIBRARY"},
                                                          {"HIP runtime", "CONVOY_HIP_LIBRARY"},
                                                          {"hiprtc", "CONVOY_HIPRTC_LIBRARY"},
                                                          {"Vulkan loader", "CONVOY_VULKAN_LIBRARY"},
                                                          {"FFTW in single precision", "CONVOY_FFTW3F_LIBRARY"},
                                                          {"FFTW in double precision", "CONVOY_FFTW3_LIBRARY"}}};

}  // namespace

Platform this_platform() {
#if defined(_WIN32)
  return Platform::windows;
#elif defined(__APPLE__)
  return Platform::macos;
#else
  return Platform::linux_or_bsd;
#endif
}

LibraryNames names_of(DriverLibrary library, Platform platform) {
  const auto row = static_cast<std::size_t>(library);
  const auto& files = platform == Platform::windows ? kOnWindows : platform == Platform::macos ? kOnMacos : kOnLinux;
  return {kTitles[row].description, kTitles[row].variable, files[row].names, files[row].folders};
}

LibrarySearch search_for(DriverLibrary library, const std::vector<std::string>& names) {
  const LibraryNames known = names_of(library);
  return LibrarySearch(
      {.description = known.description,
       .variable = known.variable,
       .names = names.empty() ? std::vector<std::string>(known.names.begin(), known.names.end()) : names,
       .folders = {known.folders.begin(), known.folders.end()},
       .is_reported = true});
}

SharedLibrary open_driver(DriverLibrary library) { return search_for(library).next(); }

}  // namespace convoy::inline v0
