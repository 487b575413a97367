// NVRTC over the HIP stand-in's hiprtc.
#include <hip/hiprtc.h>
#include <nvrtc.h>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

nvrtcResult to_nvrtc(hiprtcResult result) {
  if (result == HIPRTC_SUCCESS) return NVRTC_SUCCESS;
  return result == HIPRTC_ERROR_COMPILATION ? NVRTC_ERROR_COMPILATION : NVRTC_ERROR_INTERNAL_ERROR;
}
hiprtcProgram hip(nvrtcProgram program) { return reinterpret_cast<hiprtcProgram>(program); }
hiprtcProgram* hip(nvrtcProgram* program) { return reinterpret_cast<hiprtcProgram*>(program); }

}  // namespace

EXPORT nvrtcResult nvrtcVersion(int* major, int* minor) {
  *major = 13;
  *minor = 0;
  return NVRTC_SUCCESS;
}
EXPORT const char* nvrtcGetErrorString(nvrtcResult result) {
  return result == NVRTC_SUCCESS ? "NVRTC_SUCCESS" : "NVRTC error of the stand-in";
}
EXPORT nvrtcResult nvrtcGetNumSupportedArchs(int* count) {
  *count = 1;
  return NVRTC_SUCCESS;
}
EXPORT nvrtcResult nvrtcGetSupportedArchs(int* architectures) {
  *architectures = 90;
  return NVRTC_SUCCESS;
}
EXPORT nvrtcResult nvrtcCreateProgram(nvrtcProgram* program, const char* text, const char* name, int num_headers,
                                      const char* const* headers, const char* const* names) {
  return to_nvrtc(hiprtcCreateProgram(hip(program), text, name, num_headers, const_cast<const char**>(headers),
                                      const_cast<const char**>(names)));
}
EXPORT nvrtcResult nvrtcCompileProgram(nvrtcProgram program, int num_options, const char* const* options) {
  return to_nvrtc(hiprtcCompileProgram(hip(program), num_options, const_cast<const char**>(options)));
}
EXPORT nvrtcResult nvrtcDestroyProgram(nvrtcProgram* program) { return to_nvrtc(hiprtcDestroyProgram(hip(program))); }
EXPORT nvrtcResult nvrtcGetCUBINSize(nvrtcProgram program, size_t* size) {
  return to_nvrtc(hiprtcGetCodeSize(hip(program), size));
}
EXPORT nvrtcResult nvrtcGetCUBIN(nvrtcProgram program, char* code) {
  return to_nvrtc(hiprtcGetCode(hip(program), code));
}
EXPORT nvrtcResult nvrtcGetProgramLogSize(nvrtcProgram program, size_t* size) {
  return to_nvrtc(hiprtcGetProgramLogSize(hip(program), size));
}
EXPORT nvrtcResult nvrtcGetProgramLog(nvrtcProgram program, char* log) {
  return to_nvrtc(hiprtcGetProgramLog(hip(program), log));
}
