#include <fmt/format.h>

#include "convoy/version.hpp"
#include "kernels/kernel_files.hpp"
#include "kernels/voxel_conversions.hpp"

namespace convoy::inline v0 {
namespace {

class Header {
 public:
  explicit Header(const std::string& name) {
    text_ = fmt::format("{}{}: {}\n//\n", kKernelFileMark, CONVOY_VERSION, name);
  }
  void add(const std::string& what, const std::string& words) { text_ += fmt::format("// {:<14} {}\n", what, words); }
  std::string text() const {
    return text_ +
           "//\n"
           "// Change this text, keep the file's name and say CONVOY_USE_KERNELS=<its folder>: it is compiled in place "
           "of\n"
           "// the text that convoy generates.\n";
  }

 private:
  std::string text_;
};

std::string text_of_buffer(const KernelBuffer& buffer) {
  return fmt::format("{} ({}, {}){}{}", buffer.name, type_of(buffer, "count", name),
                     buffer.writable ? "written" : "read", buffer.about.empty() ? "" : ": ", buffer.about);
}

std::string header_of(const KernelSpec& kernel, Precision precision, const DeviceInfo& device) {
  Header header(kernel.name);
  header.add("device", fmt::format("{}{}{}; {}", device.name, device.architecture.empty() ? "" : ", ",
                                   device.architecture, device.driver));
  for (const auto& [what, words] : kernel.notes) header.add(what, words);
  if (kernel.notes.empty()) header.add("plan", "any: sizes are parameters");
  header.add("reals", precision == Precision::f32 ? "float" : "double");
  const auto& [x, y, z] = kernel.workgroup;
  header.add("workgroup", fmt::format("{} x {} x {} = {} threads{}", x, y, z, x * y * z,
                                      kernel.min_threads_per_sm == 0
                                          ? ""
                                          : fmt::format("; at least {} of them on a CUDA multiprocessor at once, which "
                                                        "bounds their registers",
                                                        kernel.min_threads_per_sm)));
  header.add("shared memory", fmt::format("{} bytes a workgroup", shared_bytes(kernel, precision)));
  std::string what = "buffers";
  for (const KernelBuffer& buffer : kernel.buffers) header.add(std::exchange(what, ""), text_of_buffer(buffer));
  std::string names;
  for (const auto& parameter : kernel.parameters) names += (names.empty() ? "" : ", ") + parameter.name;
  if (!names.empty()) header.add("parameters", names);
  return header.text();
}

}  // namespace

KernelSource kernel_source(const std::string& text, const KernelSpec& kernel, Precision precision,
                           const DeviceInfo& device, const std::string& extension) {
  if (!wants_kernel_files()) return {text, "", false};
  const std::string name = kernel.file_name.empty() ? kernel.name : kernel.file_name;
  return kernel_source(text, {.name = fmt::format("{}-{}", name, precision == Precision::f32 ? "f32" : "f64"),
                              .architecture = device.architecture,
                              .extension = extension,
                              .header = header_of(kernel, precision, device)});
}

}  // namespace convoy::inline v0
