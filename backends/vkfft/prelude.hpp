// What VkFFT and the layer over it need at global scope. A backend's VkFFT unit is written so:
//
//   #include "backends/vkfft/prelude.hpp"
//   #include <the driver's headers: see repairs.hpp>
//   namespace convoy::NAME {
//   <pointers or functions with the driver's own names>
//   #include "backends/vkfft/include_vkfft.hpp"
//   #include "backends/vkfft/vkfft_app.hpp"
//   #include "backends/vkfft/vkfft_convolution.hpp"
//   struct Handles { ... };  // the contract is in vkfft_app.hpp
//   }
//
// So each backend has a VkFFT of its own, and several live in one library without a clash.
#pragma once

#include <fmt/format.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdint>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/disk_cache.hpp"
#include "base/of_thread.hpp"
#include "convoy/error.hpp"
#include "convoy/version.hpp"
#include "kernels/kernel_files.hpp"
#include "program/program.hpp"

namespace convoy::inline v0 {

/// Numbers with a decimal point while it lives, in this thread only: VkFFT prints its constants with sprintf.
#if defined(_WIN32)
class CNumbers {
 public:
  CNumbers() : kind_(_configthreadlocale(_ENABLE_PER_THREAD_LOCALE)), before_(setlocale(LC_NUMERIC, nullptr)) {
    setlocale(LC_NUMERIC, "C");
  }
  ~CNumbers() {
    setlocale(LC_NUMERIC, before_.c_str());
    _configthreadlocale(kind_);
  }
  CNumbers(const CNumbers&) = delete;
  CNumbers& operator=(const CNumbers&) = delete;

 private:
  int kind_;  // whether this thread had a locale of its own
  std::string before_;
};
#else
class CNumbers {
 public:
  CNumbers() : locale_(newlocale(LC_ALL_MASK, "C", locale_t{})), before_(uselocale(locale_)) {}
  ~CNumbers() {
    uselocale(before_);
    freelocale(locale_);
  }
  CNumbers(const CNumbers&) = delete;
  CNumbers& operator=(const CNumbers&) = delete;

 private:
  locale_t locale_;
  locale_t before_;
};
#endif

}  // namespace convoy::v0
