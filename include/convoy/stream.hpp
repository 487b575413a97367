// Images that need not be in memory: read and written box by box.
#pragma once

#include <cstddef>
#include <vector>

#include "convoy/export.h"
#include "convoy/image.hpp"
#include "convoy/shape.hpp"

namespace convoy::inline v0 {

/// An image that can be read in pieces. Implemented for files in io.hpp; implement it for a source of your own.
class CONVOY_API ImageReader {
 public:
  virtual ~ImageReader() = default;
  virtual Shape shape() const = 0;
  virtual Element element() const = 0;
  /// The piece that is cheapest to read: a plane {1, y, x}, a chunk ... Reading any other box is right, too.
  virtual Shape chunk() const = 0;
  /// Copies the voxels of `box`, which lies inside shape(), to `voxels`: dense, z, y, x, of element(). Blocks. Several
  /// threads may call this at once. Throws Error(io).
  virtual void read(const Box& box, std::byte* voxels) const = 0;
};

/// An image that can be written in pieces.
class CONVOY_API ImageWriter {
 public:
  virtual ~ImageWriter() = default;
  virtual Shape shape() const = 0;
  virtual Element element() const = 0;
  /// The piece that is cheapest to write. Writing any other box is right, too.
  virtual Shape chunk() const = 0;
  /// Takes the voxels of `box`, which lies inside shape(): dense, z, y, x, of element(). Blocks. Several threads may
  /// call this at once for boxes that do not overlap. Throws Error(io).
  virtual void write(const Box& box, const std::byte* voxels) = 0;
  /// True when every voxel of the box was written, and proven to be, by an earlier run that is being continued, however
  /// that run had cut its boxes: the box is left out.
  virtual bool holds(const Box& box) const {
    static_cast<void>(box);
    return false;
  }
};

/// Images of one shape and one element, time points and channels say, that are convolved in one run.
using ImageReaders = std::vector<const ImageReader*>;
using ImageWriters = std::vector<ImageWriter*>;

}  // namespace convoy::inline v0
