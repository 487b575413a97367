// Where the boxes of an output go: a file of known layout, or a folder of chunks.
#pragma once

#include <cstddef>
#include <cstdint>

#include "convoy/io.hpp"

namespace convoy::io {

class OutputStore {
 public:
  virtual ~OutputStore() = default;
  /// The piece that is cheapest to write.
  virtual Shape chunk() const = 0;
  /// The piece that is read without reading more.
  virtual Shape grain() const { return chunk(); }
  /// Whether what lies under the temporary name can be what an earlier run left.
  virtual bool can_continue() const = 0;
  /// Takes disk space and writes what comes beside the voxels; without `continued`, voxels of before are forgotten.
  virtual void begin(bool continued) = 0;
  /// Boxes lie inside the images. Several threads may write boxes that do not overlap.
  virtual void write(Index image, const Box& box, const std::byte* voxels) = 0;
  virtual void read(Index image, const Box& box, std::byte* voxels) const = 0;
  /// Memory that boxes of any size may take beyond their own.
  virtual std::uint64_t cache_bytes() const { return 0; }
  /// Brings to the disk what is written, for a run that resumes.
  virtual void flush() {}
  virtual void commit() = 0;
  /// Without commit, what lies under the temporary name goes after all.
  virtual void give_up() = 0;
};

}  // namespace convoy::io
