#include "deconvolution/host_bytes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "deconvolution/image_boxes.hpp"
#include "deconvolution/observed_data.hpp"
#include "deconvolution/spec.hpp"
#include "deconvolution/sum_threads.hpp"
#include "planner/host_needs.hpp"
#include "planner/layout.hpp"

namespace convoy::inline v0 {
namespace {

/// Threads of sums on the host, each of which reads voxels side by side, are as many at least for images this large.
constexpr std::uint64_t kMostRowsOfSums = 256;

std::uint64_t bytes_of(std::uint64_t voxel_bytes, const Shape& shape) {
  return saturating_product(voxel_bytes, static_cast<std::uint64_t>(num_voxels(shape)));
}

std::uint64_t bytes_of_frames(const DeconvolutionPlan& plan, Index count) {
  return saturating_product(static_cast<std::uint64_t>(count), bytes_of(real_bytes(plan.spec.precision), plan.frame()));
}

/// Of exact tiles: what blur and adjoint work on.
std::vector<LedgerLine> arrays_of(const DeconvolutionPlan& plan, const Limits& limits) {
  const bool has_consensus = plan.spec.stop == Stop::gradient_consensus;
  const std::uint64_t real = real_bytes(plan.spec.precision);
  const Shape window{plan.axes[0].window, plan.axes[1].window, plan.axes[2].window};
  const auto num_more = static_cast<Index>(num_acceleration_images(plan.spec.acceleration));
  const auto scalars = static_cast<std::uint64_t>(num_scalar_reals(plan.spec, limits, num_voxels(plan.frame())));
  return {{"observed image", bytes_of(real, window), "between exact tiles, as all of these arrays"},
          {"noise", has_consensus ? bytes_of(real, window) : 0, "of each datum"},
          {"estimate, weights", bytes_of_frames(plan, 2), "of the frame"},
          {"consensus", has_consensus ? bytes_of_frames(plan, 1) : 0, "of the frame"},
          {"last estimates", bytes_of_frames(plan, num_more), "which acceleration looks back at"},
          {"work images", bytes_of_frames(plan, 2), "that convolutions read and write"},
          {"scalars and sums", saturating_product(real, scalars), "for likelihood, flux and change"}};
}

/// Of them, what lies in host memory.
std::vector<LedgerLine> ledger_of_arrays(const DeconvolutionPlan& plan, const Limits& limits) {
  if (!plan.in_scratch) return arrays_of(plan, limits);
  constexpr std::uint64_t kMostBuffers = 5;  // of one step
  const std::uint64_t frame = bytes_of_frames(plan, 1);
  const std::uint64_t planes = 2 * frame / static_cast<std::uint64_t>(plan.frame().z);  // neighbours, for slopes
  return {{"window of the scratch file", kScratchWindowBytes + kMostBuffers * (planes + frame / kMostRowsOfSums),
           "the part of it that is in memory"}};
}

/// Of one of the two convolvers of exact tiles. Parts of a split count their devices themselves.
void add_convolver(const Plan& part, const char* name, int num_devices, std::vector<LedgerLine>& ledger) {
  const std::uint64_t copies = part.split ? 1 : static_cast<std::uint64_t>(num_devices);
  for (const LedgerLine& line : part.host_ledger) {
    ledger.push_back({fmt::format("{}: {}", name, line.name), saturating_product(copies, line.bytes), line.note});
  }
}

/// Images are looked through before they are restored, box by box, and a sample of them is kept meanwhile.
std::uint64_t bytes_of_inspection(const DeconvolutionSpec& spec, Element element) {
  const std::uint64_t image = bytes_of(size_of(element), spec.image);
  const std::uint64_t plane = image / static_cast<std::uint64_t>(spec.image.z);
  const std::uint64_t box = std::min(image, std::max<std::uint64_t>(plane, kBytesAtOnce));
  return saturating_sum(box, bytes_of_dim_sample(spec));
}

HostNeeds needs_of_device(const DeconvolutionPlan& plan, const Limits& limits, const PlanOptions& options) {
  PlanOptions of_memory = options;
  of_memory.streaming.reset();
  const Plan& convolution = plan.convolution;
  return host_needs({convolution.spec, limits, of_memory},
                    {&convolution.axes[0], &convolution.axes[1], &convolution.axes[2]}, layout_of(convolution), 1);
}

std::uint64_t bytes_of_seams(const DeconvolutionSpec& spec, const FastTiling& tiling) {
  const Shape image = output_shape(spec);
  const Shape& core = tiling.core;
  std::uint64_t voxels = 0;
  if (tiling.counts.z > 1) voxels += static_cast<std::uint64_t>(image.y * image.x);
  if (tiling.counts.y > 1) voxels += static_cast<std::uint64_t>(core.z * image.x);
  if (tiling.counts.x > 1) voxels += static_cast<std::uint64_t>(core.z * core.y);
  return saturating_product(sizeof(double), voxels);
}

std::uint64_t sum_of(const std::vector<LedgerLine>& ledger) {
  std::uint64_t bytes = 0;
  for (const LedgerLine& line : ledger) bytes = saturating_sum(bytes, line.bytes);
  return bytes;
}

/// Boxes are those of fast tiles, or whole images.
void add_streams(const DeconvolutionPlan& plan, const Streaming& streaming, std::vector<LedgerLine>& ledger) {
  const DeconvolutionSpec& spec = plan.spec;
  if (plan.in_scratch) {
    const std::uint64_t plane = bytes_of(size_of(streaming.write), {1, spec.image.y, spec.image.x});
    ledger.push_back({"box read", bytes_of_inspection(spec, streaming.read), "planes of the image"});
    const std::uint64_t image = bytes_of(size_of(streaming.write), spec.image);
    ledger.push_back(
        {"box written", std::min(image, std::max<std::uint64_t>(plane, kBytesAtOnce)), "planes of the image"});
    const auto planes = static_cast<std::uint64_t>(spec.image.z * streaming.num_groups);
    ledger.push_back({"records", saturating_product(streaming.record_bytes, planes),
                      "what the journal remembers of boxes that are written"});
    return;
  }
  const std::uint64_t read = bytes_of(size_of(streaming.read), plan.fast ? plan.fast->tile : spec.image);
  const std::uint64_t written = bytes_of(size_of(streaming.write), plan.fast ? plan.fast->core : spec.image);
  ledger.push_back({"box read", std::max(read, bytes_of_inspection(spec, streaming.read)),
                    plan.fast ? "a tile with its halo, or planes that are looked through"
                              : "the image, or planes of it that are looked through"});
  ledger.push_back({"box written", written, plan.fast ? "a tile without its halo" : "the image"});
  const auto boxes = static_cast<std::uint64_t>(plan.fast ? plan.fast->num_tiles() : 1);
  const std::uint64_t records = saturating_product(boxes, static_cast<std::uint64_t>(streaming.num_groups));
  ledger.push_back({"records", saturating_product(streaming.record_bytes, records),
                    "what the journal remembers of boxes that are written"});
}

void add_device(const DeconvolutionPlan& plan, const Limits& limits, const PlanOptions& options,
                std::vector<LedgerLine>& ledger) {
  const HostNeeds needs = needs_of_device(plan, limits, options);
  if (limits.memory_is_host) ledger.push_back({"device memory", plan.footprint_bytes, "which is the machine's own"});
  ledger.push_back({"transforms", needs.transforms, "tables, and scratch of each thread"});
  ledger.push_back({"ports", needs.ports, "what the device reads and writes"});
}

/// Of several devices' tiles, some wait for those before them.
void add_joining(const DeconvolutionPlan& plan, const PlanOptions& options, std::vector<LedgerLine>& ledger) {
  const std::uint64_t in_hand = static_cast<std::uint64_t>(options.num_devices > 1 ? kTilesInHand : 1);
  ledger.push_back({"restored tiles", in_hand * bytes_of(real_bytes(plan.spec.precision), plan.fast->tile),
                    in_hand > 1 ? "one in work, one that waits for its neighbours" : "one"});
  ledger.push_back({"seams", in_hand * bytes_of_seams(plan.spec, *plan.fast), "what neighbours restored next to them"});
}

std::vector<LedgerLine> host_ledger_of(const DeconvolutionPlan& plan, const Limits& limits,
                                       const PlanOptions& options) {
  std::vector<LedgerLine> ledger;
  if (plan.is_tiled()) {
    ledger = ledger_of_arrays(plan, limits);
    add_convolver(plan.convolution, "blur", options.num_devices, ledger);
    add_convolver(*plan.adjoint, "adjoint", options.num_devices, ledger);
  }
  if (const auto& streaming = options.streaming) {
    if (!plan.is_tiled()) add_device(plan, limits, options, ledger);
    add_streams(plan, *streaming, ledger);
    if (plan.fast) add_joining(plan, options, ledger);
  }
  std::erase_if(ledger, [](const LedgerLine& line) { return line.bytes == 0; });
  return ledger;
}

}  // namespace

void set_host_ledger(const Limits& limits, const PlanOptions& options, DeconvolutionPlan& plan) {
  plan.host_ledger = host_ledger_of(plan, limits, options);
  plan.host_bytes = sum_of(plan.host_ledger);
  plan.scratch_ledger.clear();
  if (plan.in_scratch) plan.scratch_ledger = arrays_of(plan, limits);
  std::erase_if(plan.scratch_ledger, [](const LedgerLine& line) { return line.bytes == 0; });
  plan.scratch_bytes = sum_of(plan.scratch_ledger);
}

std::uint64_t host_bytes_beside_convolutions(const DeconvolutionPlan& plan, const Limits& limits,
                                             const PlanOptions& options) {
  std::vector<LedgerLine> ledger = ledger_of_arrays(plan, limits);
  if (options.streaming) add_streams(plan, *options.streaming, ledger);
  return sum_of(ledger);
}

}  // namespace convoy::inline v0
