// By the calls of Windows NT where Win32 has none: names are looked for from a folder's handle, as openat does.
#if defined(_WIN32)
#include <aclapi.h>
#include <winioctl.h>
#include <winternl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "base/windows.hpp"
#include "base/windows_handles.hpp"

namespace convoy::inline v0 {
namespace {

using windows::kCreate;
using windows::kDirectoryFile;
using windows::kFolderAccess;
using windows::kLookAccess;
using windows::kOpen;
using windows::kOpenReparsePoint;
using windows::open_native;
using windows::Opened;
using windows::options_of;
using windows::status_from;
using windows::succeeded;

constexpr std::uint64_t kMostPerCall = 1U << 30;
constexpr DWORD kWriteAccess =
    kLookAccess | FILE_READ_DATA | FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_WRITE_ATTRIBUTES;

/// An event that exists while a folder is locked: folders themselves have no locks.
std::wstring lock_name_of(const FileIdentity& folder) {
  return L"Global\\convoy-folder-" + std::to_wstring(folder.device) + L"-" + std::to_wstring(folder.number);
}

}  // namespace

std::uint64_t user_of_process() {
  static const std::uint64_t user = [] {
    HANDLE token = nullptr;
    if (::OpenProcessToken(::GetCurrentProcess(), TOKEN_QUERY, &token) == 0) return std::uint64_t{0};
    std::array<std::byte, sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE> memory{};
    DWORD used = 0;
    const bool known = ::GetTokenInformation(token, TokenUser, memory.data(), static_cast<DWORD>(memory.size()), &used);
    ::CloseHandle(token);
    return known ? windows::number_of(reinterpret_cast<TOKEN_USER*>(memory.data())->User.Sid) : std::uint64_t{0};
  }();
  return user;
}

std::uint64_t number_of_process() { return ::GetCurrentProcessId(); }
std::uint64_t max_file_bytes() { return UINT64_MAX; }

FileTime time_now() {
  FILETIME now{};
  ::GetSystemTimePreciseAsFileTime(&now);
  LARGE_INTEGER ticks{};
  ticks.LowPart = now.dwLowDateTime;
  ticks.HighPart = static_cast<LONG>(now.dwHighDateTime);
  return windows::time_from(ticks);
}

File::operator bool() const { return handle_ != nullptr; }

int File::close() {
  if (folder_lock_ != nullptr) ::CloseHandle(std::exchange(folder_lock_, nullptr));
  void* const closed = std::exchange(handle_, nullptr);
  return closed != nullptr && !succeeded(::CloseHandle(closed)) ? errno : 0;
}

const File& File::working_folder() {
  static const File folder;
  return folder;
}

File File::open_to_read(const std::string& path, Links links) const {
  File file(open_native(handle_, path, kLookAccess | FILE_READ_DATA, kOpen, options_of(links)));
  if (!file || links == Links::followed || file.status().kind != FileKind::link) return file;
  errno = ELOOP;
  return {};
}

File File::open_to_change(const std::string& name) const {
  File file(open_native(handle_, name, kWriteAccess, kOpen, kOpenReparsePoint));
  if (!file || file.status().kind != FileKind::link) return file;
  errno = ELOOP;
  return {};
}

File File::make_file(const std::string& name, Permissions) const {
  return File(open_native(handle_, name, kWriteAccess, kCreate, kOpenReparsePoint));
}

File File::open_folder(const std::string& path, Links links) const {
  const ULONG options = kDirectoryFile | options_of(links);
  File folder(open_native(handle_, path, kFolderAccess, kOpen, options));
  if (!folder && errno == EACCES) folder = File(open_native(handle_, path, kLookAccess, kOpen, options));
  if (!folder || links == Links::followed || folder.status().kind != FileKind::link) return folder;
  errno = ENOTDIR;
  return {};
}

bool File::make_folder(const std::string& name, Permissions) const {
  return static_cast<bool>(File(open_native(handle_, name, kLookAccess, kCreate, kDirectoryFile)));
}

std::optional<FileStatus> File::status_of(const std::string& path, Links links) const {
  const Opened entry(handle_, path, kLookAccess, options_of(links));
  if (!entry) return std::nullopt;
  return status_from(entry.get());
}

std::optional<std::string> File::link_target(const std::string& name) const {
  struct SymbolicLink {
    ULONG tag;
    USHORT length, reserved, target_offset, target_bytes, shown_offset, shown_bytes;
    ULONG flags;
    WCHAR text[1];
  };
  const Opened link(handle_, name, kLookAccess, kOpenReparsePoint);
  if (!link) return std::nullopt;
  std::vector<std::byte> memory(MAXIMUM_REPARSE_DATA_BUFFER_SIZE);
  DWORD used = 0;
  if (!succeeded(::DeviceIoControl(link.get(), FSCTL_GET_REPARSE_POINT, nullptr, 0, memory.data(),
                                   static_cast<DWORD>(memory.size()), &used, nullptr))) {
    return std::nullopt;
  }
  const auto* data = reinterpret_cast<const SymbolicLink*>(memory.data());
  if (data->tag != IO_REPARSE_TAG_SYMLINK) {
    errno = EINVAL;
    return std::nullopt;
  }
  std::wstring target(data->text + data->shown_offset / sizeof(WCHAR), data->shown_bytes / sizeof(WCHAR));
  std::replace(target.begin(), target.end(), L'\\', L'/');
  return windows::to_utf8(target);
}

bool File::remove(const std::string& name, FileKind kind) const {
  const ULONG options = kOpenReparsePoint | (kind == FileKind::folder ? kDirectoryFile : 0);
  const Opened entry(handle_, name, DELETE | kLookAccess, options);
  return entry && windows::delete_opened(entry.get());
}

bool File::rename(const std::string& name, const std::string& new_name) const {
  const Opened entry(handle_, name, DELETE | kLookAccess, kOpenReparsePoint);
  if (!entry) return false;
  const bool is_folder = status_from(entry.get()).kind == FileKind::folder;
  if (is_folder) remove(new_name, FileKind::folder);  // an empty one; another one stays, and is in the way
  return windows::rename_opened(entry.get(), handle_, new_name, !is_folder);
}

/// Windows has no such call. If the process ends between the steps, one of them lies under the third name.
bool File::exchange(const std::string& one, const std::string& other) const {
  const std::string aside = other + ".convoy-replaced";
  if (!rename(other, aside)) return false;
  if (rename(one, other)) return rename(aside, one);
  const int problem = errno;
  rename(aside, other);
  errno = problem;
  return false;
}

bool File::link(const std::string& name, const std::string& new_name) const {
  const Opened entry(handle_, name, FILE_WRITE_ATTRIBUTES | kLookAccess, kOpenReparsePoint);
  return entry && windows::link_opened(entry.get(), handle_, new_name);
}

bool File::may_change(const std::string& name) const {
  return static_cast<bool>(Opened(handle_, name, FILE_WRITE_DATA, 0));
}

bool File::may_add_entries() const { return static_cast<bool>(Opened(handle_, ".", FILE_ADD_FILE, kDirectoryFile)); }

bool File::list(const std::function<bool(const std::string&)>& visit) const {
  const Opened own(handle_, ".", kFolderAccess, kDirectoryFile);  // with a position of its own
  if (!own) return errno == ENOENT;
  alignas(FILE_ID_BOTH_DIR_INFO) std::array<std::byte, 1 << 16> memory;
  while (::GetFileInformationByHandleEx(own.get(), FileIdBothDirectoryInfo, memory.data(),
                                        static_cast<DWORD>(memory.size())) != 0) {
    for (std::size_t at = 0;;) {
      const auto* entry = reinterpret_cast<const FILE_ID_BOTH_DIR_INFO*>(memory.data() + at);
      const std::wstring wide(entry->FileName, entry->FileNameLength / sizeof(WCHAR));
      if (wide != L"." && wide != L".." && !visit(windows::to_utf8(wide))) return true;
      if (entry->NextEntryOffset == 0) break;
      at += entry->NextEntryOffset;
    }
  }
  const DWORD problem = ::GetLastError();
  if (problem == ERROR_NO_MORE_FILES) return true;
  errno = windows::errno_of(problem);
  return errno == ENOENT;
}

/// 255 units of UTF-16, which are at least as many bytes.
std::size_t File::max_name_bytes() const { return 255; }

/// NTFS writes its lists of entries to its journal.
bool File::sync_entries() const { return true; }

FileStatus File::status() const { return status_from(handle_); }

std::string File::current_path() const {
  std::wstring path(32768, L'\0');
  const DWORD length = ::GetFinalPathNameByHandleW(handle_, path.data(), static_cast<DWORD>(path.size()), 0);
  path.resize(length < path.size() ? length : 0);
  return windows::to_utf8(path);
}

/// Locks of Windows keep others from reading: that of a file is on a byte which no file has.
bool File::lock() const {
  const FileStatus now = status();
  if (now.kind != FileKind::folder) {
    OVERLAPPED place{};
    place.OffsetHigh = 0x40000000;
    return succeeded(::LockFileEx(handle_, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &place));
  }
  folder_lock_ = ::CreateEventW(nullptr, TRUE, FALSE, lock_name_of(now.identity).c_str());
  const DWORD problem = ::GetLastError();
  if (folder_lock_ != nullptr && problem != ERROR_ALREADY_EXISTS) return true;
  if (folder_lock_ != nullptr) ::CloseHandle(std::exchange(folder_lock_, nullptr));
  errno = problem == ERROR_ALREADY_EXISTS || problem == ERROR_ACCESS_DENIED ? EWOULDBLOCK : ENOLCK;
  return false;
}

std::int64_t File::read_at(std::uint64_t offset, void* bytes, std::uint64_t count) const {
  std::uint64_t done = 0;
  while (done < count) {
    OVERLAPPED place = windows::at(offset + done);
    DWORD got = 0;
    const auto wanted = static_cast<DWORD>(std::min(count - done, kMostPerCall));
    if (::ReadFile(handle_, static_cast<std::byte*>(bytes) + done, wanted, &got, &place) == 0) {
      const DWORD problem = ::GetLastError();
      if (problem == ERROR_HANDLE_EOF) break;
      errno = windows::errno_of(problem);
      return -1;
    }
    if (got == 0) break;
    done += got;
  }
  return static_cast<std::int64_t>(done);
}

bool File::write_at(std::uint64_t offset, const void* bytes, std::uint64_t count) const {
  for (std::uint64_t done = 0; done < count;) {
    OVERLAPPED place = windows::at(offset + done);
    DWORD written = 0;
    const auto wanted = static_cast<DWORD>(std::min(count - done, kMostPerCall));
    if (!succeeded(::WriteFile(handle_, static_cast<const std::byte*>(bytes) + done, wanted, &written, &place))) {
      return false;
    }
    if (written == 0) errno = ENOSPC;
    if (written == 0) return false;
    done += written;
  }
  return true;
}

bool File::truncate(std::uint64_t size_bytes) const {
  FILE_END_OF_FILE_INFO end{};
  end.EndOfFile.QuadPart = static_cast<LONGLONG>(size_bytes);
  return succeeded(::SetFileInformationByHandle(handle_, FileEndOfFileInfo, &end, sizeof end));
}

/// A size below the present one would cut the file.
bool File::reserve(std::uint64_t size_bytes) const {
  if (size_bytes <= status().size_bytes) return true;
  FILE_ALLOCATION_INFO wanted{};
  wanted.AllocationSize.QuadPart = static_cast<LONGLONG>(size_bytes);
  if (::SetFileInformationByHandle(handle_, FileAllocationInfo, &wanted, sizeof wanted) == 0) {
    const DWORD problem = ::GetLastError();
    errno = problem == ERROR_DISK_FULL || problem == ERROR_HANDLE_DISK_FULL ? ENOSPC : EOPNOTSUPP;
    return false;
  }
  return truncate(size_bytes);
}

std::uint64_t File::free_bytes() const {
  const std::filesystem::path folder = std::filesystem::path(windows::to_wide(current_path())).parent_path();
  ULARGE_INTEGER free{};
  return ::GetDiskFreeSpaceExW(folder.c_str(), &free, nullptr, nullptr) != 0 ? free.QuadPart : UINT64_MAX;
}

void* File::map(std::uint64_t size_bytes) const {
  const HANDLE mapping = ::CreateFileMappingW(handle_, nullptr, PAGE_READWRITE, static_cast<DWORD>(size_bytes >> 32U),
                                              static_cast<DWORD>(size_bytes & 0xffffffffU), nullptr);
  if (mapping == nullptr) return nullptr;
  void* const bytes = ::MapViewOfFile(mapping, FILE_MAP_ALL_ACCESS, 0, 0, static_cast<SIZE_T>(size_bytes));
  ::CloseHandle(mapping);  // the view keeps it
  return bytes;
}

void File::unmap(void* bytes, std::uint64_t) { ::UnmapViewOfFile(bytes); }

/// Unlocking what is not locked takes it out of the working set.
void File::release(void* bytes, std::uint64_t count) { ::VirtualUnlock(bytes, static_cast<SIZE_T>(count)); }

bool File::sync() const { return succeeded(::FlushFileBuffers(handle_)); }

}  // namespace convoy::inline v0
#endif
