#include "base/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <string_view>

#include "base/worker_pool.hpp"
#include "convoy/error.hpp"
#include "convoy/settings.hpp"
#if defined(_WIN32)
#include "base/windows.hpp"
#endif

namespace convoy::inline v0 {
namespace {

constexpr std::array kVariables{"CONVOY_THREADS",
                                "CONVOY_CPU_FFT",
                                "CONVOY_FFTW3F_LIBRARY",
                                "CONVOY_FFTW3_LIBRARY",
                                "CONVOY_CUDA_LIBRARY",
                                "CONVOY_NVRTC_LIBRARY",
                                "CONVOY_HIP_LIBRARY",
                                "CONVOY_HIPRTC_LIBRARY",
                                "CONVOY_VULKAN_LIBRARY",
                                "CONVOY_LIBRARY_PATH",
                                "CONVOY_CACHE_DIR",
                                "CONVOY_SENTINELS",
                                "CONVOY_DUMP_KERNELS",
                                "CONVOY_USE_KERNELS",
                                "CONVOY_LIMIT_FREE_BYTES",
                                "CONVOY_LIMIT_MAX_ALLOCATION_BYTES",
                                "CONVOY_LIMIT_MAX_BINDING_BYTES",
                                "CONVOY_LIMIT_SHARED_MEMORY_BYTES"};

struct Settings {
  std::mutex mutex;
  std::map<std::string, std::string, std::less<>> values;
  std::set<std::string, std::less<>> read_for_good;
  std::atomic<std::uint64_t> version{1};
};

Settings& settings() {
  static auto& lasting = *new Settings;  // outlives all that happens at exit
  return lasting;
}

#if defined(_WIN32)
/// As UTF-8, whatever the process' code page is. Texts are never freed: there are few, and callers keep them.
const char* environment(const char* name) {
  const std::wstring wide_name = windows::to_wide(name);
  std::wstring value(32768, L'\0');
  const DWORD length = ::GetEnvironmentVariableW(wide_name.c_str(), value.data(), static_cast<DWORD>(value.size()));
  if (length == 0 || length >= value.size()) return nullptr;
  value.resize(length);
  static std::mutex mutex;
  static auto& texts = *new std::set<std::string>;
  const std::lock_guard lock(mutex);
  return texts.insert(windows::to_utf8(value)).first->c_str();
}
#else
const char* environment(const char* name) { return std::getenv(name); }
#endif

}  // namespace

const char* setting(const char* name) {
  Settings& known = settings();
  if (known.version != 1) {
    const std::lock_guard lock(known.mutex);
    if (const auto found = known.values.find(std::string_view(name)); found != known.values.end()) {
      return found->second.empty() ? nullptr : found->second.c_str();
    }
  }
  const char* value = environment(name);
  return value == nullptr || *value == '\0' ? nullptr : value;
}

const char* setting_for_good(const char* name) {
  {
    const std::lock_guard lock(settings().mutex);
    settings().read_for_good.emplace(name);
  }
  return setting(name);
}

std::uint64_t settings_version() { return settings().version; }

void set_variable(const std::string& name, const std::optional<std::string>& value) {
  if (std::none_of(kVariables.begin(), kVariables.end(), [&](const char* known) { return name == known; })) {
    throw Error(Errc::invalid_argument,
                fmt::format("convoy has no variable '{}'; there are {}", name, fmt::join(kVariables, ", ")));
  }
  Settings& known = settings();
  const std::lock_guard lock(known.mutex);
  if (known.read_for_good.contains(name)) {
    throw Error(Errc::invalid_argument,
                fmt::format("{} was read already, when its backend was first looked for; set it before the first "
                            "device is listed or opened",
                            name));
  }
  if (value) {
    known.values.insert_or_assign(name, *value);
  } else {
    known.values.erase(name);
  }
  ++known.version;
}

int num_threads() { return default_num_threads(); }

}  // namespace convoy::inline v0
