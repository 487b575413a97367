// nvrtc_check LIBRARY ARCHITECTURE TEXT...: compiles each text with a real NVRTC, which needs no GPU. The exit status
// is the number of texts that it refuses; their logs go to stderr.
#include <dlfcn.h>
#include <nvrtc.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

namespace {

void* library = nullptr;

template <class Function>
Function* symbol(const char* name) {
  return reinterpret_cast<Function*>(dlsym(library, name));
}

}  // namespace

#define NVRTC(name) symbol<decltype(::name)>(#name)

int main(int count, char** arguments) {
  if (count < 4) return 2;
  library = dlopen(arguments[1], RTLD_NOW);
  if (!library) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  const std::string option = std::string("--gpu-architecture=") + arguments[2];
  const char* const options[] = {option.c_str()};
  int num_refused = 0;
  for (int i = 3; i < count; ++i) {
    std::ifstream file(arguments[i]);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    nvrtcProgram program = nullptr;
    nvrtcResult result = NVRTC(nvrtcCreateProgram)(&program, text.c_str(), arguments[i], 0, nullptr, nullptr);
    if (result == NVRTC_SUCCESS) result = NVRTC(nvrtcCompileProgram)(program, 1, options);
    if (result != NVRTC_SUCCESS) {
      ++num_refused;
      std::size_t size = 0;
      NVRTC(nvrtcGetProgramLogSize)(program, &size);
      std::string log(size, '\0');
      NVRTC(nvrtcGetProgramLog)(program, log.data());
      std::fprintf(stderr, "%s: %s\n%s\n", arguments[i], NVRTC(nvrtcGetErrorString)(result), log.c_str());
    }
    if (program) NVRTC(nvrtcDestroyProgram)(&program);
  }
  std::printf("%d of %d texts compile for %s\n", count - 3 - num_refused, count - 3, arguments[2]);
  return num_refused > 125 ? 125 : num_refused;
}
