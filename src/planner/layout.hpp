// One tile as it lies on the device, and the bytes of its buffers.
#pragma once

#include <array>
#include <cstdint>

#include "convoy/plan.hpp"
#include "fft/geometry.hpp"
#include "planner/kernel_fan.hpp"

namespace convoy::inline v0 {

/// The device's geometry, and how it lies beside the caller's image; and of the buffers of the geometry, how many a
/// turn takes (KernelFan).
struct TileLayout : FftGeometry {
  std::array<int, 3> device_axes{2, 1, 0};  ///< the image axis of every device axis
  Index host_run = 1;  ///< voxels that follow each other both in the tile and in the caller's image
  KernelFan fan;
  Index num_images = 1;   ///< image slots; of transforms, results too
  Index num_results = 1;  ///< result slots, where there are any
  Index num_spectra = 1;
  Index num_works = 1;  ///< of transforms: 2 where a turn is done in parts, or as many as launches hold
  /// Of arrays on the device: kernels that one sequence of launches convolves with, whose spectra lie in one slot.
  Index kernels_at_once = 1;
  std::uint64_t weights_bytes = 0;  ///< of arrays on the device: weight images, and two tiles for weighing

  /// Of a turn, whether what becomes of its transforms has a slot of its own.
  bool has_product() const { return num_works > 1 && fan.kind != KernelFan::Kind::each; }
  std::uint64_t work_slot_bytes() const { return of_kernels(has_tiles_in(fan.kind)); }
  std::uint64_t product_slot_bytes() const { return of_kernels(has_tiles_out(fan.kind)); }
  Index num_spectra_slots() const { return (num_spectra + kernels_at_once - 1) / kernels_at_once; }
  std::uint64_t all_images_bytes() const {
    return saturating_product(image_bytes(), static_cast<std::uint64_t>(num_images));
  }
  std::uint64_t all_results_bytes() const {
    return saturating_product(result_bytes(), static_cast<std::uint64_t>(num_results));
  }
  std::uint64_t all_work_bytes() const {
    return saturating_product(work_bytes(), static_cast<std::uint64_t>(num_works));
  }
  std::uint64_t all_spectra_bytes() const {
    return saturating_product(spectrum_bytes(), static_cast<std::uint64_t>(num_spectra_slots() * kernels_at_once));
  }

 private:
  std::uint64_t of_kernels(bool all) const {
    return saturating_product(work_bytes(), static_cast<std::uint64_t>(all && !in_one_launch ? kernels_at_once : 1));
  }
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
                          const Limits& limits, const PlanOptions& options, const FftTuning& tuning,
                          const KernelFan& fan = {});

/// Whether the device can do tiles so.
bool has_path(const TileLayout& tile, const Limits& limits);
/// Whether turns of several kernels keep the path from being taken, which one kernel could have.
bool fan_forbids_path(const TileLayout& tile, const Limits& limits);

/// The layout with as many buffers as a turn of the spec takes; and as launches with so many kernels at once do, where
/// passes read arrays.
TileLayout with_fan(TileLayout tile, const ConvolutionSpec& spec, bool resident);
TileLayout with_kernels_at_once(TileLayout tile, Index kernels_at_once);

/// The layout of a plan's tiles.
TileLayout layout_of(const Plan& plan);

/// Whether the first launch may read the caller's array on the device and the last one write it, where their paths can.
/// An output that is added up is not written so: several tiles write the same voxel.
/// A result that missing voxels change is not written so either.
bool passes_arrays(bool resident, const ConvolutionSpec& spec);

/// Whether results are made up for voxels that are missing.
bool knows_missing(const ConvolutionSpec& spec);

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

}  // namespace convoy::inline v0
