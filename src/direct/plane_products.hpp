// The products of a plane in a direct convolution, as text: every tap by every voxel that it meets, written out.
#pragma once

#include <array>
#include <functional>
#include <string>

#include "convoy/shape.hpp"

namespace convoy::inline v0 {

/// A thread makes two neighbouring outputs of `rows` rows. It finds the pairs of voxels that they read as
/// ELEMENT(shared_values, voxels, row * box_x + pair), and adds to the sums of all output planes that the plane is part
/// of, the oldest first.
class PlaneProducts {
 public:
  /// taps: x, y, z. `tap` gives the text of a tap by its number. `costly_taps`: each is read from shared memory.
  PlaneProducts(const std::array<Index, 3>& taps, Index rows, Index box_x, std::function<std::string(Index)> tap,
                bool costly_taps)
      : taps_(taps), rows_(rows), box_x_(box_x), tap_(std::move(tap)), costly_taps_(costly_taps) {}

  static std::string sum(Index plane, Index row, Index x);
  /// Declares the sums, of 0.
  std::string declared() const;
  std::string products() const;
  /// The sums of a plane become those of the one before it.
  std::string moved_on() const;

 private:
  Index nx() const { return taps_[0]; }
  Index ny() const { return taps_[1]; }
  Index nz() const { return taps_[2]; }
  /// Pairs that two neighbouring outputs read of a row.
  Index window_pairs() const { return nx() / 2 + 1; }
  bool keeps_rows() const;
  std::string tap(Index z, Index y, Index x) const { return tap_((z * ny() + y) * nx() + x); }
  std::string product(Index plane, Index row, Index y, Index voxel, const std::string& value) const;
  std::string row_by_row() const;
  std::string of_kept_rows() const;
  void for_each_sum(const std::function<void(Index, Index, Index)>& todo) const;

  std::array<Index, 3> taps_;
  Index rows_;
  Index box_x_;
  std::function<std::string(Index)> tap_;
  bool costly_taps_;
};

}  // namespace convoy::inline v0
