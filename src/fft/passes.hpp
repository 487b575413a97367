// Convoy's own transform passes: whole rows or columns through a workgroup's shared memory, padded while they are read
// and cropped while they are written. Decimation in frequency forth and in time back leave the frequencies in digit
// reversed order in between, which costs nothing: the kernel's spectrum, by which they are multiplied, has the same.
// All sizes are literals of the text: compilers then drop what is known to be zero and fold every address.
#pragma once

#include "fft/plane_shape.hpp"
#include "fft/tile_access.hpp"
#include "fft/tile_shape.hpp"
#include "kernels/kernel_spec.hpp"
#include "planner/kernel_fan.hpp"

namespace convoy::kernels {

/// A kernel's columns that are not transformed: `extent` elements, the first of which lies at `place` of a circle as
/// long as the transform. Of extent 0: they are, and have as many elements.
struct KernelColumns {
  Index extent = 0;
  Index place = 0;
};

/// Several kernels, whose spectra lie `spectrum_stride` apart: in work (KernelFan::Kind::each), in product (spread) or
/// in work, to be added up in product (gather), tile p of the launch is tile p % batch with kernel p / batch.
struct ColumnKernels {
  KernelFan::Kind fan = KernelFan::Kind::single;
  Index batch = 1;
  Index at_once = 1;
  Index spectrum_stride = 0;
  Index product_block_stride = 0;
};

/// Complex numbers `element_stride` apart are a column. Columns lie side by side in blocks of `block` that are
/// `block_stride` apart (in the spectrum spectrum_block_stride), in `num_outer` outer batches that are `outer_stride`
/// apart, and all of that again for each of `num_tiles`.
struct Columns {
  Index num_columns = 1;
  Index block = 1;
  Index block_stride = 0;
  Index spectrum_block_stride = 0;
  Index num_outer = 1;
  Index outer_stride = 0;
  Index num_tiles = 1;  ///< that are multiplied with the same spectrum
  Index tile_stride = 0;
  Index element_stride = 1;
  Index extent = 1;  ///< elements from here on are taken as 0, and not written
  KernelColumns kernel{};
  ColumnKernels kernels{};
};

/// A place on a circle.
struct CyclicShift {
  Index begin = 0;
  Index period = 1;
};

/// Every row is length / 2 + 1 frequencies in work, and `extent` reals in image, tight. Row i is row i % rows_per_plane
/// of plane i / rows_per_plane. With `array`, image is the caller's array, `extent` voxels are what a tile shows of its
/// rows, and plane p is plane p % planes_per_tile of tile begin_tile + p / planes_per_tile: a parameter of the kernel,
/// behind it, with TileAccess::num_kernels, begin_kernel, the first one's number. Tiles and kernels behind the last one
/// are the last one again.
struct Rows {
  Index extent = 1;
  Index num_rows = 1;
  Index rows_per_plane = 1;
  Index block = 1;         ///< frequencies that lie side by side in work
  Index block_stride = 0;  ///< distance of blocks in complex numbers
  Index work_row = 1;      ///< of rows
  Index work_plane = 1;    ///< and of planes
  Index planes_per_tile = 1;
  std::optional<TileAccess> array{};
};

/// Where a kernel's voxel 0, row 0 and plane 0 are put.
struct Placement {
  Index voxel = 0;
  CyclicShift row;
  CyclicShift plane;
  Index kernel_stride = 0;  ///< of several kernels' spectra: the kernel's number is then a parameter, the last
};

/// In place. buffers: table, work. parameters: table_begin.
KernelSpec columns_forward(const PassShape& shape, Precision precision, const Columns& columns);
KernelSpec columns_inverse(const PassShape& shape, Precision precision, const Columns& columns);
/// Forth, times the spectrum (or its conjugate), back. The spectrum has all elements, at the same strides. buffers:
/// table, spectrum, work. parameters: table_begin.
KernelSpec columns_product(const PassShape& shape, Precision precision, const Columns& columns, bool conjugate);
/// The same out of work into another buffer that lies as it does, or added to that. buffers: table, spectrum, work,
/// product. parameters: table_begin.
KernelSpec columns_product_apart(const PassShape& shape, Precision precision, const Columns& columns, bool conjugate,
                                 bool adds);

/// The same with several kernels: columns.kernels says how. Kernels behind the last one are the last one again, or add
/// nothing. buffers: table, spectrum, work, product (of spread and gather). parameters: table_begin, begin_kernel (with
/// number 0, gather does not add), kernels_left (in the spectrum buffer).
KernelSpec columns_product_of_kernels(const PassShape& shape, Precision precision, const Columns& columns,
                                      bool conjugate);

/// Two rows at a time, as real and imaginary part of one; reals from `extent` on are taken as 0. buffers: table, image,
/// work. parameters: table_begin.
KernelSpec rows_forward(const PassShape& shape, Precision precision, const Rows& rows);
/// The same of a kernel that is put elsewhere on the circles of its axes.
KernelSpec rows_forward_placed(const PassShape& shape, Precision precision, const Rows& rows, const Placement& place);
/// Back, times `scale`; reals from `extent` on are not written.
KernelSpec rows_inverse(const PassShape& shape, Precision precision, const Rows& rows, double scale);

/// Planes one by one: a pair's rows and, once all rows of a plane are there, its columns, while rows of the next planes
/// are read; what rows leave for columns is then found in the device's last cache. buffers: table, image, work,
/// progress (one counter for the tickets, then one a plane, all 0). parameters: table_begin of rows, of columns,
/// first_plane, num_planes. The schedule's producers are rows.
KernelSpec planes_forward(const PlaneShape& shape, Precision precision, const Rows& rows, const Columns& columns,
                          const PlaneSchedule& schedule);
/// Back: columns are the producers.
KernelSpec planes_inverse(const PlaneShape& shape, Precision precision, const Rows& rows, const Columns& columns,
                          const PlaneSchedule& schedule, double scale);

/// Several kernels: each has `num_lines` tiles of a launch, and its spectrum behind the one before it.
struct LaunchKernels {
  KernelFan::Kind fan = KernelFan::Kind::single;
  Index at_once = 1;
};

/// Lines, of whole tiles along the only axis that is transformed: two tiles at a time, as real and imaginary part of
/// one transform, from the caller's image to the caller's output, `num_lines` tiles in one launch. `scale` is the
/// filter's. buffers: table, spectrum, image, output. parameters: table_begin, begin_tile, with several kernels
/// begin_kernel.
KernelSpec lines_product(const PassShape& shape, Precision precision, const TileAccess& image, const TileAccess& output,
                         Index num_lines, const LaunchKernels& kernels, bool conjugate);
/// The spectrum that lines are multiplied with: that of `extent` reals, of which the first lies at `place` of the
/// circle, times `scale`. buffers: table, image, spectrum. parameters: table_begin, and with a kernel_stride that of
/// Placement.
KernelSpec line_forward_placed(const PassShape& shape, Precision precision, Index extent, Index place, double scale,
                               Index kernel_stride);
std::array<std::uint64_t, 3> threads_of_lines(const PassShape& shape, Index num_tiles, Index num_kernels = 1);

/// Tiles of a plane, two at a time as real and imaginary part of one transform, from the caller's image to the caller's
/// output, `num_tiles` in one launch: rows, columns, product and back in one workgroup's shared memory (overlap-save).
/// buffers: table, spectrum, image, output. parameters: rows_table, columns_table, begin_tile, with several kernels
/// begin_kernel.
KernelSpec tiles_product(const TileShape& shape, Precision precision, const TileAccess& image, const TileAccess& output,
                         Index num_tiles, const LaunchKernels& kernels, bool conjugate);
/// The spectrum that tiles are multiplied with: that of `extent` (x, y) reals, of which the first lies at `place` of
/// the circles, times `scale`. buffers: table, image, spectrum. parameters: rows_table, columns_table, and with a
/// kernel_stride that of Placement.
KernelSpec tile_forward_placed(const TileShape& shape, Precision precision, const std::array<Index, 3>& extent,
                               const std::array<Index, 3>& place, double scale, Index kernel_stride);
std::array<std::uint64_t, 3> threads_of_tiles(const TileShape& shape, Index num_tiles, Index num_kernels = 1);

/// Threads to launch so that every group finds its columns, or rows.
std::array<std::uint64_t, 3> threads_of(const PassShape& shape, const Columns& columns);
std::array<std::uint64_t, 3> threads_of(const PassShape& shape, const Rows& rows);
std::array<std::uint64_t, 3> threads_of(const PlaneShape& shape, const PlaneSchedule& schedule, Index num_planes);

}  // namespace convoy::kernels
