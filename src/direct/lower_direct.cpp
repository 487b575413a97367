#include "direct/lower_direct.hpp"

#include <algorithm>

#include "direct/direct_kernel.hpp"

namespace convoy::inline v0 {
namespace {

/// Threads along x of a launch that counts its threads one after the other.
constexpr std::uint64_t kRow = std::uint64_t{1} << 20;

KernelParameter number(Index value) { return parameter(static_cast<std::uint32_t>(value)); }

}  // namespace

Dispatch direct_dispatch(const ConvolveDirect& step) {
  Dispatch dispatch;
  dispatch.kernel = &kernels::convolve_direct;
  dispatch.precision = step.precision;
  dispatch.slots = {step.image, step.taps, step.result};
  for (const auto& extents : {step.count, step.size}) {
    for (const Index extent : extents) dispatch.parameters.push_back(number(extent));
  }
  for (const Index one : {step.extent[0], step.extent[1], step.taps_begin, Index{step.adds}, Index{kRow}}) {
    dispatch.parameters.push_back(number(one));
  }
  const auto outputs = static_cast<std::uint64_t>(step.count[0] * step.count[1] * step.count[2]);
  dispatch.threads = {std::min(outputs, kRow), (outputs + kRow - 1) / kRow, 1};
  return dispatch;
}

namespace {

/// Products below which compiling a kernel for the taps' size takes longer than it will ever save.
constexpr double kFewProducts = 1 << 24;

Step lowered(const ConvolveDirect& step, const Limits& limits) {
  double products = 1;
  for (int d = 0; d < 3; ++d) products *= static_cast<double>(step.count[d] * step.size[d]);
  if (products < kFewProducts) return direct_dispatch(step);
  const auto tuned = tuned_direct_dispatch(step, limits);
  return tuned ? *tuned : direct_dispatch(step);
}

}  // namespace

void lower_direct_steps(const Limits& limits, Program& program) {
  if (limits.shared_memory_bytes == 0) return;
  for (Step& step : program.run) {
    if (const auto* direct = std::get_if<ConvolveDirect>(&step)) step = lowered(ConvolveDirect(*direct), limits);
  }
}

}  // namespace convoy::inline v0
