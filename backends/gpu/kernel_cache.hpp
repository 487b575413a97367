// Own element-wise kernels, compiled at run time: machine code once per architecture and process, modules once per
// device.
#pragma once

#include <fmt/format.h>

#include <map>
#include <mutex>
#include <string>

#include "backends/gpu/check.hpp"
#include "common/log.hpp"
#include "kernels/dialects.hpp"

namespace convoy::backend::gpu {

/// Machine code by architecture and text; filled for as long as the process lives.
template <class Api>
const std::string& machine_code(const std::string& text, const std::string& kernel_name,
                                const std::string& architecture) {
  static std::mutex mutex;
  static std::map<std::string, std::string> codes;
  const std::lock_guard lock(mutex);
  const auto [found, is_new] = codes.try_emplace(architecture + "\n" + text);
  if (is_new) {
    try {
      found->second = Api::compile(text, kernel_name, architecture);
    } catch (...) {
      codes.erase(found);
      throw;
    }
    log("dispatch", "{}: compiled kernel {} for {}", Api::kName, kernel_name, architecture);
  }
  return found->second;
}

/// The kernels of one device. The device must be current in the calling thread.
template <class Api>
class KernelCache {
 public:
  explicit KernelCache(std::string device_id) : device_id_(std::move(device_id)) {}

  typename Api::Function function(const KernelSpec& kernel, Precision precision, const std::string& architecture) {
    const std::string text = to_cuda(kernel, precision);
    const std::lock_guard lock(mutex_);
    const auto found = loaded_.find(text);
    if (found != loaded_.end()) return found->second.function;
    const std::string& code = machine_code<Api>(text, kernel.name, architecture);
    Loaded loaded;
    check<Api>(Api::load_module(&loaded.module, code.data()), "loading a kernel's code", device_id_);
    const auto result = Api::find_function(&loaded.function, loaded.module, kernel.name.c_str());
    if (!Api::succeeded(result)) Api::unload_module(loaded.module);
    check<Api>(result, "finding a kernel in its code", device_id_);
    loaded_.emplace(text, loaded);
    return loaded.function;
  }

  void unload_all() noexcept {
    for (const auto& [text, loaded] : loaded_) Api::unload_module(loaded.module);
    loaded_.clear();
  }

 private:
  struct Loaded {
    typename Api::Module module{};
    typename Api::Function function{};
  };

  std::string device_id_;
  std::mutex mutex_;
  std::map<std::string, Loaded> loaded_;
};

}  // namespace convoy::backend::gpu
