#include "io/tiff_file.hpp"

#include <cstdarg>
#include <cstdio>
#include <string_view>

#include "io/io_error.hpp"

namespace convoy::io {
namespace {

constexpr int kHandled = 1;

/// Keeps the first complaint: the later ones follow from it.
int keep_complaint(TIFF*, void* complaint, const char*, const char* format, va_list values) {
  char text[512];
  std::vsnprintf(text, sizeof text, format, values);
  std::string& kept = *static_cast<std::string*>(complaint);
  if (kept.empty()) kept = text;
  return kHandled;
}

int ignore_warning(TIFF*, void*, const char*, const char*, va_list) { return kHandled; }

}  // namespace

TiffFile::TiffFile(const std::string& path, const std::string& shown_path, const char* mode,
                   std::uint64_t max_allocation_bytes)
    : path_(shown_path), opened_path_(path), complaint_(std::make_unique<std::string>()) {
  const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(TIFFOpenOptionsAlloc(),
                                                                                 &TIFFOpenOptionsFree);
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), keep_complaint, complaint_.get());
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), ignore_warning, nullptr);
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), static_cast<tmsize_t>(max_allocation_bytes));
  handle_ = TIFFOpenExt(path.c_str(), mode, options.get());
  if (handle_ == nullptr) fail_with("is no TIFF file that can be read");
}

TiffFile::~TiffFile() {
  if (handle_ != nullptr) TIFFClose(handle_);
}

void TiffFile::close() {
  TIFFClose(handle_);
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
