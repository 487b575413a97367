// Memory in a file without a name, for what does not fit the machine's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/file.hpp"

namespace convoy::inline v0 {

class CONVOY_PRIVATE ScratchFile {
 public:
  /// `path` is a folder, or a new file's. The disk space is taken before this returns, and given back with the object
  /// or the process, however that ends: the file has no name. Throws Error(io) where there is not enough.
  ScratchFile(const std::string& path, std::uint64_t size_bytes);
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  /// Zeros at first.
  std::byte* data() const { return data_; }
  /// Takes it out of this process' memory; it comes back as it is used. Any thread may call this at any time.
  void release() const { File::release(data_, size_bytes_); }

 private:
  File file_;
  std::string left_name_;  // of systems where open files keep their names
  std::byte* data_ = nullptr;
  std::uint64_t size_bytes_ = 0;
};

}  // namespace convoy::inline v0
