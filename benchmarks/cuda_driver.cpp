#include "cuda_driver.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "convoy/error.hpp"

namespace convoy::bench {
namespace {

const CudaDriver& cuda() { return CudaDriver::instance(); }

}  // namespace

void CudaDriver::open() {
  library_ = SharedLibrary({"libcuda.so.1"}, "CONVOY_CUDA_LIBRARY");
  if (!library_.loaded()) {
    why_not_ = library_.why_not();
    return;
  }
  std::string missing;
#define CONVOY_BENCH_GET(member, symbol, ...) look_up(member, library_, symbol, missing);
  CONVOY_BENCH_CUDA_FUNCTIONS(CONVOY_BENCH_GET)
  if (!missing.empty()) {
    why_not_ = fmt::format("{} lacks {}", library_.name(), missing);
    return;
  }
  int count = 0;
  if (init(0) != 0 || device_get_count(&count) != 0 || count == 0) why_not_ = "the CUDA driver has no device";
}

const CudaDriver& CudaDriver::instance() {
  static const CudaDriver driver = [] {
    CudaDriver opened;
    opened.open();
    return opened;
  }();
  return driver;
}

const std::string& CudaDriver::why_not() { return instance().why_not_; }

void CudaDriver::check(int result, const char* call) const {
  if (result == 0) return;
  const char* name = nullptr;
  if (get_error_name(result, &name) != 0 || name == nullptr) name = "unknown";
  throw Error(Errc::device_lost, fmt::format("CUDA: {} failed with {} ({})", call, result, name));
}

std::string CudaDriver::version() const {
  int number = 0;
  check(driver_get_version(&number), "cuDriverGetVersion");
  return fmt::format("{}.{}", number / 1000, number % 1000 / 10);
}

void Nvrtc::open() {
  library_ = SharedLibrary(
      {"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2", "libnvrtc.so", "/usr/local/cuda/lib64/libnvrtc.so"},
      "CONVOY_NVRTC_LIBRARY");
  if (!library_.loaded()) {
    why_not_ = library_.why_not();
    return;
  }
  std::string missing;
  CONVOY_BENCH_NVRTC_FUNCTIONS(CONVOY_BENCH_GET)
#undef CONVOY_BENCH_GET
  if (!missing.empty()) why_not_ = fmt::format("{} lacks {}", library_.name(), missing);
}

const Nvrtc& Nvrtc::instance() {
  static const Nvrtc compiler = [] {
    Nvrtc opened;
    opened.open();
    return opened;
  }();
  return compiler;
}

const std::string& Nvrtc::why_not() { return instance().why_not_; }

std::string Nvrtc::compile_for(const std::string& architecture, const char* text) const {
  NvrtcProgramTag* program = nullptr;
  if (create(&program, text, "convoy_bench.cu", 0, nullptr, nullptr) != 0) {
    throw Error(Errc::compile_failed, "NVRTC made no program");
  }
  const std::string option = "--gpu-architecture=" + architecture;
  const char* options[] = {option.c_str()};
  const int result = compile(program, 1, options);
  std::string output;
  std::size_t size = 0;
  if (result == 0 && code_size(program, &size) == 0) {
    output.resize(size);
    if (code(program, output.data()) != 0) output.clear();
  } else if (log_size(program, &size) == 0) {
    output.resize(size);
    log(program, output.data());
  }
  destroy(&program);
  if (result != 0 || output.empty()) {
    throw Error(Errc::compile_failed, fmt::format("NVRTC refused a kernel for {}: {}", architecture, output));
  }
  return output;
}

CudaContext::CudaContext(int ordinal) {
  if (!CudaDriver::why_not().empty()) throw Error(Errc::backend_unavailable, CudaDriver::why_not());
  cuda().check(cuda().device_get(&device_, ordinal), "cuDeviceGet");
  CudaContextTag* context = nullptr;
  cuda().check(cuda().primary_context_retain(&context, device_), "cuDevicePrimaryCtxRetain");
  if (const int result = cuda().context_push(context); result != 0) {
    cuda().primary_context_release(device_);
    cuda().check(result, "cuCtxPushCurrent");
  }
}

CudaContext::~CudaContext() {
  CudaContextTag* popped = nullptr;
  cuda().context_pop(&popped);
  cuda().primary_context_release(device_);
}

std::string CudaContext::architecture() const {
  constexpr int kMajor = 75;  // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR
  constexpr int kMinor = 76;
  int major = 0;
  int minor = 0;
  cuda().check(cuda().device_get_attribute(&major, kMajor, device_), "cuDeviceGetAttribute");
  cuda().check(cuda().device_get_attribute(&minor, kMinor, device_), "cuDeviceGetAttribute");
  return fmt::format("sm_{}{}", major, minor);
}

std::string CudaContext::device_name() const {
  char name[256] = {};
  cuda().check(cuda().device_get_name(name, sizeof(name) - 1, device_), "cuDeviceGetName");
  return name;
}

CudaBuffer::CudaBuffer(std::size_t bytes) {
  constexpr int kOutOfMemory = 2;
  const int result = cuda().memory_allocate(&address_, bytes);
  if (result == kOutOfMemory) {
    std::size_t free_bytes = 0;
    std::size_t total_bytes = 0;
    cuda().memory_info(&free_bytes, &total_bytes);
    throw OutOfMemory(fmt::format("CUDA has {} bytes free, but {} are needed", free_bytes, bytes), bytes, free_bytes,
                      "free device memory");
  }
  cuda().check(result, "cuMemAlloc");
}

CudaBuffer::~CudaBuffer() { cuda().memory_free(address_); }

CudaPinnedBuffer::CudaPinnedBuffer(std::size_t bytes) {
  cuda().check(cuda().host_allocate(&data_, bytes, 0), "cuMemHostAlloc");
}

CudaPinnedBuffer::~CudaPinnedBuffer() { cuda().host_free(data_); }

CudaStream::CudaStream() {
  constexpr unsigned kNonBlocking = 1;
  cuda().check(cuda().stream_create(&stream_, kNonBlocking), "cuStreamCreate");
}

CudaStream::~CudaStream() { cuda().stream_destroy(stream_); }

void CudaStream::synchronize() const { cuda().check(cuda().stream_synchronize(stream_), "cuStreamSynchronize"); }

CudaTimer::CudaTimer() {
  cuda().check(cuda().event_create(&start_, 0), "cuEventCreate");
  if (const int result = cuda().event_create(&stop_, 0); result != 0) {
    cuda().event_destroy(start_);
    cuda().check(result, "cuEventCreate");
  }
}

CudaTimer::~CudaTimer() {
  cuda().event_destroy(start_);
  cuda().event_destroy(stop_);
}

double CudaTimer::seconds(const std::function<void()>& queue_work) {
  cuda().check(cuda().event_record(start_, nullptr), "cuEventRecord");
  queue_work();
  cuda().check(cuda().event_record(stop_, nullptr), "cuEventRecord");
  cuda().check(cuda().event_synchronize(stop_), "cuEventSynchronize");
  float milliseconds = 0;
  cuda().check(cuda().event_elapsed(&milliseconds, start_, stop_), "cuEventElapsedTime");
  return 1e-3 * static_cast<double>(milliseconds);
}

CudaModule::CudaModule(const CudaContext& context, const char* text) {
  if (!Nvrtc::why_not().empty()) throw Error(Errc::backend_unavailable, Nvrtc::why_not());
  const std::string code = Nvrtc::instance().compile_for(context.architecture(), text);
  cuda().check(cuda().module_load(&module_, code.data()), "cuModuleLoadData");
}

CudaModule::~CudaModule() { cuda().module_unload(module_); }

CudaFunctionTag* CudaModule::function(const char* name) const {
  CudaFunctionTag* found = nullptr;
  cuda().check(cuda().module_function(&found, module_, name), "cuModuleGetFunction");
  return found;
}

int cuda_ordinal_of(const std::string& uuid) {
  if (!CudaDriver::why_not().empty()) return -1;
  std::string wanted = uuid;
  std::erase(wanted, '-');
  int count = 0;
  cuda().device_get_count(&count);
  for (int ordinal = 0; ordinal < count; ++ordinal) {
    int device = 0;
    CudaUuid id{};
    if (cuda().device_get(&device, ordinal) != 0 || cuda().device_get_uuid(&id, device) != 0) continue;
    std::string text;
    for (const unsigned char byte : id.bytes) text += fmt::format("{:02x}", byte);
    if (text == wanted) return ordinal;
  }
  return -1;
}

}  // namespace convoy::bench
