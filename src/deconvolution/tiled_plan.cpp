#include <fmt/format.h>

#include <algorithm>

#include "deconvolution/plans.hpp"
#include "planner/lengths.hpp"
#include "planner/search.hpp"
#include "dif_split/plan.hpp"

namespace convoy {
namespace {

/// What the host streams through its own memory while it does the point-wise steps; a guess, for predictions.
constexpr double kHostBytesPerSecond = 1e10;

/// Blur and adjoint share the device, each with its own spectrum and tiles.
PlanOptions half_of(const PlanOptions& options, const Budget& budget) {
  PlanOptions half = options;
  half.choice.reset();
  if (budget.bytes != UINT64_MAX) half.memory_limit_bytes = std::max<std::uint64_t>(1, budget.bytes / 2);
  return half;
}

std::uint64_t bytes_of(const DeconvolutionSpec& spec, const Shape& shape) {
  return saturating_product(real_bytes(spec.precision), static_cast<std::uint64_t>(num_voxels(shape)));
}

std::uint64_t host_bytes_of(const DeconvolutionPlan& plan) {
  // Estimate, weights, image and the buffer that convolutions write to.
  const std::uint64_t num_frames = plan.spec.acceleration == Acceleration::biggs ? 6 : 4;
  std::uint64_t of_splits = 0;
  for (const Plan* part : {&plan.convolution, &*plan.adjoint}) {
    if (part->split) of_splits = saturating_sum(of_splits, part->host_bytes);
  }
  const Shape window{plan.axes[0].window, plan.axes[1].window, plan.axes[2].window};
  const std::uint64_t of_frames = saturating_product(num_frames, bytes_of(plan.spec, plan.frame()));
  return saturating_sum(of_splits, saturating_sum(bytes_of(plan.spec, window), of_frames));
}

void add_ledger(const Plan& part, const char* name, DeconvolutionPlan& plan) {
  for (LedgerLine line : part.ledger) {
    line.name = fmt::format("{}: {}", name, line.name);
    plan.ledger.push_back(line);
  }
  plan.footprint_bytes = saturating_sum(plan.footprint_bytes, part.footprint_bytes);
  plan.traffic_bytes = saturating_sum(plan.traffic_bytes, part.traffic_bytes);
}

double predicted_seconds(const DeconvolutionPlan& plan) {
  if (plan.convolution.predicted_seconds <= 0 || plan.adjoint->predicted_seconds <= 0) return 0;
  const double pointwise_bytes = 8 * static_cast<double>(bytes_of(plan.spec, plan.frame()));
  return plan.convolution.predicted_seconds + plan.adjoint->predicted_seconds + pointwise_bytes / kHostBytesPerSecond;
}

}  // namespace

DeconvolutionPlan make_tiled_plan(const DeconvolutionSpec& spec, const Limits& limits, const PlanOptions& options,
                                  const std::string& why) {
  const Budget budget = budget_of(limits, options);
  const PlanOptions half = half_of(options, budget);
  DeconvolutionPlan plan;
  plan.spec = spec;
  plan.axes = frame_axes(spec);
  plan.convolution = plan_tiles_or_split(convolution_of(spec, plan.frame(), Operation::convolve), limits, half);
  plan.adjoint = plan_tiles_or_split(convolution_of(spec, plan.frame(), Operation::correlate), limits, half);
  add_ledger(plan.convolution, "blur", plan);
  add_ledger(*plan.adjoint, "adjoint", plan);
  plan.budget_bytes = budget.bytes;
  plan.host_bytes = host_bytes_of(plan);
  plan.predicted_seconds = predicted_seconds(plan);
  plan.reasons = {fmt::format("each blur in {} {} and each adjoint in {} {}: {}", plan.convolution.num_pieces(),
                              name_of_pieces(plan.convolution), plan.adjoint->num_pieces(),
                              name_of_pieces(*plan.adjoint), why)};
  return plan;
}

}  // namespace convoy
