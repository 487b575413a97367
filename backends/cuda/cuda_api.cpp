#include "backends/cuda/cuda_api.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace convoy::backend::cuda {
namespace {

/// The driver's 2-D copies take pitches below 2 GiB.
constexpr std::uint64_t kLongestPitch = std::numeric_limits<std::int32_t>::max();

template <class Copy>
CUresult copy_row_by_row(const gpu::Rectangle& rectangle, const Copy& copy) {
  CUresult result = CUDA_SUCCESS;
  for (std::uint64_t row = 0; row < rectangle.rows && result == CUDA_SUCCESS; ++row) {
    result = copy(row * rectangle.host_pitch_bytes, row * rectangle.slot_pitch_bytes);
  }
  return result;
}

bool too_long_for_2d(const gpu::Rectangle& rectangle) {
  return std::max(rectangle.host_pitch_bytes, rectangle.slot_pitch_bytes) > kLongestPitch;
}

std::string compiler_log(nvrtcProgram program) {
  std::size_t size = 0;
  if (nvrtcGetProgramLogSize(program, &size) != NVRTC_SUCCESS || size < 2) return "no log";
  std::string log(size, '\0');
  nvrtcGetProgramLog(program, log.data());
  log.resize(size - 1);
  return log;
}

class Compilation {
 public:
  Compilation(const KernelSource& source, const std::string& name) : with_lines_(!source.path.empty()) {
    const std::string file = with_lines_ ? source.path : name + ".cu";
    created_ = nvrtcCreateProgram(&program_, source.text.c_str(), file.c_str(), 0, nullptr, nullptr);
  }
  ~Compilation() {
    if (created_ == NVRTC_SUCCESS) nvrtcDestroyProgram(&program_);
  }
  Compilation(const Compilation&) = delete;
  Compilation& operator=(const Compilation&) = delete;

  nvrtcResult run(const std::string& architecture) {
    if (created_ != NVRTC_SUCCESS) return created_;
    const std::string option = "--gpu-architecture=" + architecture;
    const char* options[] = {option.c_str(), "-lineinfo"};
    return nvrtcCompileProgram(program_, with_lines_ ? 2 : 1, options);
  }
  nvrtcResult code(std::string& code) {
    std::size_t size = 0;
    if (const nvrtcResult result = nvrtcGetCUBINSize(program_, &size); result != NVRTC_SUCCESS) return result;
    code.resize(size);
    return nvrtcGetCUBIN(program_, code.data());
  }
  std::string log() const { return created_ == NVRTC_SUCCESS ? compiler_log(program_) : "no program was made"; }

 private:
  bool with_lines_;
  nvrtcProgram program_{};
  nvrtcResult created_ = NVRTC_SUCCESS;
};

}  // namespace

bool Api::is_fatal(Result result) {
  switch (result) {
    case CUDA_ERROR_DEINITIALIZED:
    case CUDA_ERROR_DEVICE_UNAVAILABLE:
    case CUDA_ERROR_ECC_UNCORRECTABLE:
    case CUDA_ERROR_NVLINK_UNCORRECTABLE:
    case CUDA_ERROR_ILLEGAL_ADDRESS:
    case CUDA_ERROR_LAUNCH_TIMEOUT:
    case CUDA_ERROR_CONTEXT_IS_DESTROYED:
    case CUDA_ERROR_ASSERT:
    case CUDA_ERROR_HARDWARE_STACK_ERROR:
    case CUDA_ERROR_ILLEGAL_INSTRUCTION:
    case CUDA_ERROR_MISALIGNED_ADDRESS:
    case CUDA_ERROR_INVALID_ADDRESS_SPACE:
    case CUDA_ERROR_INVALID_PC:
    case CUDA_ERROR_LAUNCH_FAILED:
    case CUDA_ERROR_UNKNOWN:
      return true;
    default:
      return false;
  }
}

bool Api::is_unsupported(Result result) {
  switch (result) {
    case CUDA_ERROR_INVALID_VALUE:
    case CUDA_ERROR_NO_BINARY_FOR_GPU:
    case CUDA_ERROR_INVALID_IMAGE:
    case CUDA_ERROR_UNSUPPORTED_PTX_VERSION:
    case CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES:
    case CUDA_ERROR_NOT_SUPPORTED:
    case CUDA_ERROR_NOT_PERMITTED:
      return true;
    default:
      return false;
  }
}

Api::Handle Api::open(int ordinal, const std::string& device_id) {
  Handle handle;
  Result result = cuDeviceGet(&handle.device, ordinal);
  if (result == CUDA_SUCCESS) {
    result = cuDeviceGetAttribute(&handle.compute_major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, handle.device);
  }
  if (result == CUDA_SUCCESS) result = cuDevicePrimaryCtxRetain(&handle.context, handle.device);
  if (result != CUDA_SUCCESS) {
    throw Error(
        Errc::backend_unavailable,
        fmt::format("{} cannot be opened: {}; another process may hold it exclusively, or its memory is used up",
                    device_id, error_text(result)));
  }
  return handle;
}

