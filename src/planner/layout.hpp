// One tile as it lies on the device, and the bytes of its buffers.
#pragma once

#include <array>
#include <cstdint>

#include "convoy/plan.hpp"
#include "fft/geometry.hpp"

namespace convoy {

/// The device's geometry, and how it lies beside the caller's image.
struct TileLayout : FftGeometry {
  std::array<int, 3> device_axes{2, 1, 0};  ///< the image axis of every device axis
  Index host_run = 1;  ///< voxels that follow each other both in the tile and in the caller's image
};

/// Axes of one voxel are squeezed to the end. The fastest of the others is contiguous; of two strided ones the one that
/// padding stretches most comes last, where padding costs no work memory and the fewest passes.
/// Rows of the fused path are padded to a multiple of tuning.pitch_alignment complex numbers, unless they are so short
/// that this would cost an eighth of the memory.
TileLayout tile_layout(const std::array<const AxisPlan*, 3>& axes, Precision precision, Path path,
                       const FftTuning& tuning = {});

/// The layout for the path that the options name, possible or not (has_path), or else for the best one that they allow
/// and the device has: native, fused, staged. The kernel's whole spectrum is stored (see filter_storage.hpp).
/// `passes_arrays`: as the function of that name says.
TileLayout allowed_layout(const std::array<const AxisPlan*, 3>& axes, Precision precision, bool passes_arrays,
                          const Limits& limits, const PlanOptions& options, const FftTuning& tuning);

/// Whether the device can do tiles so.
bool has_path(const TileLayout& tile, const Limits& limits);

/// The layout of a plan's tiles.
TileLayout layout_of(const Plan& plan);

/// Whether the first launch may read the caller's array on the device and the last one write it, where their paths can.
/// An output that is added up is not written so: several tiles write the same voxel.
bool passes_arrays(bool resident, const ConvolutionSpec& spec);

/// Where the first element of what is kept of the kernel goes in the transform's period.
Index place_of_kernel(const AxisPlan& axis);

/// Twiddle factors of device transforms; no slot of the program. Stops at 2^64 - 1 instead of wrapping, as does
/// footprint_bytes().
std::uint64_t table_bytes(const TileLayout& tile, const Limits& limits);
/// Whether tiles in flight are worked on side by side, each by a thread of the host, rather than transferred while
/// another is: then each has a work buffer, too.
bool has_lanes(const Limits& limits);
/// Of `num_in_flight` tiles in flight.
std::uint64_t footprint_bytes(const TileLayout& tile, const Limits& limits, int num_in_flight);

}  // namespace convoy
