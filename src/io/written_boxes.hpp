// Boxes that are written of an output's images, by place: those that a box touches are found without looking at others.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "io/box.hpp"

namespace convoy::io {

struct WrittenBox {
  Index image = 0;
  Box box;
  std::uint64_t checksum = 0;
  bool proven = false;
  bool is_new = false;  ///< written by this run
};

/// No two share a voxel. Boxes of like size (the same powers of two above their extents) lie in a grid of cells of that
/// size, each in the cell of its first voxel: a cell holds eight at most, and a box touches none that begin elsewhere
/// than in its own cells and in those next to them.
class WrittenBoxes {
 public:
  using Keep = std::function<bool(WrittenBox&)>;

  bool empty() const { return num_boxes_ == 0; }
  void clear();
  /// The box must touch none that is there.
  void insert(const WrittenBox& written);
  /// Calls keep for each that shares a voxel with the box, and takes out those for which it returns false.
  void filter_touching(Index image, const Box& box, const Keep& keep);
  /// Calls keep for all.
  void filter(const Keep& keep);

 private:
  using Logarithms = std::array<int, 3>;  // of a cell's extents, z, y, x
  using Place = std::array<Index, 4>;     // image, then cell
  using Cells = std::map<Place, std::vector<WrittenBox>>;

  void filter_cell(std::vector<WrittenBox>& boxes, const Keep& keep);
  void filter_cells(Cells& cells, const Place& first, const Place& last, const Keep& keep);

  std::map<Logarithms, Cells> grids_;
  std::size_t num_boxes_ = 0;
};

}  // namespace convoy::io
