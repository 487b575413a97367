// How a changed input is recognised (describe_input, input_stamp of convoy/io.hpp).
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "base/checksum.hpp"
#include "base/file.hpp"
#include "base/path_text.hpp"
#include "convoy/io.hpp"
#include "io/input_file.hpp"
#include "io/io_error.hpp"

namespace convoy::inline v0 {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kReadWholeBytes = std::uint64_t{1} << 30;
constexpr std::uint64_t kNumSamples = 1024;
constexpr std::uint64_t kSampleBytes = std::uint64_t{64} << 10;

struct FileState {
  std::string path;
  std::string name;  // within the store; empty if the input is a file
  std::uint64_t size_bytes = 0;
  FileTime modified;
  FileTime changed;
};

FileState state_of(const std::string& path, const std::string& name) {
  const auto status = File::working_folder().status_of(path, Links::followed);
  if (!status) io::fail(path, "cannot be read: {}", std::strerror(errno));
  return {path, name, status->size_bytes, status->modified, status->changed};
}

/// A file, or all files of a store, by name.
std::vector<FileState> files_of(const std::string& path) {
  std::error_code problem;
  if (!fs::is_directory(path_from(path), problem)) return {state_of(path, "")};
  std::vector<FileState> files;
  for (auto entry = fs::recursive_directory_iterator(path_from(path), problem); !problem && entry != fs::end(entry);
       entry.increment(problem)) {
    std::error_code gone;
    if (!entry->is_regular_file(gone)) continue;
    files.push_back(state_of(text_from(entry->path()), text_from(entry->path().lexically_relative(path_from(path)))));
  }
  if (problem) io::fail(path, "its files cannot be listed: {}", problem.message());
  std::sort(files.begin(), files.end(), [](const FileState& a, const FileState& b) { return a.name < b.name; });
  return files;
}

std::uint64_t bytes_of(const std::vector<FileState>& files) {
  std::uint64_t bytes = 0;
  for (const FileState& file : files) bytes = saturating_sum(bytes, file.size_bytes);
  return bytes;
}

void add_text(Checksum& sum, const std::string& text) {
  sum.add(reinterpret_cast<const std::byte*>(text.data()), text.size());
}

void add_bytes(Checksum& sum, const io::InputFile& file, std::uint64_t offset, std::uint64_t count) {
  constexpr std::uint64_t kAtOnce = std::uint64_t{1} << 20;
  std::vector<std::byte> part(std::min(kAtOnce, count));
  while (count > 0) {
    const std::uint64_t now = std::min(kAtOnce, count);
    file.read(offset, part.data(), now);
    sum.add(part.data(), now);
    offset += now;
    count -= now;
  }
}

void add_contents(Checksum& sum, const std::vector<FileState>& files) {
  for (const FileState& file : files) add_bytes(sum, io::InputFile(file.path), 0, file.size_bytes);
}

/// Spread evenly over all bytes, the files one behind the other.
void add_samples(Checksum& sum, const std::vector<FileState>& files, std::uint64_t all_bytes) {
  std::uint64_t begin = 0;  // of the file
  std::uint64_t sample = 0;
  const auto position = [&] { return all_bytes / kNumSamples * sample; };
  for (const FileState& file : files) {
    const std::uint64_t end = begin + file.size_bytes;
    for (; sample < kNumSamples && position() < end; ++sample) {
      const std::uint64_t offset = position() - begin;
      add_bytes(sum, io::InputFile(file.path), offset, std::min(kSampleBytes, file.size_bytes - offset));
    }
    begin = end;
  }
}

std::string times_text(const FileState& file) {
  return fmt::format("{}.{:09} {}.{:09}", file.modified.seconds, file.modified.nanoseconds, file.changed.seconds,
                     file.changed.nanoseconds);
}

}  // namespace

std::string describe_input(const std::string& path) {
  const std::vector<FileState> files = files_of(path);
  const std::uint64_t bytes = bytes_of(files);
  const bool whole = bytes <= kReadWholeBytes;
  Checksum sum;
  for (const FileState& file : files) {
    add_text(sum, fmt::format("{}|{}|{}\n", file.name, file.size_bytes, whole ? "" : times_text(file)));
  }
  if (whole) {
    add_contents(sum, files);
  } else {
    add_samples(sum, files, bytes);
  }
  return fmt::format("{} ({} bytes, checksum {:016x}{})", text_from(fs::absolute(path_from(path)).lexically_normal()),
                     bytes, sum.value(), whole ? "" : " of times of change and samples");
}

std::string input_stamp(const std::string& path) {
  Checksum sum;
  const std::vector<FileState> files = files_of(path);
  for (const FileState& file : files) {
    add_text(sum, fmt::format("{}|{}|{}.{}\n", file.name, file.size_bytes, file.modified.seconds,
                              file.modified.nanoseconds));
  }
  return fmt::format("{} bytes, {:016x}", bytes_of(files), sum.value());
}

}  // namespace convoy::inline v0
