// The products of a plane in a separable convolution, as text: rows in shared memory, columns in registers, planes by
// sums that are under way.
#pragma once

#include <functional>
#include <string>

#include "direct/sum_shape.hpp"

namespace convoy::inline v0 {

/// Of each product that the filter is the sum of: rows of the box are summed up along x by all threads, into rows of
/// shared memory, of which a thread sums up two columns along y; what it finds for its outputs goes into the sums along
/// z of all output planes that the plane is part of.
class SeparableProducts {
 public:
  SeparableProducts(const SumSize& size, const SumShape& shape, std::function<std::string(Index)> tap)
      : size_(size), shape_(shape), memory_(sum_memory(size, shape)), tap_(std::move(tap)) {}

  /// The name of an output of the oldest plane, after products().
  static std::string output(Index row, Index x);
  /// Declares the sums of planes under way, of 0.
  std::string declared() const;
  /// `box`: where the plane's box begins in shared memory. Declares the outputs of the oldest plane, and moves on.
  std::string products(const std::string& box) const;

 private:
  Index nx() const { return size_.taps[0]; }
  Index ny() const { return size_.taps[1]; }
  Index nz() const { return size_.taps[2]; }
  std::string tap(int term, int axis, Index t) const;
  /// Runs of a plane's rows, and those of a thread.
  Index num_runs() const { return memory_.box_y * (shape_.tile_x() / shape_.run); }
  Index runs_of_thread() const { return ceil_divided(num_runs(), shape_.num_threads()); }
  std::string places_of_rows() const;
  std::string rows(int term) const;
  std::string run_of_row(int term, Index number) const;
  std::string columns(int term, const std::string& box) const;
  std::string planes(int term) const;

  SumSize size_;
  SumShape shape_;
  SumMemory memory_;
  std::function<std::string(Index)> tap_;
};

}  // namespace convoy::inline v0
