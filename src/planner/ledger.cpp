#include "planner/ledger.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "planner/lengths.hpp"

namespace convoy::inline v0 {
namespace {

constexpr double kMostBytes = 1.8e19;

/// "3 times ", of what there is more than one of.
std::string times(Index count) { return count > 1 ? fmt::format("{} times ", count) : ""; }

/// What turns of several kernels with weights hold besides, on the device.
void add_weights(const TileLayout& layout, std::vector<LedgerLine>& ledger) {
  if (layout.weights_bytes == 0) return;
  if (!layout.fan.weighs) {
    ledger.push_back({"known voxels", layout.weights_bytes, "two tiles, to make up for missing voxels"});
    return;
  }
  ledger.push_back(
      {"weights", layout.weights_bytes, fmt::format("{}the image, and two tiles", times(layout.num_spectra))});
}

std::vector<LedgerLine> ledger_without_transforms(const TileLayout& layout, const Limits& limits, int num_in_flight) {
  const auto sets = static_cast<std::uint64_t>(num_in_flight);
  const std::uint64_t work_sets = has_lanes(limits) ? sets : 1;
  const std::string in_flight = num_in_flight > 1 ? fmt::format("{} in flight, each ", num_in_flight) : "";
  const char* real = name(layout.precision);
  const std::string tile = device_shape(layout, layout.extent, real);
  const std::string terms = layout.num_terms == 1 ? "" : fmt::format("{} times ", layout.num_terms);
  std::vector<LedgerLine> ledger{
      {"image tile", sets * layout.all_images_bytes(), in_flight + times(layout.num_images) + tile + ", input"},
      {"result tile", sets * layout.all_results_bytes(), in_flight + times(layout.num_results) + tile + ", output"},
      {"work buffer", work_sets * layout.work_bytes(),
       fmt::format("{}{} times {}", work_sets > 1 ? in_flight : "", layout.num_work_slots(), tile)},
      {"kernel", layout.all_spectra_bytes(),
       times(layout.num_spectra) + (layout.path == Path::separable ? terms + "a row of each axis"
                                                                   : device_shape(layout, layout.kernel, real))}};
  add_weights(layout, ledger);
  std::erase_if(ledger, [](const LedgerLine& line) { return line.bytes == 0; });  // arrays that are read need no tiles
  return ledger;
}

}  // namespace

std::string device_shape(const TileLayout& layout, const std::array<Index, 3>& extents, const char* kind) {
  std::string axes;
  std::string text;
  for (int d = 2; d >= 0; --d) {
    if (d >= layout.num_axes) continue;
    axes += axis_name(layout.device_axes[d]);
    text += fmt::format("{}{}", text.empty() ? "" : "x", extents[d]);
  }
  return fmt::format("{} {} {}", text, axes, kind);
}

std::vector<LedgerLine> ledger_of(const TileLayout& layout, const Limits& limits, int num_in_flight) {
  if (sums_directly(layout.path)) return ledger_without_transforms(layout, limits, num_in_flight);
  const auto sets = static_cast<std::uint64_t>(num_in_flight);
  const std::string in_flight = num_in_flight > 1 ? fmt::format("{} in flight, each ", num_in_flight) : "";
  const std::uint64_t work_sets = has_lanes(limits) ? sets : 1;
  const std::string of_batch = times(layout.batch);
  const char* real = name(layout.precision);
  const std::string complex = fmt::format("complex {}", real);
  const bool volume = layout.num_axes == 3;
  const bool staged = layout.path == Path::staged;
  const bool one_launch = layout.in_one_launch;
  const std::array<Index, 3> work =
      one_launch ? std::array<Index, 3>{layout.row_pitch, layout.padded[1], 1}
                 : std::array<Index, 3>{layout.row_pitch, volume || staged ? layout.padded[1] : layout.extent[1],
                                        staged ? layout.padded[2] : layout.extent[2]};
  std::vector<LedgerLine> ledger{
      {"image tile", sets * layout.all_images_bytes(),
       in_flight + times(layout.num_images) + of_batch + device_shape(layout, layout.extent, real) +
           ", input and output"},
      {"work buffer", work_sets * layout.all_work_bytes(),
       (work_sets > 1 ? in_flight : "") + times(layout.num_works) + (one_launch ? "" : of_batch) +
           device_shape(layout, work, complex.c_str()) +
           (layout.num_works > 1 ? ", the image's transform and what becomes of it" : "")},
      {"kernel spectrum", layout.all_spectra_bytes(),
       times(layout.num_spectra) + device_shape(layout, layout.spectrum_extents(), complex.c_str()) +
           (layout.kernel_extent > 0
                ? fmt::format(", not transformed along {}", axis_name(layout.device_axes[layout.num_axes - 1]))
                : "")}};
  if (layout.reads_arrays) ledger.erase(ledger.begin());  // no image slot
  add_weights(layout, ledger);
  if (const auto bytes = table_bytes(layout, limits); bytes > 0) {
    ledger.push_back({"FFT tables", bytes, "twiddle factors, kept by the transforms"});
  }
  return ledger;
}

std::uint64_t whole_bytes(double bytes) { return bytes < kMostBytes ? static_cast<std::uint64_t>(bytes) : UINT64_MAX; }

std::uint64_t widest_access(const TileLayout& layout, const Limits& limits) {
  if (limits.shared_memory_bytes == 0) return 0;
  Index longest = 1;
  for (int d = 1; d < layout.num_axes; ++d) longest = std::max(longest, layout.padded[d]);
  for (const std::uint64_t width : {std::uint64_t{128}, std::uint64_t{64}}) {
    if (width < limits.coalesced_bytes) break;
    Limits wider = limits;
    wider.coalesced_bytes = width;
    if (width == 128) wider.shared_memory_bytes = limits.shared_memory_bytes * 2 / 7;
    if (TransformLengths(wider, layout.precision, false, 1).fits_device(longest)) return width;
  }
  return limits.coalesced_bytes;
}

}  // namespace convoy::inline v0
