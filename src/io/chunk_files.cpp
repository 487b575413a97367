#include "io/chunk_files.hpp"

#include <optional>

#include "io/io_error.hpp"

namespace convoy::io {

ChunkFiles::ChunkFiles(const OutputFolder& folder, std::uint64_t num_files, NameOf name_of)
    : folder_(folder), name_of_(std::move(name_of)), bytes_(num_files) {}

void ChunkFiles::write(std::uint64_t number, std::span<const std::byte> stored) {
  write(number, [stored](const OutputFolder::Append& append) { append(stored); });
}

void ChunkFiles::write(std::uint64_t number, const std::function<void(const OutputFolder::Append&)>& fill) {
  std::uint64_t bytes = 0;
  folder_.write_file(name_of_(number), [&](const OutputFolder::Append& append) {
    fill([&](std::span<const std::byte> part) {
      append(part);
      bytes += part.size();
    });
  });
  bytes_[number] = bytes;
}

void ChunkFiles::require_all() const {
  folder_.require_there();
  try {
    require_each();
  } catch (const Error& error) {
    fail(folder_.path(), "cannot be written: {}", error.what());
  }
}

void ChunkFiles::require_each() const {
  std::optional<Folder> open;
  std::string open_name;
  for (std::uint64_t number = 0; number < bytes_.size(); ++number) {
    const std::string name = name_of_(number);
    const std::size_t slash = name.rfind('/');
    if (!open || name.compare(0, slash, open_name) != 0) {
      open_name = name.substr(0, slash);
      open = folder_.folder().subfolder(open_name);
    }
    require_file(*open, name.substr(slash + 1), bytes_[number]);
  }
}

}  // namespace convoy::io
