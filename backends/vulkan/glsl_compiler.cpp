#include "backends/vulkan/glsl_compiler.hpp"

#include <fmt/format.h>
#include <glslang/Include/glslang_c_interface.h>
#include <glslang/build_info.h>

#include <cstring>
#include <memory>
#include <optional>

#include "backends/vulkan/spirv.hpp"
#include "base/disk_cache.hpp"
#include "base/log.hpp"
#include "convoy/error.hpp"
#include "convoy/version.hpp"

namespace convoy::backend::vulkan {
namespace {

glslang_resource_t compute_limits() {
  glslang_resource_t limits{};
  limits.max_compute_work_group_count_x = 65535;
  limits.max_compute_work_group_count_y = 65535;
  limits.max_compute_work_group_count_z = 65535;
  limits.max_compute_work_group_size_x = 1024;
  limits.max_compute_work_group_size_y = 1024;
  limits.max_compute_work_group_size_z = 64;
  limits.max_compute_uniform_components = 1024;
  limits.limits.non_inductive_for_loops = true;
  limits.limits.while_loops = true;
  limits.limits.do_while_loops = true;
  limits.limits.general_uniform_indexing = true;
  limits.limits.general_variable_indexing = true;
  limits.limits.general_constant_matrix_vector_indexing = true;
  return limits;
}

}  // namespace

void start_glslang() {
  static const int started = glslang_initialize_process();
  if (started == 0) throw Error(Errc::compile_failed, "glslang does not start");
}

void generate_spirv(glslang_program_t* program, glslang_stage_t stage, const KernelSource& source) {
#if GLSLANG_VERSION_GREATER_OR_EQUAL_TO(12, 0, 0)
  if (!source.path.empty()) {
    glslang_program_set_source_file(program, stage, source.path.c_str());
    glslang_program_add_source_text(program, stage, source.text.c_str(), source.text.size());
    glslang_spv_options_t options{};
    options.generate_debug_info = true;
    options.disable_optimizer = true;  // as glslang_program_SPIRV_generate does
    options.validate = true;
    glslang_program_SPIRV_generate_with_options(program, stage, &options);
    return;
  }
#endif
  static_cast<void>(source);
  glslang_program_SPIRV_generate(program, stage);
}

std::vector<std::uint32_t> compile_glsl(const KernelSource& source, const std::string& name) {
  start_glslang();
  const glslang_resource_t limits = compute_limits();
  glslang_input_t input{};
  input.language = GLSLANG_SOURCE_GLSL;
  input.stage = GLSLANG_STAGE_COMPUTE;
  input.client = GLSLANG_CLIENT_VULKAN;
  input.client_version = GLSLANG_TARGET_VULKAN_1_1;
  input.target_language = GLSLANG_TARGET_SPV;
  input.target_language_version = GLSLANG_TARGET_SPV_1_3;
  input.code = source.text.c_str();
  input.default_version = 450;
  input.default_profile = GLSLANG_NO_PROFILE;
  input.messages = GLSLANG_MSG_DEFAULT_BIT;
  input.resource = &limits;

  const std::unique_ptr<glslang_shader_t, decltype(&glslang_shader_delete)> shader(glslang_shader_create(&input),
                                                                                   &glslang_shader_delete);
  if (glslang_shader_preprocess(shader.get(), &input) == 0 || glslang_shader_parse(shader.get(), &input) == 0) {
    throw Error(Errc::compile_failed, fmt::format("glslang refuses the kernel {}{}: {}\n{}", name, source.note(),
                                                  glslang_shader_get_info_log(shader.get()), source.text));
  }
  const std::unique_ptr<glslang_program_t, decltype(&glslang_program_delete)> program(glslang_program_create(),
                                                                                      &glslang_program_delete);
  glslang_program_add_shader(program.get(), shader.get());
  if (glslang_program_link(program.get(), GLSLANG_MSG_SPV_RULES_BIT | GLSLANG_MSG_VULKAN_RULES_BIT) == 0) {
    throw Error(Errc::compile_failed, fmt::format("glslang does not link the kernel {}{}: {}", name, source.note(),
                                                  glslang_program_get_info_log(program.get())));
  }
  generate_spirv(program.get(), GLSLANG_STAGE_COMPUTE, source);
  std::vector<std::uint32_t> code(glslang_program_SPIRV_get_size(program.get()));
  glslang_program_SPIRV_get(program.get(), code.data());
  return code;
}

std::vector<std::uint32_t> compiled_glsl(const KernelSource& source, const std::string& name) {
  const std::string key =
      fmt::format("SPIR-V by convoy {}, glslang {}.{}.{}\n{}", CONVOY_VERSION, GLSLANG_VERSION_MAJOR,
                  GLSLANG_VERSION_MINOR, GLSLANG_VERSION_PATCH, source.key());
  if (const std::optional<std::string> known = plan_cache().find(key)) {
    std::vector<std::uint32_t> code(known->size() / sizeof(std::uint32_t));
    std::memcpy(code.data(), known->data(), code.size() * sizeof(std::uint32_t));
    return code;
  }
  std::vector<std::uint32_t> code = compile_glsl(source, name);
  log("dispatch", "vulkan: compiled kernel {}{}", name, source.note());
  plan_cache().store(key, std::string(reinterpret_cast<const char*>(code.data()), code.size() * sizeof(std::uint32_t)));
  return code;
}

}  // namespace convoy::backend::vulkan
