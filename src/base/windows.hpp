// Windows' own header without the macros that break C++, its errors as those of POSIX, and its text as UTF-8.
#pragma once

#if defined(_WIN32)
#if !defined(NOMINMAX)
#define NOMINMAX
#endif
#if !defined(WIN32_LEAN_AND_MEAN)
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>
// These need it.
#include <psapi.h>
#include <shellapi.h>
#include <winioctl.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace convoy::windows {

/// What is no UTF-8 becomes U+FFFD.
std::wstring to_wide(std::string_view text);
std::string to_utf8(std::wstring_view text);

/// The value of errno for an error of GetLastError; EIO for one that POSIX has none for.
int errno_of(DWORD error);

/// "GetLastError's text (number)".
std::string error_text(DWORD error);

/// An absolute path; it stays as it is where Windows cannot make it absolute.
std::wstring full_path(const std::wstring& path);

/// An absolute path as the system's core takes it, of any length: "\\??\\C:\\folder\\file".
std::wstring native_path(const std::wstring& path);

/// A position in a file.
OVERLAPPED at(std::uint64_t offset);

}  // namespace convoy::windows
#endif
