// An NVRTC of another release, which knows other devices; everything else it takes from the stand-in that it is linked
// with. NVRTC_MAJOR, NVRTC_MINOR and NVRTC_ARCHITECTURES say which.
#include <nvrtc.h>

#include <algorithm>
#include <iterator>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

constexpr int kArchitectures[] = {NVRTC_ARCHITECTURES};

}  // namespace

EXPORT nvrtcResult nvrtcVersion(int* major, int* minor) {
  *major = NVRTC_MAJOR;
  *minor = NVRTC_MINOR;
  return NVRTC_SUCCESS;
}
EXPORT nvrtcResult nvrtcGetNumSupportedArchs(int* count) {
  *count = static_cast<int>(std::size(kArchitectures));
  return NVRTC_SUCCESS;
}
EXPORT nvrtcResult nvrtcGetSupportedArchs(int* architectures) {
  std::copy(std::begin(kArchitectures), std::end(kArchitectures), architectures);
  return NVRTC_SUCCESS;
}
