// Which lengths a device transforms, and which of them it likes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "convoy/device.hpp"
#include "convoy/spec.hpp"

namespace convoy::inline v0 {

constexpr std::uint64_t real_bytes(Precision precision) { return precision == Precision::f32 ? 4 : 8; }
constexpr std::uint64_t complex_bytes(Precision precision) { return 2 * real_bytes(precision); }

/// Whether 2, 3, 5, 7, 11 and 13 are the only prime factors: those have radix kernels in VkFFT and FFTW. Other primes
/// go through slower algorithms, some of which VkFFT's convolution gets wrong.
bool is_smooth(Index length);

/// The smallest smooth length that is not below at_least.
Index next_smooth(Index at_least);

/// Time of a transform pass relative to one whose length is rich in powers of two, for equal bytes. Fitted to measured
/// cubes: 576 = 2^6*9 beats 560 = 2^4*35, and 1056 = 2^5*33 beats 1152 = 2^7*9, which beats 1080 = 2^3*135.
double length_weight(Index length);

/// "2^6*3^2".
std::string factors_to_text(Index length);

/// The lengths that one axis of a device may have. Longer ones than the device transforms in a single pass through its
/// shared memory are left out: a second pass would need a larger work buffer, and VkFFT gets some of them wrong.
class TransformLengths {
 public:
  /// The contiguous axis is transformed row by row, the others a coalesced access wide. Lengths up to at least
  /// 2 * longest_needed are listed.
  TransformLengths(const Limits& limits, Precision precision, bool contiguous, Index longest_needed);

  bool admits(Index length) const;
  /// A single pass through the device's shared memory is enough.
  bool fits_device(Index length) const;
  std::optional<Index> smallest(Index at_least) const;
  /// Least length * weight.
  std::optional<Index> cheapest(Index at_least) const;
  /// The longest listed one.
  Index longest() const { return lengths_.back(); }

 private:
  std::uint64_t shared_memory_bytes_;
  std::uint64_t bytes_per_element_;
  std::vector<Index> lengths_;
};

}  // namespace convoy::inline v0
