#include "io/input_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "convoy/io.hpp"
#include "io/io_error.hpp"

namespace convoy::io {

const int kReadFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

namespace {

int opened(const std::string& path) {
  const int descriptor = ::open(path.c_str(), kReadFlags);
  if (descriptor < 0) fail(path, "cannot be read: {}", std::strerror(errno));
  return descriptor;
}

}  // namespace

InputFile::InputFile(const std::string& path) : InputFile(path, opened(path)) {}

InputFile::InputFile(const std::string& path, int descriptor) : path_(path), descriptor_(descriptor) {
  struct stat status {};
  const char* problem = nullptr;
  if (::fstat(descriptor, &status) != 0) {
    problem = std::strerror(errno);
  } else if (S_ISDIR(status.st_mode)) {
    problem = "is a folder; name an image file";
  } else if (!S_ISREG(status.st_mode)) {
    problem = "is not a regular file; convoy reads files by position";
  }
  if (problem != nullptr) {
    ::close(descriptor);
    fail(path, "{}", problem);
  }
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

namespace convoy {

std::string read_text(const std::string& path, std::uint64_t most_bytes) {
  const io::InputFile file(path);
  if (file.size_bytes() > most_bytes) {
    io::fail(path, "has {} bytes; a text of this kind has {} at most", file.size_bytes(), most_bytes);
  }
  std::string text(static_cast<std::size_t>(file.size_bytes()), '\0');
  file.read(0, reinterpret_cast<std::byte*>(text.data()), text.size());
  return text;
}

}  // namespace convoy
