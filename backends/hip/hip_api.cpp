#include "backends/hip/hip_api.hpp"

#include <fmt/format.h>

#include <vector>

namespace convoy::backend::hip {
namespace {

class Compilation {
 public:
  Compilation(const KernelSource& source, const std::string& name) : with_lines_(!source.path.empty()) {
    const std::string file = with_lines_ ? source.path : name + ".hip";
    created_ = hiprtcCreateProgram(&program_, source.text.c_str(), file.c_str(), 0, nullptr, nullptr);
  }
  ~Compilation() {
    if (created_ == HIPRTC_SUCCESS) hiprtcDestroyProgram(&program_);
  }
  Compilation(const Compilation&) = delete;
  Compilation& operator=(const Compilation&) = delete;

  hiprtcResult run() {
    const char* options[] = {"-gline-tables-only"};
    return created_ != HIPRTC_SUCCESS ? created_ : compile_for_current_device(program_, with_lines_ ? 1 : 0, options);
  }
  hiprtcResult code(std::string& code) {
    std::size_t size = 0;
    if (const hiprtcResult result = hiprtcGetCodeSize(program_, &size); result != HIPRTC_SUCCESS) return result;
    code.resize(size);
    return hiprtcGetCode(program_, code.data());
  }
  std::string log() const {
    std::size_t size = 0;
    if (created_ != HIPRTC_SUCCESS) return "no program was made";
    if (hiprtcGetProgramLogSize(program_, &size) != HIPRTC_SUCCESS || size < 2) return "no log";
    std::string log(size, '\0');
    hiprtcGetProgramLog(program_, log.data());
    log.resize(size - 1);
    return log;
  }

 private:
  bool with_lines_;
  hiprtcProgram program_{};
  hiprtcResult created_ = HIPRTC_SUCCESS;
};

}  // namespace

bool Api::is_fatal(Result result) {
  switch (result) {
    case hipErrorDeinitialized:
    case hipErrorECCNotCorrectable:
    case hipErrorIllegalAddress:
    case hipErrorLaunchTimeOut:
    case hipErrorContextIsDestroyed:
    case hipErrorAssert:
    case hipErrorLaunchFailure:
    case hipErrorUnknown:
      return true;
    default:
      return false;
  }
}

bool Api::is_unsupported(Result result) {
  switch (result) {
    case hipErrorInvalidValue:
    case hipErrorInvalidConfiguration:
    case hipErrorNoBinaryForGpu:
    case hipErrorInvalidImage:
    case hipErrorLaunchOutOfResources:
    case hipErrorNotSupported:
      return true;
    default:
      return false;
  }
}

Api::Handle Api::open(int ordinal, const std::string& device_id) {
  Handle handle{.ordinal = ordinal};
  const Current current(handle);
  Result result = current.result();
  if (result == hipSuccess) result = hipDeviceGet(&handle.device, ordinal);
  if (result != hipSuccess) {
    throw Error(Errc::backend_unavailable, fmt::format("{} cannot be opened: {}", device_id, error_text(result)));
  }
  return handle;
}

Api::Result Api::upload(void* slot, const void* host, const gpu::Rectangle& rectangle, Stream stream) {
  if (rectangle.is_line()) {
    return hipMemcpyAsync(slot, host, rectangle.width_bytes * rectangle.rows, hipMemcpyHostToDevice, stream);
  }
  return hipMemcpy2DAsync(slot, rectangle.slot_pitch_bytes, host, rectangle.host_pitch_bytes, rectangle.width_bytes,
                          rectangle.rows, hipMemcpyHostToDevice, stream);
}

Api::Result Api::download(void* host, const void* slot, const gpu::Rectangle& rectangle, Stream stream) {
  if (rectangle.is_line()) {
    return hipMemcpyAsync(host, slot, rectangle.width_bytes * rectangle.rows, hipMemcpyDeviceToHost, stream);
  }
  return hipMemcpy2DAsync(host, rectangle.host_pitch_bytes, slot, rectangle.slot_pitch_bytes, rectangle.width_bytes,
                          rectangle.rows, hipMemcpyDeviceToHost, stream);
}

std::string Api::compile(const KernelSource& source, const std::string& kernel_name, const std::string& architecture) {
  Compilation compilation(source, kernel_name);
  std::string code;
  hiprtcResult result = compilation.run();
  if (result == HIPRTC_SUCCESS) result = compilation.code(code);
  if (result == HIPRTC_SUCCESS) return code;
  throw Error(Errc::compile_failed,
              fmt::format("hiprtc does not compile kernel {}{} for {}: {}; its log: {}", kernel_name, source.note(),
                          architecture, hiprtcGetErrorString(result), compilation.log()));
}

}  // namespace convoy::backend::hip
