#include "deconvolution/sum_threads.hpp"

#include <algorithm>

namespace convoy::inline v0 {
namespace {

constexpr Index kVoxelsThatPayForAThread = 64;
constexpr Index kMostThreadsOfGpu = Index{1} << 17;
constexpr Index kMostThreadsOfCpu = Index{1} << 10;

bool is_gpu(const Limits& limits) { return limits.shared_memory_bytes > 0; }

}  // namespace

Index num_sum_threads(const Limits& limits, Index voxels) {
  const Index wanted = voxels / kVoxelsThatPayForAThread / kSumsPerQuantity * kSumsPerQuantity;
  return std::clamp(wanted, kSumsPerQuantity, is_gpu(limits) ? kMostThreadsOfGpu : kMostThreadsOfCpu);
}

Index num_scalar_reals(const DeconvolutionSpec& spec, const Limits& limits, Index frame_voxels) {
  if (spec.algorithm == Algorithm::wiener) return kNumScalars + 1;
  const Index partials = kNumQuantities * num_sum_threads(limits, frame_voxels);
  const Index products = spec.acceleration == Acceleration::biggs ? kNumProducts * kSumsPerQuantity : 0;
  return kNumScalars + partials + kNumQuantities * kSumsPerQuantity + products;
}

SumSchedule sum_schedule(const Limits& limits, Index num_threads, Index voxels) {
  const Index num_steps = (voxels + num_threads - 1) / num_threads;
  if (is_gpu(limits)) return {num_threads, 64, 1, num_steps, num_threads};
  return {num_threads, 1, num_steps, num_steps, 1};
}

}  // namespace convoy::inline v0
