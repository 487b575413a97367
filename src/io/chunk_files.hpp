// The files of an array's chunks in an output folder, by number: what was written is looked for before the folder gets
// its name.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "io/output_folder.hpp"

namespace convoy::io {

class ChunkFiles {
 public:
  /// Name of a file below the output folder, as in "0/1/2"; numbers are below `num_files`.
  using NameOf = std::function<std::string(std::uint64_t number)>;

  ChunkFiles(const OutputFolder& folder, std::uint64_t num_files, NameOf name_of);

  /// Writes a file whole or not at all, and brings it to the disk. Several threads may, not for one file.
  void write(std::uint64_t number, const std::function<void(const OutputFolder::Append&)>& fill);
  void write(std::uint64_t number, std::span<const std::byte> stored);
  /// Throws Error(io), naming the file, unless all are there, those that were written with as many bytes.
  void require_all() const;
  /// Memory that this takes.
  std::uint64_t memory_bytes() const { return bytes_.size() * sizeof(bytes_[0]); }

 private:
  void require_each() const;

  const OutputFolder& folder_;
  NameOf name_of_;
  std::vector<std::atomic<std::uint64_t>> bytes_;  // of each file; 0 if an earlier run wrote it
};

}  // namespace convoy::io
