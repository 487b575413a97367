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

/// Calls append(begin, length) for every piece of an extent.
template <class Append>
void for_each_piece(Index extent, Index piece_extent, const Append& append) {
  for (Index begin = 0; begin < extent; begin += piece_extent) append(begin, std::min(piece_extent, extent - begin));
}

void append_uploads(const Plan& plan, const FftGeometry& geometry, std::vector<Step>& steps) {
  const Index extent = geometry.extent[geometry.num_axes - 1];
  const std::uint64_t layer_bytes = geometry.image_bytes() / static_cast<std::uint64_t>(extent);
  for_each_piece(extent, plan.piece_extent, [&](Index begin, Index length) {
    Upload upload;
    upload.port = ports::input;
    upload.slot = kImage;
    upload.chunk_bytes = static_cast<std::uint64_t>(length) * layer_bytes;
    upload.port_offset = upload.slot_offset = static_cast<std::uint64_t>(begin) * layer_bytes;
    steps.emplace_back(upload);
  });
}

/// Of every plane that holds output, the rows that do.
void append_downloads(const Plan& plan, const FftGeometry& geometry, std::vector<Step>& steps) {
  const int piece_axis = geometry.num_axes - 1;
  const Extents output = in_device_order(plan, &AxisPlan::tile_output);
  const std::uint64_t row_bytes = static_cast<std::uint64_t>(geometry.extent[0]) * geometry.real_bytes();
  for_each_piece(output[piece_axis], plan.piece_extent, [&](Index begin, Index length) {
    Extents place{0, 0, 0};
    Extents piece = output;
    place[piece_axis] = begin;
    piece[piece_axis] = length;
    Download download;
    download.port = ports::output;
    download.slot = kImage;
    download.chunk_bytes = static_cast<std::uint64_t>(piece[1]) * row_bytes;
    download.num_chunks = static_cast<std::uint64_t>(piece[2]);
    download.slot_pitch_bytes = static_cast<std::uint64_t>(geometry.extent[1]) * row_bytes;
    download.port_offset = static_cast<std::uint64_t>(place[1] + place[2] * output[1]) * row_bytes;
    download.slot_offset = static_cast<std::uint64_t>(place[1] + place[2] * geometry.extent[1]) * row_bytes;
    steps.emplace_back(download);
  });
}

}  // namespace

Program make_program(const Plan& plan) {
  const FftGeometry geometry = geometry_of(plan);
  const Extents kernel = in_device_order(plan, &AxisPlan::kernel_size);
  Extents output = in_device_order(plan, &AxisPlan::tile_output);
  output[0] = geometry.extent[0];  // rows are moved whole

  Program program;
  program.slots = {{"image", geometry.image_bytes(), plan.num_sets > 1},
                   {"work", geometry.work_bytes()},
                   {"spectrum", geometry.spectrum_bytes()}};
  program.num_sets = plan.num_sets;
  program.ports = {{"kernel", product(kernel) * geometry.real_bytes(), Section::setup},
                   {"input", geometry.image_bytes(), Section::run},
                   {"output", product(output) * geometry.real_bytes(), Section::run}};
  program.setup.emplace_back(Clear{kSpectrum});
  append_kernel_slabs(plan, geometry, program.setup);
  program.setup.emplace_back(TransformKernel{geometry, kSpectrum, kWork});
  append_uploads(plan, geometry, program.run);
  program.run.emplace_back(Convolve{geometry, kImage, kWork, kSpectrum});
  append_downloads(plan, geometry, program.run);
  return program;
}

}  // namespace convoy
