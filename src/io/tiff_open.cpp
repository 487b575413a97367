#include "io/tiff_open.hpp"

#include <cstdarg>
#include <cstdio>

// CONVOY_OLD_LIBTIFF: a test takes the way of old releases with a newer one.
#if TIFFLIB_VERSION >= 20221213 && !defined(CONVOY_OLD_LIBTIFF)
#include <memory>
#if defined(_WIN32)
#include "base/windows.hpp"
#endif
#else
#include <fcntl.h>
#include <unistd.h>

#include <map>
#include <mutex>
#endif

namespace convoy::io {
namespace {

/// Keeps the first complaint: the later ones follow from it.
void keep(std::string& complaint, const char* format, va_list values) {
  char text[512];
  std::vsnprintf(text, sizeof text, format, values);
  if (complaint.empty()) complaint = text;
}

}  // namespace

#if TIFFLIB_VERSION >= 20221213 && !defined(CONVOY_OLD_LIBTIFF)

namespace {

constexpr int kHandled = 1;

int keep_complaint(TIFF*, void* complaint, const char*, const char* format, va_list values) {
  keep(*static_cast<std::string*>(complaint), format, values);
  return kHandled;
}

int ignore_warning(TIFF*, void*, const char*, const char*, va_list) { return kHandled; }

}  // namespace

TIFF* open_tiff(const std::string& path, const char* mode, std::uint64_t max_allocation_bytes, std::string& complaint) {
  const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(TIFFOpenOptionsAlloc(),
                                                                                 &TIFFOpenOptionsFree);
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), keep_complaint, &complaint);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), ignore_warning, nullptr);
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), static_cast<tmsize_t>(max_allocation_bytes));
#if defined(_WIN32)
  return TIFFOpenWExt(windows::to_wide(path).c_str(), mode, options.get());
#else
  return TIFFOpenExt(path.c_str(), mode, options.get());
#endif
}

void close_tiff(TIFF* file) { TIFFClose(file); }

#else

namespace {

/// The files that are open here, by descriptor, and the handlers that everything else goes to.
struct OpenFiles {
  std::mutex mutex;
  std::map<int, std::string*> complaints;
  TIFFErrorHandler error = nullptr, warning = nullptr;
  TIFFErrorHandlerExt error_ext = nullptr, warning_ext = nullptr;
};

OpenFiles& open_files() {
  static OpenFiles files;
  return files;
}

/// libtiff's handle of a file that it reads by descriptor; the upper half is not always set.
int descriptor_of(thandle_t handle) { return static_cast<int>(reinterpret_cast<std::intptr_t>(handle)); }

void pass_on(TIFFErrorHandler plain, TIFFErrorHandlerExt extended, thandle_t handle, const char* module,
             const char* format, va_list values) {
  va_list again;
  va_copy(again, values);
  if (plain != nullptr) plain(module, format, values);
  if (extended != nullptr) extended(handle, module, format, again);
  va_end(again);
}

void on_error(thandle_t handle, const char* module, const char* format, va_list values) {
  OpenFiles& files = open_files();
  const std::lock_guard lock(files.mutex);
  const auto found = files.complaints.find(descriptor_of(handle));
  if (found != files.complaints.end()) {
    keep(*found->second, format, values);
  } else {
    pass_on(files.error, files.error_ext, handle, module, format, values);
  }
}

void on_warning(thandle_t handle, const char* module, const char* format, va_list values) {
  OpenFiles& files = open_files();
  const std::lock_guard lock(files.mutex);
  if (files.complaints.contains(descriptor_of(handle))) return;
  pass_on(files.warning, files.warning_ext, handle, module, format, values);
}

/// Takes the place of whatever handlers there are; a host program may have set new ones since the last time.
void install_handlers(OpenFiles& files) {
  const TIFFErrorHandlerExt error_ext = TIFFSetErrorHandlerExt(on_error);
  const TIFFErrorHandlerExt warning_ext = TIFFSetWarningHandlerExt(on_warning);
  const TIFFErrorHandler error = TIFFSetErrorHandler(nullptr), warning = TIFFSetWarningHandler(nullptr);
  if (error_ext != on_error) files.error_ext = error_ext;
  if (warning_ext != on_warning) files.warning_ext = warning_ext;
  if (error != nullptr) files.error = error;
  if (warning != nullptr) files.warning = warning;
}

void forget(int descriptor, const std::string* complaint) {
  OpenFiles& files = open_files();
  const std::lock_guard lock(files.mutex);
  const auto found = files.complaints.find(descriptor);  // by now it may be another file's
  if (found != files.complaints.end() && found->second == complaint) files.complaints.erase(found);
}

}  // namespace

TIFF* open_tiff(const std::string& path, const char* mode, std::uint64_t, std::string& complaint) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    complaint = "cannot be opened";
    return nullptr;
  }
  OpenFiles& files = open_files();
  {
    const std::lock_guard lock(files.mutex);
    install_handlers(files);
    files.complaints[descriptor] = &complaint;
  }
  TIFF* file = TIFFFdOpen(descriptor, path.c_str(), mode);
  if (file == nullptr) {
    forget(descriptor, &complaint);
    ::close(descriptor);
  }
  return file;
}

void close_tiff(TIFF* file) {
  OpenFiles& files = open_files();
  const int descriptor = TIFFFileno(file);
  const std::string* complaint = nullptr;
  {
    const std::lock_guard lock(files.mutex);
    const auto found = files.complaints.find(descriptor);
    if (found != files.complaints.end()) complaint = found->second;
  }
  TIFFClose(file);
  forget(descriptor, complaint);
}

#endif

}  // namespace convoy::io
