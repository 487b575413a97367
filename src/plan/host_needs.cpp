#include "plan/host_needs.hpp"

#include <algorithm>

#include "plan/axis.hpp"
#include "plan/lengths.hpp"

namespace convoy {
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
std::uint64_t port_bytes(const HostTask& task, const Axes& axes, const TileLayout& layout, int num_sets) {
  const auto rows_out = [&](int d) {
    return d == 0 ? layout.extent[0] : axes[static_cast<std::size_t>(layout.device_axes[d])]->tile_output;
  };
  const std::uint64_t output = bytes_of(real_bytes(layout.precision), rows_out);
  const bool output_is_slot = layout.extent[2] == 1 || rows_out(1) == layout.extent[1];
  const std::uint64_t of_set = task.limits.transfer_bytes_per_second > 0 ? saturating_sum(image_bytes(layout), output)
                               : output_is_slot                          ? 0
                                                                         : output;
  return saturating_product(of_set, static_cast<std::uint64_t>(num_sets));
}

std::uint64_t num_boxes(const Axes& axes) {
  const Index num_tiles = axes[0]->num_tiles * axes[1]->num_tiles * axes[2]->num_tiles;
  return static_cast<std::uint64_t>(std::min<Index>(kBoxesInHand, num_tiles));
}

}  // namespace

HostNeeds host_needs(const HostTask& task, const Axes& axes, const TileLayout& layout, int num_sets) {
  HostNeeds needs;
  if (task.limits.memory_is_host) needs.device_memory = footprint_bytes(layout, task.limits, num_sets);
  if (!task.options.resident) needs.ports = port_bytes(task, axes, layout, num_sets);
  const bool folds = folds_output(task.spec);
  if (const auto& streaming = task.options.streaming) {
    const auto tile_in = [&](int axis) { return std::min(axes[axis]->tile_input, axes[axis]->image); };
    const auto tile_out = [&](int axis) { return axes[axis]->tile_output; };
    needs.boxes_read = saturating_product(num_boxes(axes), bytes_of(size_of(streaming->read), tile_in));
    if (!folds)
      needs.boxes_written = saturating_product(num_boxes(axes), bytes_of(size_of(streaming->write), tile_out));
  }
  const std::uint64_t real = real_bytes(layout.precision);
  if (folds) needs.sums = bytes_of(real, [&](int axis) { return axes[axis]->folded_size; });
  const std::uint64_t kernel_port = bytes_of(real, [&](int axis) { return axes[axis]->kernel_size; });
  const std::uint64_t later = saturating_sum(saturating_sum(needs.boxes_read, needs.boxes_written), needs.sums);
  needs.kernel = kernel_port > later ? kernel_port - later : 0;
  return needs;
}

std::uint64_t HostNeeds::total_bytes() const {
  std::uint64_t bytes = 0;
  for (const std::uint64_t part : {device_memory, ports, boxes_read, boxes_written, sums, kernel}) {
    bytes = saturating_sum(bytes, part);
  }
  return bytes;
}

std::vector<LedgerLine> host_ledger(const HostNeeds& needs) {
  std::vector<LedgerLine> ledger{
      {"device memory", needs.device_memory, "which is the machine's own"},
      {"ports", needs.ports, "what the device reads and writes"},
      {"boxes read", needs.boxes_read, "up to two: one is read while another is in use"},
      {"boxes written", needs.boxes_written, "up to two: one is written while another is filled"},
      {"sums", needs.sums, "of the whole image: the adjoint of this boundary adds up"},
      {"kernel", needs.kernel, "beyond the above, while it is prepared"}};
  std::erase_if(ledger, [](const LedgerLine& line) { return line.bytes == 0; });
  return ledger;
}

}  // namespace convoy
