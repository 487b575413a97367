// The text of rows that lie in the caller's array: where a row is, what its voxels are, and how they are written.
#pragma once

#include <string>

#include "fft/passes.hpp"
#include "fft/stages.hpp"

namespace convoy::kernels::pass_text {

KernelBuffer array_buffer(const TileAccess& array, bool writable, const std::string& name = "image");

/// Statements that turn a position of the extended array, an int `at`, into one that it has, or make `inside` false.
std::string folded_position(const ArrayAxis& along, const std::string& at, const std::string& inside);

std::string real_literal(double value, Precision precision);

/// The names by which the text knows an array and a pair's rows in it.
struct ArrayNames {
  std::string buffer = "image";
  std::string first = "first";
  std::string second = "second";
  /// Of a complex number that gets voxels that are not finite, real part for the first row: they are read as 0. Empty:
  /// they are read as they are.
  std::string non_finite{};
  /// Of the rows, where they count within planes.
  std::string first_plane = "plane";
  std::string second_plane = "plane";
};

class ArrayText {
 public:
  /// Of rows.array. `in_planes`: the text knows `plane`, and rows count within it; else they count in all.
  ArrayText(const Rows& rows, Precision precision, bool in_planes, ArrayNames names = {});

  /// Statements that say where row `row` lies, of the pair's `name` first or second.
  std::string where(const std::string& name, const std::string& row) const;
  /// Voxels of both rows as real and imaginary part; written times `scale` (empty: as they are).
  MemoryView access(const std::string& scale = "scale") const;

 private:
  const ArrayAxis& axis(std::size_t d) const { return array_.axes[d]; }
  std::string position(std::size_t d, const std::string& name, const std::string& in_tile) const;
  std::string folded(std::size_t d, const std::string& at, const std::string& inside) const;
  std::string load(const std::string& row, const std::string& component, Index position) const;
  std::string store(const std::string& row, const std::string& value, Index position) const;
  std::string tile(const std::string& name) const;
  std::string shown(const std::string& y, const std::string& z) const;
  std::string place(const std::string& row, const std::string& x) const;
  std::string fill() const;
  std::string kept_apart(const std::vector<ComplexName>& values) const;
  bool rows_always_shown() const;
  bool rows_always_inside() const { return axis(1).is_inside() && axis(2).is_inside(); }

  const Rows& rows_;
  const TileAccess& array_;
  Precision precision_;
  bool in_planes_;
  ArrayNames names_;
};

}  // namespace convoy::kernels::pass_text
