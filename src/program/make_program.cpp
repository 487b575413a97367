#include <algorithm>

#include "program/program.hpp"

namespace convoy {
namespace {

constexpr SlotId kImage = 0;
constexpr SlotId kWork = 1;
constexpr SlotId kSpectrum = 2;

using Extents = std::array<Index, 3>;

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

Index modulo(Index a, Index period) { return (a % period + period) % period; }

std::uint32_t u32(Index value) { return static_cast<std::uint32_t>(value); }

FftGeometry geometry_of(const Plan& plan) {
  FftGeometry geometry;
  geometry.precision = plan.spec.precision;
  geometry.path = plan.path;
  geometry.num_axes = plan.num_transforms;
  geometry.extent = in_device_order(plan, &AxisPlan::extent);
  geometry.padded = in_device_order(plan, &AxisPlan::padded);
  geometry.row_pitch = plan.row_pitch;
  geometry.tuning = plan.tuning;
  return geometry;
}

/// Where the kernel box's first voxel goes in the spectrum slot.
Extents kernel_place(const Plan& plan) {
  Extents place{};
  for (int d = 0; d < 3; ++d) {
    const AxisPlan& axis = plan.axes[plan.device_axes[d]];
    place[d] = modulo(axis.kernel_begin - axis.kernel_delta, axis.padded);
  }
  return place;
}

Dispatch place_kernel(const FftGeometry& geometry, const Extents& size, const Extents& place) {
  Dispatch dispatch;
  dispatch.kernel = &kernels::place_kernel;
  dispatch.precision = geometry.precision;
  dispatch.slots = {kWork, kSpectrum};
  for (const Extents& extents : {size, place, geometry.padded}) {
    for (const Index extent : extents) dispatch.parameters.push_back(parameter(u32(extent)));
  }
  dispatch.parameters.push_back(parameter(u32(2 * geometry.row_pitch)));
  dispatch.parameters.push_back(parameter(u32(geometry.padded[1])));
  for (int d = 0; d < 3; ++d) dispatch.threads[d] = static_cast<std::uint64_t>(size[d]);
  return dispatch;
}

/// The kernel goes through the work slot, in slabs of the last axis that fit it: rows of a plane, or planes, always do.
void append_kernel_slabs(const Plan& plan, const FftGeometry& geometry, std::vector<Step>& steps) {
  const int slab_axis = geometry.num_axes - 1;
  const Extents kernel = in_device_order(plan, &AxisPlan::kernel_size);
  Extents slab = kernel;
  slab[slab_axis] = 1;
  const std::uint64_t unit_bytes = product(slab) * geometry.real_bytes();
  const Index longest_slab = std::max<Index>(1, static_cast<Index>(geometry.work_bytes() / unit_bytes));

  for (Index begin = 0; begin < kernel[slab_axis]; begin += longest_slab) {
    slab[slab_axis] = std::min(longest_slab, kernel[slab_axis] - begin);
    Extents place = kernel_place(plan);
    place[slab_axis] = modulo(place[slab_axis] + begin, geometry.padded[slab_axis]);
    Upload upload;
    upload.port = ports::kernel;
    upload.slot = kWork;
    upload.chunk_bytes = product(slab) * geometry.real_bytes();
    upload.port_offset = static_cast<std::uint64_t>(begin) * unit_bytes;
    steps.emplace_back(upload);
    steps.emplace_back(place_kernel(geometry, slab, place));
  }
}

Upload upload_image(const FftGeometry& geometry) {
  Upload upload;
  upload.port = ports::input;
  upload.slot = kImage;
  upload.chunk_bytes = geometry.image_bytes();
  return upload;
}

/// Of every plane that holds output, the rows that do.
Download download_output(const FftGeometry& geometry, const Extents& output) {
  Download download;
  download.port = ports::output;
  download.slot = kImage;
  download.chunk_bytes = product({geometry.extent[0], output[1], 1}) * geometry.real_bytes();
  download.num_chunks = static_cast<std::uint64_t>(output[2]);
  download.slot_pitch_bytes = product({geometry.extent[0], geometry.extent[1], 1}) * geometry.real_bytes();
  return download;
}

}  // namespace

Program make_program(const Plan& plan) {
  const FftGeometry geometry = geometry_of(plan);
  const Extents kernel = in_device_order(plan, &AxisPlan::kernel_size);
  const Download download = download_output(geometry, in_device_order(plan, &AxisPlan::tile_output));

  Program program;
  program.slots = {
      {"image", geometry.image_bytes()}, {"work", geometry.work_bytes()}, {"spectrum", geometry.spectrum_bytes()}};
  program.ports = {{"kernel", product(kernel) * geometry.real_bytes(), Section::setup},
                   {"input", geometry.image_bytes(), Section::run},
                   {"output", download.chunk_bytes * download.num_chunks, Section::run}};
  program.setup.emplace_back(Clear{kSpectrum});
  append_kernel_slabs(plan, geometry, program.setup);
  program.setup.emplace_back(TransformKernel{geometry, kSpectrum, kWork});
  program.run.emplace_back(upload_image(geometry));
  program.run.emplace_back(Convolve{geometry, kImage, kWork, kSpectrum});
  program.run.emplace_back(download);
  return program;
}

}  // namespace convoy
