// How a transformed array lies on the device: the one geometry that plans count bytes with and steps work on.
#pragma once

#include <array>
#include <cstdint>

#include "convoy/advanced/fft_tuning.hpp"
#include "convoy/path.hpp"
#include "convoy/spec.hpp"

namespace convoy::inline v0 {

/// Of `batch` tiles of one shape, in device order: axis 0 is contiguous. C = 2 reals.
///   image slot    per tile extent[2] x extent[1] x extent[0] reals, tight
///   work slot     per tile rows of row_pitch complex; padded[1] rows a plane (extent[1] if num_axes < 3 and the path
///   is
///                 fused); extent[2] planes if fused, padded[2] if staged (1 if num_axes < 3)
///   spectrum slot padded[2] x padded[1] x row_pitch complex, which all tiles of the batch are multiplied with
/// Tiles of a batch follow each other. Native paths hold as many numbers in work and spectrum, in blocks of columns
/// (fft/passes.hpp); those of one axis, which are done in one launch, keep the whole spectrum of padded[0] numbers and
/// need work only while the filter is placed. Paths that transform nothing have a result slot, which lies as the image
/// slot, and in place of the spectrum the kernel's taps; in place of work, separable ones have two slots or fewer that
/// lie as the image. All byte counts stop at 2^64 - 1 instead of wrapping.
struct FftGeometry {
  Precision precision = Precision::f32;
  Path path = Path::fused;
  int num_axes = 3;  ///< that are transformed
  Index batch = 1;   ///< tiles that one sequence of launches convolves
  /// Native paths: a workgroup holds a whole tile, or two, which it reads, convolves and writes in one launch.
  bool in_one_launch = false;
  bool reads_arrays = false;  ///< native paths: passes read and write the caller's arrays, and there is no image slot
  std::array<Index, 3> extent{1, 1, 1};
  std::array<Index, 3> padded{1, 1, 1};
  Index row_pitch = 1;
  FftTuning tuning;
  /// Native paths may leave the kernel as it is along the last axis, where products transform it on the way: so many
  /// planes (rows, if num_axes < 3) has the spectrum slot then; else 0. The first lies at kernel_place of the circle.
  Index kernel_extent = 0;
  Index kernel_place = 0;

  /// Paths that transform nothing: the kernel's extents, and the products that it is the sum of if it is separable.
  std::array<Index, 3> kernel{1, 1, 1};
  int num_terms = 0;

  bool operator==(const FftGeometry&) const = default;
  std::uint64_t real_bytes() const { return precision == Precision::f32 ? 4 : 8; }
  std::uint64_t image_bytes() const;
  std::uint64_t result_bytes() const;  ///< 0 where the image slot becomes the result
  std::uint64_t work_bytes() const;
  int num_work_slots() const;
  std::uint64_t num_taps() const;  ///< reals that paths without transforms keep of the kernel
  std::uint64_t spectrum_bytes() const;
  std::array<Index, 3> spectrum_extents() const;  ///< complex numbers
};

}  // namespace convoy::inline v0