#if CUDA_VERSION >= 11080
bool Api::launches_overlap(const Handle& handle) {
  constexpr int kFirstWithDependentLaunches = 9;
  return cuLaunchKernelEx != nullptr && handle.compute_major >= kFirstWithDependentLaunches;
}
#else
bool Api::launches_overlap(const Handle&) { return false; }
#endif

Api::Result Api::launch(Function function, const std::array<std::uint64_t, 3>& groups,
                        const std::array<std::uint32_t, 3>& threads, std::uint64_t shared_bytes, Stream stream,
                        void** arguments, [[maybe_unused]] bool programmatic_dependent_launch) {
  const std::array<unsigned, 3> grid{static_cast<unsigned>(groups[0]), static_cast<unsigned>(groups[1]),
                                     static_cast<unsigned>(groups[2])};
  const auto shared = static_cast<unsigned>(shared_bytes);
#if CUDA_VERSION >= 11080
  if (programmatic_dependent_launch) {
    CUlaunchAttribute attribute{};
    attribute.id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION;
    attribute.value.programmaticStreamSerializationAllowed = 1;
    CUlaunchConfig config{};
    config.gridDimX = grid[0];
    config.gridDimY = grid[1];
    config.gridDimZ = grid[2];
    config.blockDimX = threads[0];
    config.blockDimY = threads[1];
    config.blockDimZ = threads[2];
    config.sharedMemBytes = shared;
    config.hStream = stream;
    config.attrs = &attribute;
    config.numAttrs = 1;
    return cuLaunchKernelEx(&config, function, arguments, nullptr);
  }
#endif
  return cuLaunchKernel(function, grid[0], grid[1], grid[2], threads[0], threads[1], threads[2], shared, stream,
                        arguments, nullptr);
}

Api::Result Api::upload(void* slot, const void* host, const gpu::Rectangle& rectangle, Stream stream) {
  const CUdeviceptr to = device_pointer(slot);
  const auto* from = static_cast<const std::byte*>(host);
  if (rectangle.is_line()) return cuMemcpyHtoDAsync(to, from, rectangle.width_bytes * rectangle.rows, stream);
  if (too_long_for_2d(rectangle)) {
    return copy_row_by_row(rectangle, [&](std::uint64_t in_host, std::uint64_t in_slot) {
      return cuMemcpyHtoDAsync(to + in_slot, from + in_host, rectangle.width_bytes, stream);
    });
  }
  CUDA_MEMCPY2D copy{};
  copy.WidthInBytes = rectangle.width_bytes;
  copy.Height = rectangle.rows;
  copy.srcMemoryType = CU_MEMORYTYPE_HOST;
  copy.srcHost = from;
  copy.srcPitch = rectangle.host_pitch_bytes;
  copy.dstMemoryType = CU_MEMORYTYPE_DEVICE;
  copy.dstDevice = to;
  copy.dstPitch = rectangle.slot_pitch_bytes;
  return cuMemcpy2DAsync(&copy, stream);
}

Api::Result Api::download(void* host, const void* slot, const gpu::Rectangle& rectangle, Stream stream) {
  auto* to = static_cast<std::byte*>(host);
  const CUdeviceptr from = device_pointer(slot);
  if (rectangle.is_line()) return cuMemcpyDtoHAsync(to, from, rectangle.width_bytes * rectangle.rows, stream);
  if (too_long_for_2d(rectangle)) {
    return copy_row_by_row(rectangle, [&](std::uint64_t in_host, std::uint64_t in_slot) {
      return cuMemcpyDtoHAsync(to + in_host, from + in_slot, rectangle.width_bytes, stream);
    });
  }
  CUDA_MEMCPY2D copy{};
  copy.WidthInBytes = rectangle.width_bytes;
  copy.Height = rectangle.rows;
  copy.srcMemoryType = CU_MEMORYTYPE_DEVICE;
  copy.srcDevice = from;
  copy.srcPitch = rectangle.slot_pitch_bytes;
  copy.dstMemoryType = CU_MEMORYTYPE_HOST;
  copy.dstHost = to;
  copy.dstPitch = rectangle.host_pitch_bytes;
  return cuMemcpy2DAsync(&copy, stream);
}

std::string Api::compile(const KernelSource& source, const std::string& kernel_name, const std::string& architecture) {
  Compilation compilation(source, kernel_name);
  std::string code;
  nvrtcResult result = compilation.run(architecture);
  if (result == NVRTC_SUCCESS) result = compilation.code(code);
  if (result == NVRTC_SUCCESS) return code;
  throw Error(Errc::compile_failed,
              fmt::format("NVRTC does not compile kernel {}{} for {}: {}; its log: {}", kernel_name, source.note(),
                          architecture, nvrtcGetErrorString(result), compilation.log()));
}

}  // namespace convoy::backend::cuda
