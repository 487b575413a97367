#include "io/output_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "convoy/io.hpp"
#include "io/io_error.hpp"

namespace convoy::io {
namespace {

namespace fs = std::filesystem;

/// The file that will be replaced: what a symbolic link points to, not the link.
fs::path resolved_target(const std::string& path) {
  std::error_code problem;
  const fs::path target = fs::is_symlink(path, problem) ? fs::weakly_canonical(path, problem) : fs::path(path);
  return problem ? fs::path(path) : target;
}

void require_replaceable(const std::string& path, const fs::path& target) {
  std::error_code problem;
  const fs::file_status status = fs::status(target, problem);
  if (!fs::exists(status)) return;
  if (fs::is_directory(status)) fail(path, "is a folder; name a file to write");
  if (!fs::is_regular_file(status)) fail(path, "is not a regular file and cannot be replaced");
  if (::access(target.c_str(), W_OK) != 0) fail(path, "cannot be written: {}", std::strerror(errno));
}

}  // namespace

OutputFile::OutputFile(const std::string& path) : path_(path) {
  if (path.empty()) throw Error(Errc::io, "the name of the file to write is empty");
  const fs::path target = resolved_target(path);
  const fs::path folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
  std::error_code problem;
  if (!fs::is_directory(folder, problem)) fail(path, "cannot be written: there is no folder '{}'", folder.string());
  require_replaceable(path, target);
  target_path_ = target.string();

  static std::atomic<unsigned> counter{0};
  int descriptor = -1;
  do {
    temporary_path_ = (folder / fmt::format(".convoy-{}-{}.part", ::getpid(), counter++)).string();
    descriptor = ::open(temporary_path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (descriptor < 0 && errno == EEXIST);
  if (descriptor < 0) fail(path, "cannot be written: {}", std::strerror(errno));
  stream_ = ::fdopen(descriptor, "w+b");
}

OutputFile::~OutputFile() {
  if (stream_ != nullptr) std::fclose(stream_);
  if (!temporary_path_.empty()) ::unlink(temporary_path_.c_str());
}

void OutputFile::write(const void* bytes, std::uint64_t count) {
  if (std::fwrite(bytes, 1, count, stream_) != count) fail(path_, "cannot be written: {}", std::strerror(errno));
}

void OutputFile::commit() {
  const bool failed = std::fclose(stream_) != 0;
  stream_ = nullptr;
  if (failed || ::rename(temporary_path_.c_str(), target_path_.c_str()) != 0) {
    fail(path_, "cannot be written: {}", std::strerror(errno));
  }
  temporary_path_.clear();
}

}  // namespace convoy::io

namespace convoy {

void write_text(const std::string& path, const std::string& text) {
  io::OutputFile output(path);
  output.write(text.data(), text.size());
  output.commit();
}

void require_writable(const std::string& path) { io::OutputFile probe(path); }

}  // namespace convoy
