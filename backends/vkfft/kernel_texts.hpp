// The texts that VkFFT generates, on their way to the compiler: files of kernels (kernels/kernel_files.hpp) hold them, too.
// Included inside a backend's namespace, before VkFFT, which then calls what is defined here in place of the compiler's own
// functions.

/// What VkFFT compiles in this thread, for the files' names and headers.
static inline KernelFile& vkfft_file() { return of_thread<KernelFile, struct VkfftFile>(); }
static inline KernelSource& vkfft_source() { return of_thread<KernelSource, struct VkfftSource>(); }

static inline const KernelSource& vkfft_text(const char* text) {
  vkfft_source() = kernel_source(text, vkfft_file());
  return vkfft_source();
}

// Objects, not functions: those of the libraries would be found as well, through the types of the arguments.
#if VKFFT_BACKEND == 0
static constexpr auto create_vkfft_shader = [](const glslang_input_t* given) {
  glslang_input_t input = *given;
  input.code = vkfft_text(given->code).text.c_str();
  return glslang_shader_create(&input);
};
static constexpr auto generate_vkfft_spirv = [](glslang_program_t* program, glslang_stage_t stage) {
  generate_spirv(program, stage, vkfft_source());
};
#define glslang_shader_create create_vkfft_shader
#define glslang_program_SPIRV_generate generate_vkfft_spirv
#elif VKFFT_BACKEND == 1
static constexpr auto create_vkfft_program = [](nvrtcProgram* program, const char* text, const char* name, int num_headers,
                                                const char* const* headers, const char* const* names) {
  const KernelSource& source = vkfft_text(text);
  return nvrtcCreateProgram(program, source.text.c_str(), source.path.empty() ? name : source.path.c_str(), num_headers,
                            headers, names);
};
static constexpr auto compile_vkfft_program = [](nvrtcProgram program, int num_options, const char* const* options) {
  std::vector<const char*> all(options, options + num_options);
  if (!vkfft_source().path.empty()) all.push_back("-lineinfo");
  return nvrtcCompileProgram(program, static_cast<int>(all.size()), all.data());
};
#define nvrtcCreateProgram create_vkfft_program
#define nvrtcCompileProgram compile_vkfft_program
#elif VKFFT_BACKEND == 2
static constexpr auto create_vkfft_program = [](hiprtcProgram* program, const char* text, const char* name, int num_headers,
                                                const char** headers, const char** names) {
  const KernelSource& source = vkfft_text(text);
  return hiprtcCreateProgram(program, source.text.c_str(), source.path.empty() ? name : source.path.c_str(), num_headers,
                             headers, names);
};
static constexpr auto compile_vkfft_program = [](hiprtcProgram program, int num_options, const char** options) {
  std::vector<const char*> all(options, options + num_options);
  if (!vkfft_source().path.empty()) all.push_back("-gline-tables-only");
  return hiprtcCompileProgram(program, static_cast<int>(all.size()), all.data());
};
#define hiprtcCreateProgram create_vkfft_program
#define hiprtcCompileProgram compile_vkfft_program
#endif
