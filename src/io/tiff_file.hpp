// libtiff's handle, with its errors as text of ours and its warnings unheard.
#pragma once

#include <tiffio.h>

#include <cstdint>
#include <memory>
#include <string>

namespace convoy::io {

class TiffFile {
 public:
  /// `mode` as TIFFOpen takes it, for reading. `shown_path` is what errors name. libtiff allocates no block above
  /// max_allocation_bytes (0: any size).
  TiffFile(const std::string& path, const std::string& shown_path, const char* mode,
           std::uint64_t max_allocation_bytes);
  ~TiffFile();
  TiffFile(const TiffFile&) = delete;
  TiffFile& operator=(const TiffFile&) = delete;

  TIFF* handle() const { return handle_; }
  /// Closes and throws Error(io) if libtiff complained about anything since it was opened.
  void close();
  /// Whether libtiff complained.
  bool failed() const { return !complaint_->empty(); }
  /// Throws Error(io): "PATH: message", followed by libtiff's complaint if there is one.
  [[noreturn]] void fail_with(const std::string& message) const;

 private:
  std::string path_;
  std::string opened_path_;
  std::unique_ptr<std::string> complaint_;  // libtiff keeps its address
  TIFF* handle_ = nullptr;
};

}  // namespace convoy::io
