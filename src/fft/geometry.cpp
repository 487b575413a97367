#include "fft/geometry.hpp"

namespace convoy {
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

std::uint64_t FftGeometry::work_bytes() const {
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

std::uint64_t FftGeometry::spectrum_bytes() const { return product(2 * real_bytes(), spectrum_extents()); }

}  // namespace convoy
