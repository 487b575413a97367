#include "planner/host_needs.hpp"

#include <algorithm>

#include "device_model/common.hpp"
#include "planner/axis.hpp"
#include "planner/lengths.hpp"

namespace convoy::inline v0 {
namespace {

using Axes = std::array<const AxisPlan*, 3>;

/// Product of a size per axis, times the bytes of one.
template <class Size>
std::uint64_t bytes_of(std::uint64_t element_bytes, const Size& size) {
  std::uint64_t bytes = element_bytes;
  for (int axis = 0; axis < 3; ++axis) bytes = saturating_product(bytes, static_cast<std::uint64_t>(size(axis)));
  return bytes;
}

/// Ports of devices that share the host's memory are the slots themselves, except for outputs that are parts of planes.
std::uint64_t port_bytes(const HostTask& task, const Axes& axes, const TileLayout& layout, int num_in_flight) {
  const auto rows_out = [&](int d) {
    return d == 0 ? layout.extent[0] : axes[static_cast<std::size_t>(layout.device_axes[d])]->tile_output;
  };
  const std::uint64_t output =
      saturating_product(static_cast<std::uint64_t>(layout.batch), bytes_of(real_bytes(layout.precision), rows_out));
  const bool output_is_slot = layout.extent[2] == 1 || rows_out(1) == layout.extent[1];
  const auto tiles_in = static_cast<std::uint64_t>(layout.fan.num_inputs());
  const std::uint64_t outputs = saturating_product(output, static_cast<std::uint64_t>(layout.fan.num_outputs()));
  const std::uint64_t of_set = task.limits.transfer_bytes_per_second > 0
                                   ? saturating_sum(saturating_product(layout.image_bytes(), tiles_in), outputs)
                               : output_is_slot ? 0
                                                : outputs;
  const std::uint64_t kept = task.spec.non_finite == NonFinite::interpolate ? output : 0;
  return saturating_sum(saturating_product(of_set, static_cast<std::uint64_t>(num_in_flight)), kept);
}

/// Boxes of the next image are read while those of the last are written.
std::uint64_t num_boxes(const Axes& axes, const Streaming& streaming) {
  const Index num_tiles = axes[0]->num_tiles * axes[1]->num_tiles * axes[2]->num_tiles;
  if (streaming.num_groups >= device_model::kBoxesInHand) return device_model::kBoxesInHand;
  return static_cast<std::uint64_t>(std::min<Index>(device_model::kBoxesInHand, num_tiles * streaming.num_groups));
}

/// Of the CPU's transforms (backends/cpu): rows of eight, columns of four and, along the third axis, of 32, in buffers
/// for input, output and factors. FFTW's tables were measured to hold up to one complex number an element.
std::uint64_t transform_bytes(const HostTask& task, const TileLayout& layout, int num_in_flight) {
  constexpr std::uint64_t kRows = 8, kColumns = 4, kLines = 32;
  constexpr std::uint64_t kThreadsOfDeterministicPlans = 8;  // which must not depend on how many there are
  const std::uint64_t complex = complex_bytes(layout.precision);
  const auto length = [&](std::size_t d) { return static_cast<std::uint64_t>(layout.padded[d]); };
  const bool one_axis = layout.num_axes == 1;
  const std::uint64_t parts = length(0) % 2 == 0 ? 1 : 2;  // odd rows are transformed by way of a further buffer
  std::uint64_t tables = saturating_product(parts * length(0), complex);
  std::uint64_t scratch = saturating_product(one_axis ? 1 : kRows, saturating_product(length(0) + 16, complex));
  if (!one_axis) {
    const std::uint64_t lines = layout.num_axes > 2 ? saturating_product(kLines, length(2)) : 0;
    const std::uint64_t columns = std::max(saturating_product(kColumns, length(1)), lines);
    scratch = saturating_sum(scratch, saturating_product(3 * complex, columns));
    tables = saturating_sum(tables, saturating_product(complex, saturating_sum(length(1), length(2))));
  }
  const bool lanes = has_lanes(task.limits) && num_in_flight > 1;
  const std::uint64_t threads = one_axis && !lanes           ? 1
                                : task.options.deterministic ? kThreadsOfDeterministicPlans
                                                             : std::max<std::uint64_t>(1, task.limits.num_host_threads);
  return saturating_sum(tables, saturating_product(threads, scratch));
}

/// Three lists at most are held at a time for boxes, one for images in memory, or one of each thread.
std::uint64_t position_bytes(const HostTask& task, const Axes& axes, int num_in_flight) {
  const std::uint64_t lists = task.options.streaming   ? device_model::kBoxesInHand + 1
                              : has_lanes(task.limits) ? static_cast<std::uint64_t>(num_in_flight)
                                                       : 1;
  std::uint64_t bytes = 0;
  for (const AxisPlan* axis : axes) {
    bytes = saturating_sum(bytes, saturating_product(lists * sizeof(Index), static_cast<std::uint64_t>(axis->extent)));
  }
  return bytes;
}

std::uint64_t num_written_slabs(const Axes& axes, std::uint64_t box_bytes) {
  std::uint64_t slabs = box_bytes / slab_bytes(box_bytes) + 1;
  for (const AxisPlan* axis : axes) slabs = saturating_product(slabs, static_cast<std::uint64_t>(axis->num_tiles));
  return slabs;
}

/// The weight images, and a tile of one of them for each thread that takes whole tiles.
std::uint64_t weights_bytes(const ConvolutionSpec& spec, const TileLayout& layout, int num_tiles) {
  const Shape shape = weights_shape(spec);
  const std::uint64_t image = bytes_of(real_bytes(layout.precision), [&](int axis) { return shape[axis]; });
  return saturating_sum(saturating_product(image, static_cast<std::uint64_t>(spec.num_kernels)),
                        saturating_product(static_cast<std::uint64_t>(num_tiles), layout.image_bytes()));
}

}  // namespace

std::uint64_t slab_bytes(std::uint64_t box_bytes) {
  return std::clamp(box_bytes / device_model::kSlabsOfBox, device_model::kLeastSlabBytes, device_model::kMostSlabBytes);
}

HostNeeds host_needs(const HostTask& task, const Axes& axes, const TileLayout& layout, int num_in_flight) {
  HostNeeds needs;
  if (task.limits.memory_is_host) needs.device_memory = footprint_bytes(layout, task.limits, num_in_flight);
  if (task.limits.memory_is_host && !sums_directly(layout.path))
    needs.transforms = transform_bytes(task, layout, num_in_flight);
  if (!task.options.resident) needs.positions = position_bytes(task, axes, num_in_flight);
  if (!task.options.resident) needs.ports = port_bytes(task, axes, layout, num_in_flight);
  const bool folds = folds_output(task.spec);
  if (const auto& streaming = task.options.streaming) {
    const auto tile_in = [&](int axis) { return std::min(axes[axis]->tile_input, axes[axis]->image); };
    const auto tile_out = [&](int axis) { return axes[axis]->tile_output; };
    const std::uint64_t box_bytes = bytes_of(size_of(streaming->read), tile_in);
    const auto images_read = static_cast<std::uint64_t>(layout.fan.num_images());
    const auto images_written = static_cast<std::uint64_t>(layout.fan.num_results());
    needs.boxes_read = saturating_product(images_read, saturating_product(num_boxes(axes, *streaming), box_bytes));
    needs.slabs = std::min(device_model::kMostDiskThreads * slab_bytes(box_bytes), box_bytes);
    const std::uint64_t written_bytes = bytes_of(size_of(streaming->write), tile_out);
    if (!folds) {
      needs.boxes_written =
          saturating_product(images_written, saturating_product(num_boxes(axes, *streaming), written_bytes));
    }
    needs.records = saturating_product(
        saturating_product(streaming->record_bytes, images_written),
        saturating_product(static_cast<std::uint64_t>(streaming->num_groups), num_written_slabs(axes, written_bytes)));
  }
  const std::uint64_t real = real_bytes(layout.precision);
  if (folds) {
    needs.sums = saturating_product(static_cast<std::uint64_t>(num_outputs(task.spec)),
                                    bytes_of(real, [&](int axis) { return axes[axis]->folded_size; }));
  }
  const std::uint64_t kernel_port = saturating_product(
      static_cast<std::uint64_t>(layout.fan.num), bytes_of(real, [&](int axis) { return axes[axis]->kernel_size; }));
  if (layout.fan.weighs && !task.options.resident) {
    const bool lanes = has_lanes(task.limits) && !task.options.streaming;
    needs.weights = weights_bytes(task.spec, layout, lanes ? num_in_flight : 1);
  }
  const std::uint64_t later = saturating_sum(saturating_sum(needs.boxes_read, needs.boxes_written), needs.sums);
  needs.kernel = kernel_port > later ? kernel_port - later : 0;
  return needs;
}

std::uint64_t HostNeeds::total_bytes() const {
  std::uint64_t bytes = 0;
  for (const std::uint64_t part : {device_memory, transforms, ports, positions, boxes_read, boxes_written, records,
                                   slabs, sums, weights, kernel}) {
    bytes = saturating_sum(bytes, part);
  }
  return bytes;
}

std::vector<LedgerLine> host_ledger(const HostNeeds& needs) {
  std::vector<LedgerLine> ledger{
      {"device memory", needs.device_memory, "which is the machine's own"},
      {"transforms", needs.transforms, "tables, and scratch of each thread"},
      {"ports", needs.ports, "what the device reads and writes"},
      {"positions", needs.positions, "of what tiles show of the image, axis by axis"},
      {"boxes read", needs.boxes_read, "up to two: one is read while another is in use"},
      {"boxes written", needs.boxes_written, "up to two: one is written while another is filled"},
      {"records", needs.records, "what the journal remembers of boxes that are written"},
      {"slabs", needs.slabs, "parts of boxes on their way from files"},
      {"sums", needs.sums, "of the whole image: the adjoint of this boundary adds up"},
      {"weights", needs.weights, "of the kernels, in the arithmetic's precision, and a tile of them"},
      {"kernel", needs.kernel, "beyond the above, while it is prepared"}};
  std::erase_if(ledger, [](const LedgerLine& line) { return line.bytes == 0; });
  return ledger;
}

}  // namespace convoy::inline v0
