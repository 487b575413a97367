// Handles of files on Windows: opened by a name in a folder that is open, as openat does. What fails leaves the reason
// in errno.
#pragma once

#if defined(_WIN32)
#include <string>

#include "base/file.hpp"
#include "base/windows.hpp"

namespace convoy::windows {

// Options and dispositions of NtCreateFile.
inline constexpr ULONG kOpenReparsePoint = 0x00200000;
inline constexpr ULONG kDirectoryFile = 0x00000001;
inline constexpr ULONG kCreate = 2;
inline constexpr ULONG kOpen = 1;

inline constexpr DWORD kLookAccess = FILE_READ_ATTRIBUTES | READ_CONTROL | SYNCHRONIZE;
inline constexpr DWORD kFolderAccess = kLookAccess | FILE_LIST_DIRECTORY | FILE_TRAVERSE;

bool succeeded(BOOL done);

/// A name relative to a folder, or without one any path. Null if it cannot be opened.
HANDLE open_native(HANDLE folder, const std::string& name, DWORD access, ULONG disposition, ULONG options);

inline ULONG options_of(Links links) { return links == Links::refused ? kOpenReparsePoint : 0; }

/// A user's FileStatus::owner.
std::uint64_t number_of(PSID user);

FileStatus status_from(HANDLE handle);
FileTime time_from(LARGE_INTEGER ticks);

/// Opens an entry for one call.
class Opened {
 public:
  Opened(HANDLE folder, const std::string& name, DWORD access, ULONG options)
      : handle_(open_native(folder, name, access, kOpen, options)) {}
  ~Opened();
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;
  explicit operator bool() const { return handle_ != nullptr; }
  HANDLE get() const { return handle_; }

 private:
  HANDLE handle_;
};

/// Deletes what is open: its name goes at once where the file system can, else when the last handle is closed.
bool delete_opened(HANDLE handle);
/// A new name in a folder that is open. Replaces a file, though it is open elsewhere where the file system can that.
bool rename_opened(HANDLE handle, HANDLE folder, const std::string& name, bool replace);
/// A second name.
bool link_opened(HANDLE handle, HANDLE folder, const std::string& name);

}  // namespace convoy::windows
#endif
