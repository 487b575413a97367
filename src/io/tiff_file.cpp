#include "io/tiff_file.hpp"

#include <string_view>

#include "io/io_error.hpp"
#include "io/tiff_open.hpp"

namespace convoy::io {

TiffFile::TiffFile(const std::string& path, const std::string& shown_path, const char* mode,
                   std::uint64_t max_allocation_bytes)
    : path_(shown_path), opened_path_(path), complaint_(std::make_unique<std::string>()) {
  handle_ = open_tiff(path, mode, max_allocation_bytes, *complaint_);
  if (handle_ == nullptr) fail_with("is no TIFF file that can be read");
}

TiffFile::~TiffFile() {
  if (handle_ != nullptr) close_tiff(handle_);
}

void TiffFile::close() {
  close_tiff(handle_);
  handle_ = nullptr;
  if (failed()) fail_with("cannot be written");
}

void TiffFile::fail_with(const std::string& message) const {
  std::string_view complaint = *complaint_;
  const std::string opened = opened_path_ + ": ";
  if (complaint.starts_with(opened)) complaint.remove_prefix(opened.size());
  fail(path_, "{}{}{}", message, complaint.empty() ? "" : ": ", complaint);
}

}  // namespace convoy::io
