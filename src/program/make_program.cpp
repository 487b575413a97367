#include <algorithm>

#include "convoy/error.hpp"
#include "direct/lower_direct.hpp"
#include "fft/lower_passes.hpp"
#include "program/filter_setup.hpp"

namespace convoy {
namespace {

constexpr SlotId kImage = 0;
constexpr SlotId kWork = 1;
constexpr SlotId kSpectrum = 2;
constexpr SlotId kTaps = 1;
constexpr SlotId kResult = 2;
constexpr SlotId kFirstWork = 3;

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
void append_downloads(const Plan& plan, const FftGeometry& geometry, SlotId from, std::vector<Step>& steps) {
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
    download.slot = from;
    download.chunk_bytes = static_cast<std::uint64_t>(piece[1]) * row_bytes;
    download.num_chunks = static_cast<std::uint64_t>(piece[2]);
    download.slot_pitch_bytes = static_cast<std::uint64_t>(geometry.extent[1]) * row_bytes;
    download.port_offset = static_cast<std::uint64_t>(place[1] + place[2] * output[1]) * row_bytes;
    download.slot_offset = static_cast<std::uint64_t>(place[1] + place[2] * geometry.extent[1]) * row_bytes;
    steps.emplace_back(download);
  });
}

/// Along the axes one after the other, from slot to slot; the last pass of every product but the first adds.
void append_separable(const FftGeometry& geometry, const Extents& output, std::vector<Step>& steps) {
  const int num_work_slots = geometry.num_work_slots();
  const bool is_one_tap = geometry.kernel == Extents{1, 1, 1};
  Index taps_begin = 0;
  for (int term = 0; term < geometry.num_terms; ++term) {
    ConvolveDirect pass{.precision = geometry.precision, .taps = kTaps, .extent = geometry.extent};
    pass.count = geometry.extent;
    int num_done = 0;
    for (std::size_t d = 0; d < 3; ++d) {
      const bool is_last = num_done == num_work_slots;
      pass.count[d] = output[d];
      pass.size = {1, 1, 1};
      pass.size[d] = geometry.kernel[d];
      pass.taps_begin = taps_begin;
      taps_begin += geometry.kernel[d];
      if (geometry.kernel[d] == 1 && !(is_one_tap && d == 0)) continue;
      pass.image = num_done == 0 ? kImage : kFirstWork + num_done - 1;
      pass.result = is_last ? kResult : kFirstWork + num_done;
      pass.adds = is_last && term > 0;
      steps.emplace_back(pass);
      ++num_done;
    }
  }
}

/// The kernel's taps are kept as they are, and the result has a slot of its own.
Program make_program_without_transforms(const Plan& plan) {
  const FftGeometry geometry = geometry_of(plan);
  const Extents output = in_device_order(plan, &AxisPlan::tile_output);
  const bool per_tile = plan.num_in_flight > 1;

  Program program;
  program.slots = {{"image", geometry.image_bytes(), per_tile},
                   {"taps", geometry.spectrum_bytes()},
                   {"result", geometry.result_bytes(), per_tile}};
  for (int i = 0; i < geometry.num_work_slots(); ++i) {
    program.slots.push_back({"work", geometry.image_bytes(), per_tile && has_lanes(plan.limits)});
  }
  program.num_in_flight = plan.num_in_flight;
  program.ports = {
      {"kernel", geometry.spectrum_bytes(), Section::setup},
      {"input", geometry.image_bytes(), Section::run},
      {"output", product({geometry.extent[0], output[1], output[2]}) * geometry.real_bytes(), Section::run}};
  Upload taps;
  taps.port = ports::kernel;
  taps.slot = kTaps;
  taps.chunk_bytes = geometry.spectrum_bytes();
  program.setup.emplace_back(taps);
  append_uploads(plan, geometry, program.run);
  if (plan.path == Path::separable) {
    append_separable(geometry, output, program.run);
  } else {
    program.run.emplace_back(ConvolveDirect{.precision = geometry.precision,
                                            .image = kImage,
                                            .taps = kTaps,
                                            .result = kResult,
                                            .extent = geometry.extent,
                                            .size = geometry.kernel,
                                            .count = output});
  }
  append_downloads(plan, geometry, kResult, program.run);
  return program;
}

}  // namespace

Program make_program(const Plan& plan) {
  Program program = make_tile_program(plan);
  lower_native_passes(plan.limits, program);
  lower_direct_steps(plan.limits, program);
  return program;
}

Program make_tile_program(const Plan& plan) {
  if (sums_directly(plan.path)) return make_program_without_transforms(plan);
  const FftGeometry geometry = geometry_of(plan);
  const Extents kernel = in_device_order(plan, &AxisPlan::kernel_size);
  Extents output = in_device_order(plan, &AxisPlan::tile_output);
  output[0] = geometry.extent[0];  // rows are moved whole

  Program program;
  program.slots = {{"image", geometry.image_bytes(), plan.num_in_flight > 1},
                   {"work", geometry.work_bytes(), plan.num_in_flight > 1 && has_lanes(plan.limits)},
                   {"spectrum", geometry.spectrum_bytes()}};
  program.num_in_flight = plan.num_in_flight;
  program.ports = {{"kernel", product(kernel) * geometry.real_bytes(), Section::setup},
                   {"input", geometry.image_bytes(), Section::run},
                   {"output", product(output) * geometry.real_bytes(), Section::run}};
  append_filter_setup(plan, geometry, kWork, kSpectrum, program.setup);
  append_uploads(plan, geometry, program.run);
  program.run.emplace_back(Convolve{geometry, kImage, kWork, kSpectrum});
  append_downloads(plan, geometry, kImage, program.run);
  return program;
}

}  // namespace convoy
