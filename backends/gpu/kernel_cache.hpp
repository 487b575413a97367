// Own kernels, compiled at run time: machine code is kept as compiled plans are, modules live as long as the sessions
// that use them.
#pragma once

#include <fmt/format.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "backends/gpu/check.hpp"
#include "base/disk_cache.hpp"
#include "base/log.hpp"
#include "convoy/version.hpp"
#include "kernels/dialects.hpp"
#include "kernels/kernel_files.hpp"

namespace convoy::backend::gpu {

template <class Api>
std::string machine_code(const KernelSource& source, const std::string& kernel_name, const DeviceInfo& device) {
  const std::string key = fmt::format("kernel of convoy {} for {}\n{}\n{}", CONVOY_VERSION, Api::kName,
                                      device_identity(device), source.key());
  if (auto known = plan_cache().find(key)) return *std::move(known);
  std::string code = Api::compile(source, kernel_name, device.architecture);
  log("dispatch", "{}: compiled kernel {}{} for {}", Api::kName, kernel_name, source.note(), device.architecture);
  plan_cache().store(key, code);
  return code;
}

/// A kernel on a device. The device must be current in the thread that makes or destroys it.
template <class Api>
class LoadedKernel {
 public:
  LoadedKernel(const KernelSource& source, const KernelSpec& kernel, Precision precision, const DeviceInfo& device) {
    std::string code = machine_code<Api>(source, kernel.name, device);
    check<Api>(Api::load_module(&module_, code.data()), "loading a kernel's code", device.id);
    auto result = Api::find_function(&function_, module_, kernel.name.c_str());
    const std::uint64_t bytes = shared_bytes(kernel, precision);
    if (Api::succeeded(result) && bytes > 0) result = Api::allow_shared(function_, bytes);
    if (!Api::succeeded(result)) Api::unload_module(module_);
    check<Api>(result, "finding a kernel in its code", device.id);
  }
  ~LoadedKernel() { Api::unload_module(module_); }
  LoadedKernel(const LoadedKernel&) = delete;
  LoadedKernel& operator=(const LoadedKernel&) = delete;

  typename Api::Function function() const { return function_; }

 private:
  typename Api::Module module_{};
  typename Api::Function function_{};
};

/// The kernels that sessions of one device hold. The device must be current in the calling thread.
template <class Api>
class KernelCache {
 public:
  std::shared_ptr<const LoadedKernel<Api>> kernel(const KernelSpec& spec, Precision precision,
                                                  const DeviceInfo& device) {
    const KernelSource source = kernel_source(to_cuda(spec, precision), spec, precision, device, Api::kTextExtension);
    const std::string key = source.key();
    const std::lock_guard lock(mutex_);
    if (const auto known = loaded_.find(key); known != loaded_.end()) {
      if (auto held = known->second.lock()) return held;
    }
    std::erase_if(loaded_, [](const auto& entry) { return entry.second.expired(); });
    auto made = std::make_shared<const LoadedKernel<Api>>(source, spec, precision, device);
    loaded_[key] = made;
    return made;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<const LoadedKernel<Api>>> loaded_;
};

}  // namespace convoy::backend::gpu
