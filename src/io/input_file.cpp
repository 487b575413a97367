#include "io/input_file.hpp"

#include <cerrno>
#include <cstring>

#include "convoy/io.hpp"
#include "io/io_error.hpp"

namespace convoy::io {
namespace {

File opened(const std::string& path) {
  File file = File::working_folder().open_to_read(path, Links::followed);
  if (!file) fail(path, "cannot be read: {}", std::strerror(errno));
  return file;
}

}  // namespace

InputFile::InputFile(const std::string& path) : InputFile(path, opened(path)) {}

InputFile::InputFile(const std::string& path, File file) : path_(path), file_(std::move(file)) {
  const FileStatus status = file_.status();
  if (status.kind == FileKind::folder) fail(path, "is a folder; name an image file");
  if (status.kind != FileKind::file) fail(path, "is not a regular file; convoy reads files by position");
  size_bytes_ = status.size_bytes;
}

void InputFile::read(std::uint64_t offset, std::byte* bytes, std::uint64_t count) const {
  const std::int64_t got = file_.read_at(offset, bytes, count);
  if (got < 0) fail(path_, "cannot be read: {}", std::strerror(errno));
  const auto missing = count - static_cast<std::uint64_t>(got);
  if (missing == 0) return;
  fail(path_, "ends at byte {}, where {} more are expected: the file is truncated", offset + count - missing, missing);
}

}  // namespace convoy::io

namespace convoy::inline v0 {

std::string read_text(const std::string& path, std::uint64_t most_bytes) {
  const io::InputFile file(path);
  if (file.size_bytes() > most_bytes) {
    io::fail(path, "has {} bytes; a text of this kind has {} at most", file.size_bytes(), most_bytes);
  }
  std::string text(static_cast<std::size_t>(file.size_bytes()), '\0');
  file.read(0, reinterpret_cast<std::byte*>(text.data()), text.size());
  return text;
}

}  // namespace convoy::inline v0
