// The texts of kernels as files that one can read, profile and change:
//
//   CONVOY_DUMP_KERNELS=FOLDER   every text that a compiler is to be given is written there, one file a kernel, whether
//   or
//                                not its code is cached. What lies there already, edited or not, is never replaced.
//   CONVOY_USE_KERNELS=FOLDER    a file of the same name is compiled in place of the text that convoy generates.
//
// A file is named after the kernel, the device's architecture and a hash of the generated text: an edited one is thus
// taken only where convoy would generate what it was made from. Links are neither followed nor replaced. What goes
// wrong with a file is logged (topic dispatch), and the generated text is compiled.
#pragma once

#include <string>

#include "convoy/device.hpp"
#include "kernels/kernel_spec.hpp"

namespace convoy::inline v0 {

/// How a file begins that was written here.
inline constexpr const char* kKernelFileMark = "// Kernel of convoy ";

/// Whether one of the variables is set.
bool wants_kernel_files();

/// What a compiler is to be given.
struct KernelSource {
  std::string text{};
  std::string path{};   ///< of the file that holds it, for lines in profilers; empty: no file does
  bool edited = false;  ///< it is the user's

  /// For caches of compiled code.
  std::string key() const { return path.empty() ? text : text + "\nwith lines of " + path; }
  /// " (edited: PATH)" for messages, or nothing.
  std::string note() const { return path.empty() ? "" : " (" + std::string(edited ? "edited: " : "") + path + ")"; }
};

struct KernelFile {
  std::string name;          ///< of the kernel, with its sizes: columns_forward_540
  std::string architecture;  ///< may be empty
  std::string extension;     ///< cu, hip, comp
  std::string header;        ///< comment lines that files begin with
};

/// `text` itself where neither variable is set.
KernelSource kernel_source(const std::string& text, const KernelFile& file);
/// The same of a kernel printed for a device, with all that is known of it in the header.
KernelSource kernel_source(const std::string& text, const KernelSpec& kernel, Precision precision,
                           const DeviceInfo& device, const std::string& extension);

}  // namespace convoy::inline v0
