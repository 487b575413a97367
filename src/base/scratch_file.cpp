#include "base/scratch_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <vector>

#include "convoy/error.hpp"
#include "convoy/plan.hpp"

namespace convoy::inline v0 {
namespace {

[[noreturn]] void refuse_scratch(const std::string& path, const std::string& problem) {
  throw Error(Errc::io, fmt::format("scratch file {}: {}; name a folder of a disk with room (--scratch), or allow more "
                                    "host memory",
                                    path, problem));
}

std::string name_in(const std::string& folder) {
  static std::atomic<unsigned> number{0};
  return fmt::format("{}/.convoy-scratch-{}-{}", folder, number_of_process(), number++);
}

bool is_folder(const std::string& path) {
  const auto status = File::working_folder().status_of(path, Links::followed);
  return status && status->kind == FileKind::folder;
}

/// Where the file system cannot reserve, by writing.
bool fill(const File& file, std::uint64_t size_bytes) {
  constexpr std::uint64_t kPart = std::uint64_t{8} << 20;
  const std::vector<std::byte> zeros(static_cast<std::size_t>(std::min(kPart, size_bytes)));
  for (std::uint64_t at = 0; at < size_bytes; at += kPart) {
    if (!file.write_at(at, zeros.data(), std::min(kPart, size_bytes - at))) return false;
  }
  return true;
}

}  // namespace

ScratchFile::ScratchFile(const std::string& path, std::uint64_t size_bytes) : size_bytes_(size_bytes) {
  const std::string name = is_folder(path) ? name_in(path) : path;
  const File& folder = File::working_folder();
  file_ = folder.make_file(name, Permissions::none);
  if (!file_) refuse_scratch(name, errno == EEXIST ? "there is one already" : std::strerror(errno));
  if (!folder.remove(name, FileKind::file)) left_name_ = name;
  const auto end = [&](const std::string& problem) {
    file_.close();
    if (!left_name_.empty()) folder.remove(left_name_, FileKind::file);
    refuse_scratch(name, problem);
  };
  if (max_file_bytes() < size_bytes) {
    end(fmt::format("{} are needed, but files of this process may have {} (ulimit -f)", bytes_to_text(size_bytes),
                    bytes_to_text(max_file_bytes())));
  }
  const std::uint64_t free_bytes = file_.free_bytes();
  if (free_bytes < size_bytes) {
    end(fmt::format("{} are needed, but its disk has {} free", bytes_to_text(size_bytes), bytes_to_text(free_bytes)));
  }
  const bool is_reserved = file_.reserve(size_bytes) || (errno == EOPNOTSUPP && fill(file_, size_bytes));
  if (!is_reserved) end(fmt::format("{} cannot be taken: {}", bytes_to_text(size_bytes), std::strerror(errno)));
  data_ = static_cast<std::byte*>(file_.map(size_bytes));
  if (data_ == nullptr) end(fmt::format("{} cannot be mapped: {}", bytes_to_text(size_bytes), std::strerror(errno)));
}

ScratchFile::~ScratchFile() {
  File::unmap(data_, size_bytes_);
  file_.close();
  if (!left_name_.empty()) File::working_folder().remove(left_name_, FileKind::file);
}

}  // namespace convoy::inline v0
