// How convoy's own transform passes take a length apart, and the numbers they look up.
#pragma once

#include <complex>
#include <optional>
#include <vector>

#include "convoy/shape.hpp"

namespace convoy::inline v0 {

/// Largest factor that one thread transforms in its registers.
inline constexpr Index kLargestRadix = 16;

/// Factors of `length`, as few as possible, the largest of them as small as possible and at most `largest`, largest
/// last. Nothing if a prime factor is too large. {} for length 1.
std::optional<std::vector<Index>> radices_of(Index length, Index largest = kLargestRadix);

/// Of columns, where 18 still leaves as many registers to others: 288 is 16 * 18, with one exchange instead of two.
std::optional<std::vector<Index>> column_radices_of(Index length);

/// Of so many factors that compilers load the kernel's spectrum for it one by one (PassShape::loads_together).
bool has_large_butterfly(const std::vector<Index>& radices);

/// Of columns that are multiplied in between. Where few threads do the most butterflies of a stage at once, and the
/// spectrum is loaded ahead, the smallest factor is the last: that stage then needs the fewest registers. With
/// `many_registers` (over a hundred for each thread, a number the compiler must be given), two factors of up to 32
/// rather than three.
std::optional<std::vector<Index>> product_radices_of(Index length, bool many_registers);

/// The frequency that decimation in frequency with these radices leaves at each position (Cooley and Tukey 1965;
/// digits reversed).
std::vector<Index> frequencies_in_place(const std::vector<Index>& radices);

/// What a product looks up to transform a kernel's column itself (fft/kernel_text.hpp): of each butterfly of
/// the last stage three numbers, behind the twiddle factors.
class KernelRoots {
 public:
  explicit KernelRoots(const std::vector<Index>& radices);
  Index steps() const { return begin_; }
  Index starts() const { return begin_ + count_; }
  Index roots() const { return begin_ + 2 * count_; }
  Index end() const { return begin_ + 3 * count_; }
  /// The numbers, of a kernel whose first element is at `place`.
  std::vector<std::complex<double>> numbers(Index place) const;

 private:
  std::vector<Index> radices_;
  Index length_ = 1;
  Index begin_ = 0;
  Index count_ = 1;  ///< butterflies of the last stage
};

/// exp(-2 pi i k / length), 0 <= k < length.
std::vector<std::complex<double>> roots_of_unity(Index length);

/// Of lines: as few factors as possible and those as even as can be, 16 first (a thread then has as many voxels on
/// their way), the others in rising order; at most one of those is above 16.
std::optional<std::vector<Index>> line_radices_of(Index length);

/// The same with the smallest radix last, for rows: there a thread holds two butterflies of the last stage.
std::optional<std::vector<Index>> row_radices_of(Index length);

/// Of a row's spectrum, one of each pair of frequencies k and length - k is stored, for reals have conjugate-symmetric
/// spectra. What butterfly c of the last stage, of `count`, makes has its mirrors in butterfly count - c: element j's
/// is element radix - 1 - j. Butterflies 0 and count / 2 (if there is one) hold their own mirrors: element j's of the
/// first is element -j modulo the radix, of the other radix - 1 - j.
struct MirroredButterflies {
  Index first = 0;   ///< position of element 0
  Index second = 0;  ///< of its mirror's; of the last pair, which is 0 and count / 2, of the latter, or 0
};
/// Pairs of mirrors in the order of their first positions, then the one that holds its own.
std::vector<MirroredButterflies> mirrored_butterflies(const std::vector<Index>& radices);

/// In which column of work and spectrum frequencies are stored. All but the last pair: element j of the first butterfly
/// of pair i in column j * column_step + i. The last: elements 0 to radix / 2 of butterfly 0, then elements 0 to
/// (radix - 1) / 2 of butterfly count / 2.
struct StoredColumns {
  Index radix = 1;
  Index num_pairs = 0;  ///< without the last
  Index column_step = 0;
  bool has_middle = false;  ///< butterfly count / 2
  explicit StoredColumns(const std::vector<Index>& radices);
  Index num_own() const { return radix / 2 + 1; }  ///< of butterfly 0
  Index num_middle() const { return has_middle ? (radix + 1) / 2 : 0; }
  Index general(Index element, Index pair) const { return element * column_step + pair; }
  Index special(Index number) const;  ///< of the last pair's frequency `number`
};

}  // namespace convoy::inline v0
