#if defined(_WIN32)
#include "base/windows_handles.hpp"

#include <aclapi.h>
#include <winternl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/checksum.hpp"

namespace convoy::windows {
namespace {

constexpr DWORD kShareAll = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
constexpr ULONG kSynchronous = 0x00000020;
constexpr ULONG kForBackup = 0x00004000;

/// What the headers of some compilers lack: with POSIX semantics, a file that is open elsewhere is replaced, too.
struct RenameInformation {
  ULONG flags;
  HANDLE root;
  ULONG name_bytes;
  WCHAR name[1];
};
constexpr int kRenameInformation = 10;
constexpr int kLinkInformation = 11;
constexpr int kRenameInformationEx = 65;
constexpr ULONG kReplace = 1;
constexpr ULONG kPosixSemantics = 2;

using SetInformation = NTSTATUS(NTAPI*)(HANDLE, IO_STATUS_BLOCK*, void*, ULONG, int);

SetInformation set_information() {
  static const auto function = reinterpret_cast<SetInformation>(
      reinterpret_cast<void*>(::GetProcAddress(::GetModuleHandleW(L"ntdll.dll"), "NtSetInformationFile")));
  return function;
}

bool succeeded(NTSTATUS status) {
  if (status >= 0) return true;
  errno = errno_of(::RtlNtStatusToDosError(status));
  return false;
}

std::uint64_t owner_of(HANDLE handle) {
  PSID owner = nullptr;
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  const DWORD problem = ::GetSecurityInfo(handle, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION, &owner, nullptr, nullptr,
                                          nullptr, &descriptor);
  if (problem != ERROR_SUCCESS) return user_of_process();  // a file system without owners
  const std::uint64_t number = number_of(owner);
  ::LocalFree(descriptor);
  return number;
}

FileKind kind_of(HANDLE handle, DWORD attributes) {
  const DWORD type = ::GetFileType(handle);
  if (type == FILE_TYPE_PIPE) return FileKind::pipe;
  if (type != FILE_TYPE_DISK) return FileKind::device;
  if ((attributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0) {
    FILE_ATTRIBUTE_TAG_INFO tag{};
    const bool known = ::GetFileInformationByHandleEx(handle, FileAttributeTagInfo, &tag, sizeof tag) != 0;
    const bool leads_on = tag.ReparseTag == IO_REPARSE_TAG_SYMLINK || tag.ReparseTag == IO_REPARSE_TAG_MOUNT_POINT;
    if (known && leads_on) return FileKind::link;
  }
  return (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0 ? FileKind::folder : FileKind::file;
}

/// A new name for what is open, in a folder that is open.
bool give_name(HANDLE handle, HANDLE folder, const std::string& name, int information, ULONG flags) {
  const std::wstring wide = folder == nullptr ? native_path(to_wide(name)) : to_wide(name);
  const std::size_t name_bytes = wide.size() * sizeof(WCHAR);
  std::vector<std::byte> memory(sizeof(RenameInformation) + name_bytes);
  auto* request = reinterpret_cast<RenameInformation*>(memory.data());
  request->flags = flags;
  request->root = folder;
  request->name_bytes = static_cast<ULONG>(name_bytes);
  std::memcpy(request->name, wide.data(), name_bytes);
  IO_STATUS_BLOCK result{};
  return succeeded(set_information()(handle, &result, request, static_cast<ULONG>(memory.size()), information));
}

/// The system's core takes "." for a name like any other.
std::wstring without_dots(const std::wstring& path) {
  std::wstring result;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find(L'\\', at), path.size());
    const std::wstring name = path.substr(at, end - at);
    const bool leads_out = at == 0 && name.empty();
    if (!result.empty() && name != L"." && !name.empty()) result += L'\\';
    if (name != L".") result += leads_out ? L"\\" : name;
    at = end + 1;
  }
  return result;
}

}  // namespace

bool succeeded(BOOL done) {
  if (done != 0) return true;
  errno = errno_of(::GetLastError());
  return false;
}

/// A name relative to a folder, or without one any path. Null, and the reason in errno, if it cannot be opened.
HANDLE open_native(HANDLE folder, const std::string& name, DWORD access, ULONG disposition, ULONG options) {
  std::wstring wide = to_wide(name);
  UNICODE_STRING text{};
  if (folder == nullptr) {
    wide = native_path(wide);
  } else {
    std::replace(wide.begin(), wide.end(), L'/', L'\\');
    wide = without_dots(wide);
    const bool leads_out = wide.find(L':') != std::wstring::npos || wide.starts_with(L"\\");
    if (leads_out || (disposition == kCreate && wide.find(L'\\') != std::wstring::npos)) {
      errno = EINVAL;
      return nullptr;
    }
  }
  if (wide.size() > 32000) {
    errno = ENAMETOOLONG;
    return nullptr;
  }
  text.Buffer = wide.data();
  text.Length = static_cast<USHORT>(wide.size() * sizeof(WCHAR));
  text.MaximumLength = text.Length;
  OBJECT_ATTRIBUTES object{};
  object.Length = sizeof object;
  object.RootDirectory = folder;
  object.ObjectName = &text;
  object.Attributes = 0x40;  // OBJ_CASE_INSENSITIVE
  IO_STATUS_BLOCK result{};
  HANDLE handle = nullptr;
  const NTSTATUS status =
      ::NtCreateFile(&handle, access | SYNCHRONIZE, &object, &result, nullptr, FILE_ATTRIBUTE_NORMAL, kShareAll,
                     disposition, options | kSynchronous | kForBackup, nullptr, 0);
  return succeeded(status) ? handle : nullptr;
}

std::uint64_t number_of(PSID user) {
  return convoy::checksum_of(static_cast<const std::byte*>(user), ::GetLengthSid(user), 0);
}

FileTime time_from(LARGE_INTEGER ticks) {
  constexpr std::int64_t kTicksBefore1970 = 116444736000000000;
  constexpr std::int64_t kTicksPerSecond = 10000000;
  const std::int64_t since = ticks.QuadPart - kTicksBefore1970;
  return {since / kTicksPerSecond, since % kTicksPerSecond * 100};
}

FileStatus status_from(HANDLE handle) {
  FileStatus result;
  BY_HANDLE_FILE_INFORMATION all{};
  FILE_STANDARD_INFO sizes{};
  FILE_BASIC_INFO times{};
  if (::GetFileInformationByHandle(handle, &all) == 0) return result;
  ::GetFileInformationByHandleEx(handle, FileStandardInfo, &sizes, sizeof sizes);
  ::GetFileInformationByHandleEx(handle, FileBasicInfo, &times, sizeof times);
  result.kind = kind_of(handle, all.dwFileAttributes);
  result.identity = {all.dwVolumeSerialNumber, (std::uint64_t{all.nFileIndexHigh} << 32) | all.nFileIndexLow};
  result.size_bytes = (std::uint64_t{all.nFileSizeHigh} << 32) | all.nFileSizeLow;
  result.allocated_bytes = static_cast<std::uint64_t>(sizes.AllocationSize.QuadPart);
  result.num_names = sizes.DeletePending != 0 ? 0 : all.nNumberOfLinks;
  result.owner = owner_of(handle);
  result.modified = time_from(times.LastWriteTime);
  result.changed = time_from(times.ChangeTime);
  result.closed_to_others = true;  // a folder of the user's profile; access lists are not looked through
  return result;
}

Opened::~Opened() {
  const int problem = errno;
  if (handle_ != nullptr) ::CloseHandle(handle_);
  errno = problem;
}

bool delete_opened(HANDLE handle) {
  struct DispositionEx {
    ULONG flags;
  } at_once{1 | 2 | 16};  // delete, by POSIX semantics, read-only files too
  constexpr int kDispositionEx = 64;
  IO_STATUS_BLOCK result{};
  if (set_information()(handle, &result, &at_once, sizeof at_once, kDispositionEx) >= 0) return true;
  FILE_DISPOSITION_INFO when_closed{};
  when_closed.DeleteFile = TRUE;
  return succeeded(::SetFileInformationByHandle(handle, FileDispositionInfo, &when_closed, sizeof when_closed));
}

bool rename_opened(HANDLE handle, HANDLE folder, const std::string& name, bool replace) {
  if (give_name(handle, folder, name, kRenameInformationEx, kReplace | kPosixSemantics)) return true;
  if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP) return false;
  return give_name(handle, folder, name, kRenameInformation, replace ? kReplace : 0);
}

bool link_opened(HANDLE handle, HANDLE folder, const std::string& name) {
  return give_name(handle, folder, name, kLinkInformation, 0);
}

}  // namespace convoy::windows
#endif
