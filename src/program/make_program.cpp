#include <fmt/format.h>

#include <algorithm>

#include "convoy/error.hpp"
#include "direct/lower_direct.hpp"
#include "fft/lower_passes.hpp"
#include "planner/layout.hpp"
#include "program/filter_setup.hpp"

namespace convoy::inline v0 {
namespace {

/// Calls append(begin, length) for every piece of an extent.
template <class Append>
void for_each_piece(Index extent, Index piece_extent, const Append& append) {
  for (Index begin = 0; begin < extent; begin += piece_extent) append(begin, std::min(piece_extent, extent - begin));
}

void append_uploads(const Plan& plan, const FftGeometry& geometry, PortId port, SlotId slot, std::vector<Step>& steps) {
  const Index extent = geometry.extent[geometry.num_axes - 1];
  const std::uint64_t layer_bytes = geometry.image_bytes() / static_cast<std::uint64_t>(extent);
  for_each_piece(extent, plan.piece_extent, [&](Index begin, Index length) {
    Upload upload;
    upload.port = port;
    upload.slot = slot;
    upload.chunk_bytes = static_cast<std::uint64_t>(length) * layer_bytes;
    upload.port_offset = upload.slot_offset = static_cast<std::uint64_t>(begin) * layer_bytes;
    steps.emplace_back(upload);
  });
}

/// Of every plane that holds output, the rows that do.
void append_downloads(const Plan& plan, const FftGeometry& geometry, SlotId from, PortId port,
                      std::vector<Step>& steps) {
  const int piece_axis = geometry.num_axes - 1;
  const Extents output = in_device_order(plan, &AxisPlan::tile_output);
  const std::uint64_t row_bytes = static_cast<std::uint64_t>(geometry.extent[0]) * geometry.real_bytes();
  for_each_piece(output[piece_axis], plan.piece_extent, [&](Index begin, Index length) {
    Extents place{0, 0, 0};
    Extents piece = output;
    place[piece_axis] = begin;
    piece[piece_axis] = length;
    Download download;
    download.port = port;
    download.slot = from;
    download.chunk_bytes = static_cast<std::uint64_t>(piece[1]) * row_bytes;
    download.num_chunks = static_cast<std::uint64_t>(piece[2]);
    download.slot_pitch_bytes = static_cast<std::uint64_t>(geometry.extent[1]) * row_bytes;
    download.port_offset = static_cast<std::uint64_t>(place[1] + place[2] * output[1]) * row_bytes;
    download.slot_offset = static_cast<std::uint64_t>(place[1] + place[2] * geometry.extent[1]) * row_bytes;
    steps.emplace_back(download);
  });
}

/// Of a sum over taps: where from, by which taps, where to.
struct SumSlots {
  SlotId image = 0;
  SlotId taps = 0;
  SlotId result = 0;
  bool adds = false;
};

/// Along the axes one after the other, from slot to slot; the last pass of every product but the first adds.
void append_separable(const FftGeometry& geometry, const Extents& output, const SumSlots& slots,
                      const std::vector<SlotId>& work, std::vector<Step>& steps) {
  const int num_work_slots = geometry.num_work_slots();
  const bool is_one_tap = geometry.kernel == Extents{1, 1, 1};
  Index taps_begin = 0;
  for (int term = 0; term < geometry.num_terms; ++term) {
    ConvolveDirect pass{.precision = geometry.precision, .taps = slots.taps, .extent = geometry.extent};
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
      pass.image = num_done == 0 ? slots.image : work[static_cast<std::size_t>(num_done - 1)];
      pass.result = is_last ? slots.result : work[static_cast<std::size_t>(num_done)];
      pass.adds = is_last && (slots.adds || term > 0);
      steps.emplace_back(pass);
      ++num_done;
    }
  }
}

/// One image, result or spectrum for all of a turn, or one each.
template <class List>
SlotId of_turn(const List& slots, Index i) {
  return slots.size() > 1 ? slots[static_cast<std::size_t>(i)] : slots.front();
}

void append_sums(const Plan& plan, const FftGeometry& geometry, const TileSlots& slots, std::vector<Step>& steps) {
  const KernelFan fan = kernel_fan(plan.spec);
  const Extents output = in_device_order(plan, &AxisPlan::tile_output);
  for (Index i = 0; i < fan.num; ++i) {
    const SumSlots sum{of_turn(slots.images, i), of_turn(slots.spectra, i), of_turn(slots.results, i),
                       fan.kind == KernelFan::Kind::gather && i > 0};
    if (plan.path == Path::separable) {
      append_separable(geometry, output, sum, slots.work, steps);
      continue;
    }
    steps.emplace_back(ConvolveDirect{.precision = geometry.precision,
                                      .image = sum.image,
                                      .taps = sum.taps,
                                      .result = sum.result,
                                      .extent = geometry.extent,
                                      .size = geometry.kernel,
                                      .count = output,
                                      .adds = sum.adds});
  }
}

void append_transforms(const Plan& plan, const FftGeometry& geometry, const TileSlots& slots,
                       std::vector<Step>& steps) {
  const KernelFan fan = kernel_fan(plan.spec);
  using Kind = KernelFan::Kind;
  for (Index i = 0; i < fan.num; ++i) {
    Convolve step{geometry, of_turn(slots.images, i), slots.work.front(), of_turn(slots.spectra, i)};
    if (fan.kind == Kind::single || fan.kind == Kind::each) {
      steps.emplace_back(step);
      continue;
    }
    step.product = slots.product;
    if (fan.kind == Kind::gather || i == 0) {
      step.part = Convolve::Part::forward;
      if (fan.kind == Kind::spread) step.image = slots.images.front();
      steps.emplace_back(step);
    }
    step.part = Convolve::Part::product;
    step.adds = fan.kind == Kind::gather && i > 0;
    steps.emplace_back(step);
    if (fan.kind == Kind::spread || i == fan.num - 1) {
      step.part = Convolve::Part::inverse;
      step.image = fan.kind == Kind::spread ? of_turn(slots.results, i) : slots.results.front();
      step.work = slots.product;
      step.adds = false;
      steps.emplace_back(step);
    }
  }
}

/// Names of several slots or ports of a kind are numbered.
std::string numbered(const char* name, Index number, Index count) {
  return count > 1 ? fmt::format("{} {}", name, number) : name;
}

void append_ports(const Plan& plan, std::uint64_t kernel_bytes, std::uint64_t input_bytes, std::uint64_t output_bytes,
                  Program& program) {
  const KernelFan fan = kernel_fan(plan.spec);
  const auto all_kernels = saturating_product(kernel_bytes, static_cast<std::uint64_t>(fan.num));
  const auto input = [&](Index i) { return Port{numbered("input", i, fan.num_inputs()), input_bytes, Section::run}; };
  const auto output = [&](Index i) {
    return Port{numbered("output", i, fan.num_outputs()), output_bytes, Section::run};
  };
  program.ports = {{"kernel", all_kernels, Section::setup}, input(0), output(0)};
  for (Index i = 1; i < fan.num_inputs(); ++i) program.ports.push_back(input(i));
  for (Index i = 1; i < fan.num_outputs(); ++i) program.ports.push_back(output(i));
}

/// By their numbers in `slots`.
void name_slots(const std::vector<SlotId>& slots, const char* name, std::uint64_t bytes, bool per_tile,
                Program& program) {
  for (std::size_t i = 0; i < slots.size(); ++i) {
    program.slots[static_cast<std::size_t>(slots[i])] = {
        numbered(name, static_cast<Index>(i), static_cast<Index>(slots.size())), bytes, per_tile};
  }
}

void append_all_uploads(const Plan& plan, const FftGeometry& geometry, const TileSlots& slots, Program& program) {
  for (Index i = 0; i < kernel_fan(plan.spec).num_inputs(); ++i) {
    append_uploads(plan, geometry, ports::input_of(i), of_turn(slots.images, i), program.run);
  }
}
void append_all_downloads(const Plan& plan, const FftGeometry& geometry, const TileSlots& slots, Program& program) {
  const KernelFan fan = kernel_fan(plan.spec);
  for (Index i = 0; i < fan.num_outputs(); ++i) {
    append_downloads(plan, geometry, of_turn(slots.results, i), ports::output_of(fan, i), program.run);
  }
}

/// The kernel's taps are kept as they are, and the result has a slot of its own.
Program make_program_without_transforms(const Plan& plan) {
  const FftGeometry geometry = geometry_of(plan);
  const Extents output = in_device_order(plan, &AxisPlan::tile_output);
  const bool per_tile = plan.num_in_flight > 1;
  const TileSlots slots = tile_slots(plan);

  Program program;
  program.slots.resize(static_cast<std::size_t>(slots.num_slots));
  name_slots(slots.images, "image", geometry.image_bytes(), per_tile, program);
  name_slots(slots.spectra, "taps", geometry.spectrum_bytes(), false, program);
  name_slots(slots.results, "result", geometry.result_bytes(), per_tile, program);
  for (const SlotId work : slots.work) {
    program.slots[static_cast<std::size_t>(work)] = {"work", geometry.image_bytes(),
                                                     per_tile && has_lanes(plan.limits)};
  }
  program.num_in_flight = plan.num_in_flight;
  append_ports(plan, geometry.spectrum_bytes(), geometry.image_bytes(),
               product({geometry.extent[0], output[1], output[2]}) * geometry.real_bytes(), program);
  for (std::size_t i = 0; i < slots.spectra.size(); ++i) {
    Upload taps;
    taps.port = ports::kernel;
    taps.port_offset = i * geometry.spectrum_bytes();
    taps.slot = slots.spectra[i];
    taps.chunk_bytes = geometry.spectrum_bytes();
    program.setup.emplace_back(taps);
  }
  append_all_uploads(plan, geometry, slots, program);
  append_sums(plan, geometry, slots, program.run);
  append_all_downloads(plan, geometry, slots, program);
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

  const TileSlots slots = tile_slots(plan);

  Program program;
  program.slots.resize(static_cast<std::size_t>(slots.num_slots));
  name_slots(slots.images, "image", geometry.image_bytes(), plan.num_in_flight > 1, program);
  const bool lanes = plan.num_in_flight > 1 && has_lanes(plan.limits);
  name_slots(slots.work, "work", layout_of(plan).work_slot_bytes(), lanes, program);
  const Index num_kernels = kernel_fan(plan.spec).num;
  const Index at_once = layout_of(plan).kernels_at_once;
  name_slots(slots.spectra, "spectrum",
             saturating_product(geometry.spectrum_bytes(), static_cast<std::uint64_t>(at_once)), false, program);
  if (slots.product > 0) {
    program.slots[static_cast<std::size_t>(slots.product)] = {"product", layout_of(plan).product_slot_bytes(), lanes};
  }
  program.num_in_flight = plan.num_in_flight;
  append_ports(plan, product(kernel) * geometry.real_bytes(), geometry.image_bytes(),
               product(output) * geometry.real_bytes(), program);
  for (std::size_t i = 0; i < slots.spectra.size(); ++i) {
    const Index first = static_cast<Index>(i) * at_once;
    append_filter_setup(plan, geometry, slots.work.front(), slots.spectra[i], program.setup,
                        {first, std::min(at_once, num_kernels - first)});
  }
  append_all_uploads(plan, geometry, slots, program);
  append_transforms(plan, geometry, slots, program.run);
  append_all_downloads(plan, geometry, slots, program);
  return program;
}

PortId ports::input_of(Index tile) { return tile == 0 ? input : static_cast<PortId>(output + tile); }
PortId ports::output_of(const KernelFan& fan, Index tile) {
  return tile == 0 ? output : static_cast<PortId>(output + fan.num_inputs() - 1 + tile);
}

TileSlots tile_slots(const Plan& plan) {
  const TileLayout layout = layout_of(plan);
  const bool sums = sums_directly(plan.path);
  TileSlots slots;
  slots.num_slots = 3;
  const auto more = [&](std::vector<SlotId>& list, Index count) {
    while (static_cast<Index>(list.size()) < count) list.push_back(slots.num_slots++);
  };
  slots.images = {0};
  if (sums) {
    slots.spectra = {1};
    slots.results = {2};
    more(slots.work, layout.num_work_slots());
  } else {
    slots.work = {1};
    slots.spectra = {2};
  }
  more(slots.images, layout.num_images);
  more(slots.spectra, layout.num_spectra_slots());
  if (sums) more(slots.results, layout.num_results);
  if (!sums) slots.results = slots.images;
  if (layout.has_product()) slots.product = slots.num_slots++;
  return slots;
}

}  // namespace convoy::inline v0
