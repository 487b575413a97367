#include "program/filter_setup.hpp"

#include <algorithm>

#include "planner/layout.hpp"

namespace convoy::inline v0 {
namespace {

std::uint32_t u32(Index value) { return static_cast<std::uint32_t>(value); }

/// Where the kernel box's first voxel goes in the spectrum slot.
Extents kernel_place(const Plan& plan) {
  Extents place{};
  for (int d = 0; d < 3; ++d) place[d] = place_of_kernel(plan.axes[plan.device_axes[d]]);
  return place;
}

Dispatch place_kernel(const FftGeometry& geometry, const Extents& size, const Extents& place, SlotId work,
                      SlotId spectrum) {
  Dispatch dispatch;
  dispatch.kernel = &kernels::place_kernel;
  dispatch.precision = geometry.precision;
  dispatch.slots = {work, spectrum};
  for (const Extents& extents : {size, place, geometry.padded}) {
    for (const Index extent : extents) dispatch.parameters.push_back(parameter(u32(extent)));
  }
  dispatch.parameters.push_back(parameter(u32(2 * geometry.row_pitch)));
  dispatch.parameters.push_back(parameter(u32(geometry.padded[1])));
  dispatch.parameters.push_back(parameter(u32(0)));
  for (int d = 0; d < 3; ++d) dispatch.threads[d] = static_cast<std::uint64_t>(size[d]);
  return dispatch;
}

/// The kernel goes through the work slot, in slabs of the last axis that fit it: rows of a plane, or planes, always do.
void append_filter_slabs(const Plan& plan, const FftGeometry& geometry, SlotId work, SlotId spectrum,
                         std::vector<Step>& steps, const KernelRange& which, Index number) {
  const int slab_axis = geometry.num_axes - 1;
  const Extents kernel = in_device_order(plan, &AxisPlan::kernel_size);
  Extents slab = kernel;
  slab[slab_axis] = 1;
  const std::uint64_t unit_bytes = product(slab) * geometry.real_bytes();
  const std::uint64_t kernel_begin =
      static_cast<std::uint64_t>(which.first + number) * product(kernel) * geometry.real_bytes();
  const Index longest_slab = std::max<Index>(1, static_cast<Index>(geometry.work_bytes() / unit_bytes));

  for (Index begin = 0; begin < kernel[slab_axis]; begin += longest_slab) {
    slab[slab_axis] = std::min(longest_slab, kernel[slab_axis] - begin);
    Extents place = kernel_place(plan);
    place[slab_axis] = geometry.kernel_extent > 0 ? begin : (place[slab_axis] + begin) % geometry.padded[slab_axis];
    Upload upload;
    upload.port = ports::kernel;
    upload.slot = work;
    upload.chunk_bytes = product(slab) * geometry.real_bytes();
    upload.port_offset = kernel_begin + static_cast<std::uint64_t>(begin) * unit_bytes;
    steps.emplace_back(upload);
    steps.emplace_back(place_kernel(geometry, slab, place, work, spectrum));
    std::get<Dispatch>(steps.back()).parameter("number") = parameter(u32(number));
  }
}

}  // namespace

Extents in_device_order(const Plan& plan, Index AxisPlan::*field) {
  Extents extents{};
  for (int d = 0; d < 3; ++d) extents[d] = plan.axes[plan.device_axes[d]].*field;
  return extents;
}

std::uint64_t product(const Extents& extents) {
  std::uint64_t voxels = 1;
  for (const Index extent : extents) voxels = saturating_product(voxels, static_cast<std::uint64_t>(extent));
  return voxels;
}

FftGeometry geometry_of(const Plan& plan) { return layout_of(plan); }

void append_filter_setup(const Plan& plan, const FftGeometry& geometry, SlotId work, SlotId spectrum,
                         std::vector<Step>& steps, const KernelRange& which) {
  steps.emplace_back(Clear{spectrum});
  for (Index i = 0; i < which.num; ++i) append_filter_slabs(plan, geometry, work, spectrum, steps, which, i);
  FftGeometry of_filter = geometry;
  of_filter.batch = 1;  // one spectrum for all tiles
  steps.emplace_back(TransformKernel{of_filter, spectrum, work, which.num});
  // The gaps that align rows are multiplied along: by zeros, rather than by uninitialised memory.
  const bool has_gaps = geometry.row_pitch > geometry.padded[0] / 2 + 1;
  if (geometry.path == Path::staged && has_gaps) steps.emplace_back(Clear{work});
}

}  // namespace convoy::inline v0
