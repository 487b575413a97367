// How a workgroup works on transforms of one length, and what it looks up.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "convoy/device.hpp"
#include "convoy/spec.hpp"
#include "fft/bank_padding.hpp"

namespace convoy::inline v0 {

struct PassShape {
  Index length = 1;
  std::vector<Index> radices;
  Index width = 1;           ///< columns, or pairs of rows, of a workgroup
  Index threads = 1;         ///< for each of them
  BankPadding bank_padding;  ///< of rows in shared memory
  /// A product loads all factors of a butterfly together (SpectrumOp::loads_together). Left to it, compilers load those
  /// of large butterflies one after the other, to spare registers; those of small ones they load together themselves.
  bool loads_together = false;
};

/// Knobs; 0 leaves the choice to the function.
struct PassTuning {
  std::uint64_t width_bytes = 0;  ///< of neighbouring columns
  std::uint64_t max_threads = 0;  ///< of a workgroup
};

/// What columns are for: those of the last axis are multiplied by the spectrum between forth and back.
enum class ColumnRole { transform, product };
constexpr ColumnRole role_of(int axis, int num_axes) {
  return axis == num_axes - 1 ? ColumnRole::product : ColumnRole::transform;
}

std::uint64_t complex_size(Precision precision);
/// Of shared memory, what a workgroup may take so that others fit beside it.
std::uint64_t shared_memory_budget_bytes(const Limits& limits);
constexpr Index ceil_divided(Index a, Index b) { return (a + b - 1) / b; }
/// As even shares of `butterflies` as at most `most` threads can have.
Index even_shares(Index butterflies, Index most);

/// Nothing if the length has a prime factor above 13 or does not fit the device's shared memory.
std::optional<PassShape> column_shape(Index length, ColumnRole role, Precision precision, const Limits& limits,
                                      PassTuning tuning = {});
/// Of lines: one axis, tiles in pairs.
std::optional<PassShape> line_shape(Index length, Precision precision, const Limits& limits, PassTuning tuning = {});
std::optional<PassShape> row_shape(Index length, Precision precision, const Limits& limits);

/// Factors of a column's transform; nothing if the length has a prime factor above 13.
std::optional<std::vector<Index>> column_radices(Index length, ColumnRole role, Precision precision,
                                                 const Limits& limits);

/// Whether products of columns of this length can transform a kernel of that extent themselves (Columns::kernel) to any
/// gain: each of its elements is a term of every butterfly's sums, so that it has to be short; and no thread may have
/// two butterflies, or its factors are not ready before the data is (P2, 1440 rows: 1.20 instead of 0.86 ms).
bool can_transform_kernel(Index length, Index kernel, Precision precision, const Limits& limits);

/// Whether the device's shared memory holds the rows and columns of a tile (device order).
bool has_native_passes(int num_axes, const std::array<Index, 3>& padded, Precision precision, const Limits& limits);
/// Why it does not; to be asked where it does not.
std::string why_no_native_passes(int num_axes, const std::array<Index, 3>& padded, const Limits& limits);

/// The most columns of a block, in which they lie next to each other, element by element: of 128 bytes, or fewer where
/// the last block would be too empty.
Index widest_block(Index num_columns, Precision precision);
/// num_columns up to whole blocks.
Index blocked_columns(Index num_columns, Precision precision);

/// Of the columns of a workgroup, the same along all axes of a tile (device order).
std::uint64_t common_width_bytes(int num_axes, const std::array<Index, 3>& padded, Precision precision,
                                 const Limits& limits);

/// Elements of shared memory that a pair of rows takes.
Index bank_padded_length(const PassShape& shape);

/// Complex numbers of column_table() or row_table().
constexpr Index pass_table_length(Index length) { return length + length / 2 + 1; }

/// What the passes of a length look up: the twiddle factors stage by stage, exp(-2 pi i n / L) for 0 <= n < L / radix.
/// Products that transform a kernel's columns find behind them what that takes (KernelRoots).
std::vector<std::byte> column_table(Index length, ColumnRole role, Precision precision, const Limits& limits,
                                    std::optional<Index> kernel_place = {});
/// The same for lines.
std::vector<std::byte> line_table(Index length, Precision precision);
/// The same for rows; then at `length`, for each pair of mirrored_butterflies(), their places in shared memory. Places
/// are added to 2^23 in single precision, so that they are the lower bits of the number.
std::vector<std::byte> row_table(Index length, Precision precision);

}  // namespace convoy::inline v0
