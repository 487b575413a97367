#include "io/input_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "io/io_error.hpp"

namespace convoy::io {

InputFile::InputFile(const std::string& path) : path_(path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) fail(path, "cannot be read: {}", std::strerror(errno));
  if (S_ISDIR(status.st_mode)) fail(path, "is a folder; name an image file");
  if (!S_ISREG(status.st_mode)) fail(path, "is not a regular file; convoy reads files by position");
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) fail(path, "cannot be read: {}", std::strerror(errno));
  size_bytes_ = static_cast<std::uint64_t>(status.st_size);
}

InputFile::~InputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void InputFile::read(std::uint64_t offset, std::byte* bytes, std::uint64_t count) const {
  constexpr std::uint64_t kMostPerCall = 1U << 30;
  while (count > 0) {
    const ssize_t got = ::pread(descriptor_, bytes, std::min(count, kMostPerCall), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(path_, "cannot be read: {}", std::strerror(errno));
    if (got == 0) fail(path_, "ends at byte {}, where {} more are expected: the file is truncated", offset, count);
    bytes += got;
    offset += static_cast<std::uint64_t>(got);
    count -= static_cast<std::uint64_t>(got);
  }
}

}  // namespace convoy::io
