#include "fft/geometry.hpp"

#include <algorithm>

namespace convoy::inline v0 {
namespace {

std::uint64_t product(std::uint64_t unit_bytes, const std::array<Index, 3>& extents) {
  std::uint64_t bytes = unit_bytes;
  for (const Index extent : extents) bytes = saturating_product(bytes, static_cast<std::uint64_t>(extent));
  return bytes;
}

}  // namespace

std::uint64_t FftGeometry::image_bytes() const {
  if (reads_arrays) return 0;
  return saturating_product(product(real_bytes(), extent), static_cast<std::uint64_t>(batch));
}

std::uint64_t FftGeometry::result_bytes() const { return sums_directly(path) ? image_bytes() : 0; }

int FftGeometry::num_work_slots() const {
  if (path != Path::separable) return path == Path::direct ? 0 : 1;
  int num_passes = 0;
  for (const Index taps : kernel) num_passes += taps > 1 ? 1 : 0;
  return std::max(num_passes - 1, 0);
}

std::uint64_t FftGeometry::work_bytes() const {
  if (sums_directly(path)) return saturating_product(image_bytes(), static_cast<std::uint64_t>(num_work_slots()));
  if (in_one_launch) return product(2 * real_bytes(), {row_pitch, padded[1], 1});  // the kernel comes through it, whole
  const std::array<Index, 3> of_tile = path == Path::staged ? spectrum_extents()
                                       : num_axes < 3       ? std::array<Index, 3>{row_pitch, extent[1], 1}
                                                            : std::array<Index, 3>{row_pitch, padded[1], extent[2]};
  return saturating_product(product(2 * real_bytes(), of_tile), static_cast<std::uint64_t>(batch));
}

std::array<Index, 3> FftGeometry::spectrum_extents() const {
  std::array<Index, 3> extents{row_pitch, padded[1], padded[2]};
  if (kernel_extent > 0) extents[static_cast<std::size_t>(num_axes - 1)] = kernel_extent;
  return extents;
}

std::uint64_t FftGeometry::num_taps() const {
  const auto& [x, y, z] = kernel;
  return path == Path::separable ? static_cast<std::uint64_t>(num_terms * (x + y + z)) : product(1, kernel);
}

std::uint64_t FftGeometry::spectrum_bytes() const {
  if (sums_directly(path)) return saturating_product(real_bytes(), num_taps());
  return product(2 * real_bytes(), spectrum_extents());
}

}  // namespace convoy::inline v0
