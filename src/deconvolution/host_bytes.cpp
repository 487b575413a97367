#include "deconvolution/host_bytes.hpp"

#include <algorithm>
#include <vector>

#include "deconvolution/image_boxes.hpp"
#include "deconvolution/spec.hpp"
#include "planner/host_needs.hpp"
#include "planner/layout.hpp"

namespace convoy {
namespace {

std::uint64_t bytes_of(std::uint64_t voxel_bytes, const Shape& shape) {
  return saturating_product(voxel_bytes, static_cast<std::uint64_t>(num_voxels(shape)));
}

/// Of exact tiles: estimate, weights, image, the buffer that convolutions write to, and what acceleration takes.
std::uint64_t bytes_of_arrays(const DeconvolutionPlan& plan) {
  const bool has_consensus = plan.spec.stop == Stop::gradient_consensus;
  const std::uint64_t num_frames = 4 + num_acceleration_images(plan.spec.acceleration) + (has_consensus ? 1 : 0);
  const std::uint64_t num_windows = has_consensus ? 2 : 1;
  std::uint64_t of_splits = 0;
  for (const Plan* part : {&plan.convolution, &*plan.adjoint}) {
    if (part->split) of_splits = saturating_sum(of_splits, part->host_bytes);
  }
  const Shape window{plan.axes[0].window, plan.axes[1].window, plan.axes[2].window};
  const std::uint64_t real = real_bytes(plan.spec.precision);
  const std::uint64_t of_frames = saturating_product(num_frames, bytes_of(real, plan.frame()));
  return saturating_sum(of_splits, saturating_sum(saturating_product(num_windows, bytes_of(real, window)), of_frames));
}

HostNeeds needs_of_device(const DeconvolutionPlan& plan, const Limits& limits, const PlanOptions& options) {
  PlanOptions of_memory = options;
  of_memory.streaming.reset();
  const Plan& convolution = plan.convolution;
  return host_needs({convolution.spec, limits, of_memory},
                    {&convolution.axes[0], &convolution.axes[1], &convolution.axes[2]}, layout_of(convolution), 1);
}

std::uint64_t bytes_of_seams(const DeconvolutionSpec& spec, const FastTiling& tiling) {
  const Shape& image = spec.image;
  const Shape& core = tiling.core;
  std::uint64_t voxels = 0;
  if (tiling.counts.z > 1) voxels += static_cast<std::uint64_t>(image.y * image.x);
  if (tiling.counts.y > 1) voxels += static_cast<std::uint64_t>(core.z * image.x);
  if (tiling.counts.x > 1) voxels += static_cast<std::uint64_t>(core.z * core.y);
  return saturating_product(sizeof(double), voxels);
}

std::vector<LedgerLine> host_ledger_of(const DeconvolutionPlan& plan, const Limits& limits,
                                       const PlanOptions& options) {
  std::vector<LedgerLine> ledger;
  if (plan.is_tiled()) {
    ledger.push_back({"arrays", bytes_of_arrays(plan), "estimate, weights, data and work, between exact tiles"});
  }
  if (const auto& streaming = options.streaming) {
    const HostNeeds needs = needs_of_device(plan, limits, options);
    const Shape read = plan.fast ? plan.fast->tile : plan.spec.image;
    const Shape written = plan.fast ? plan.fast->core : plan.spec.image;
    const std::uint64_t image_bytes = bytes_of(size_of(streaming->read), plan.spec.image);
    const std::uint64_t box_bytes =
        std::max(bytes_of(size_of(streaming->read), read),
                 std::min<std::uint64_t>(image_bytes, static_cast<std::uint64_t>(kBytesAtOnce)));
    if (limits.memory_is_host) ledger.push_back({"device memory", plan.footprint_bytes, "which is the machine's own"});
    ledger.push_back({"transforms", needs.transforms, "tables, and scratch of each thread"});
    ledger.push_back({"ports", needs.ports, "what the device reads and writes"});
    ledger.push_back({"box read", box_bytes, plan.fast ? "a tile with its halo" : "the image"});
    ledger.push_back({"box written", bytes_of(size_of(streaming->write), written),
                      plan.fast ? "a tile without its halo" : "the image"});
    if (plan.fast) {
      // Of several devices' tiles, some wait for those before them.
      const std::uint64_t in_hand = static_cast<std::uint64_t>(options.num_devices > 1 ? kTilesInHand : 1);
      ledger.push_back({"restored tiles", in_hand * bytes_of(real_bytes(plan.spec.precision), plan.fast->tile),
                        in_hand > 1 ? "one in work, one that waits for its neighbours" : "one"});
      ledger.push_back(
          {"seams", in_hand * bytes_of_seams(plan.spec, *plan.fast), "what neighbours restored next to them"});
    }
    const auto boxes = static_cast<std::uint64_t>(plan.fast ? plan.fast->num_tiles() : 1);
    ledger.push_back(
        {"records",
         saturating_product(streaming->record_bytes, boxes * static_cast<std::uint64_t>(streaming->num_groups)),
         "what the journal remembers of boxes that are written"});
  }
  std::erase_if(ledger, [](const LedgerLine& line) { return line.bytes == 0; });
  return ledger;
}

}  // namespace

void set_host_ledger(const Limits& limits, const PlanOptions& options, DeconvolutionPlan& plan) {
  plan.host_ledger = host_ledger_of(plan, limits, options);
  plan.host_bytes = 0;
  for (const LedgerLine& line : plan.host_ledger) plan.host_bytes = saturating_sum(plan.host_bytes, line.bytes);
}

}  // namespace convoy
