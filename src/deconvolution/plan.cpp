#include "deconvolution/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/refuse.hpp"
#include "convoy/error.hpp"
#include "deconvolution/host_bytes.hpp"
#include "deconvolution/spec.hpp"
#include "dif_split/plan.hpp"
#include "planner/lengths.hpp"
#include "planner/search.hpp"

namespace convoy::inline v0 {
namespace {

/// What the host streams through its own memory while it does the point-wise steps; a guess, for predictions.
constexpr double kHostBytesPerSecond = 1e10;

std::uint64_t bytes_of(const DeconvolutionSpec& spec, const Shape& shape) {
  return saturating_product(real_bytes(spec.precision), static_cast<std::uint64_t>(num_voxels(shape)));
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

Index divided_up(Index a, Index b) { return (a + b - 1) / b; }

/// At least one voxel, so that seams can be compared.
Shape halo_of(const DeconvolutionSpec& spec) {
  Shape halo;
  for (int axis = 0; axis < 3; ++axis) {
    const double voxels = std::max(1.0, std::ceil(spec.halo * static_cast<double>(spec.psf[axis] - 1)));
    halo[axis] = voxels < static_cast<double>(spec.image[axis]) ? static_cast<Index>(voxels) : spec.image[axis];
  }
  return halo;
}

Box region_of(const DeconvolutionSpec& spec) { return spec.region.value_or(Box{{0, 0, 0}, spec.image}); }

FastTiling tiling_of(const DeconvolutionSpec& spec, const Shape& core, const Shape& begin) {
  FastTiling tiling;
  tiling.core = core;
  tiling.halo = halo_of(spec);
  tiling.begin = begin;
  tiling.region = region_of(spec);
  for (int axis = 0; axis < 3; ++axis) {
    const Index end = tiling.region.begin[axis] + tiling.region.size[axis];
    tiling.counts[axis] = divided_up(end - begin[axis], core[axis]);
    tiling.tile[axis] = std::min(spec.image[axis], core[axis] + 2 * tiling.halo[axis]);
  }
  return tiling;
}

FastTiling tiling_of(const DeconvolutionSpec& spec, const Shape& core) {
  return tiling_of(spec, core, region_of(spec).begin);
}

/// Of those that the whole image is cut into, the ones in the region.
FastTiling tiling_of_cores(const DeconvolutionSpec& spec, const Shape& core) {
  Shape begin;
  for (int axis = 0; axis < 3; ++axis) {
    if (core[axis] < 1)
      refuse(fmt::format("cores of {} zyx are none; give at least a voxel on every axis", to_text(core)));
    begin[axis] = region_of(spec).begin[axis] / core[axis] * core[axis];
  }
  return tiling_of(spec, core, begin);
}

/// Voxels of the unknown in all tiles together.
double work_of(const DeconvolutionSpec& spec, const FastTiling& tiling) {
  double voxels = static_cast<double>(tiling.num_tiles());
  for (int axis = 0; axis < 3; ++axis) voxels *= static_cast<double>(tiling.tile[axis] + spec.psf[axis] - 1);
  return voxels;
}

/// The next smaller tile along an axis; none where the halo reaches across the image.
std::optional<FastTiling> divided(const DeconvolutionSpec& spec, const FastTiling& tiling, int axis) {
  FastTiling next = tiling;
  for (Index count = tiling.counts[axis]; next.tile[axis] == tiling.tile[axis];) {
    if (next.core[axis] == 1) return std::nullopt;
    Shape core = tiling.core;
    core[axis] = divided_up(tiling.region.size[axis], ++count);
    next = tiling_of(spec, core);
  }
  return next;
}

/// Along the axis where it costs least.
std::optional<FastTiling> divided_further(const DeconvolutionSpec& spec, const FastTiling& tiling) {
  std::optional<FastTiling> best;
  for (int axis = 0; axis < 3; ++axis) {
    const auto next = divided(spec, tiling, axis);
    if (next && (!best || work_of(spec, *next) < work_of(spec, *best))) best = next;
  }
  return best;
}

DeconvolutionSpec spec_of_tile(const DeconvolutionSpec& whole, const FastTiling& tiling) {
  DeconvolutionSpec spec = whole;
  spec.image = tiling.tile;
  spec.region.reset();
  return spec;
}

/// Exact tiles' ledger is of all devices.
bool fits_host(const DeconvolutionPlan& plan, const PlanOptions& options) {
  const auto num_shares = static_cast<std::uint64_t>(plan.is_tiled() ? 1 : options.num_devices);
  return options.host_memory_limit_bytes == 0 || plan.host_bytes <= options.host_memory_limit_bytes / num_shares;
}

OutOfMemory too_large_for_host(const Shape& image, const char* in_what, std::uint64_t bytes, const PlanOptions& options,
                               const std::string& remedy) {
  return {fmt::format("restoring image {} zyx in {} needs {} of host memory, but {} are allowed; {}", to_text(image),
                      in_what, bytes_to_text(bytes), bytes_to_text(options.host_memory_limit_bytes), remedy),
          bytes, options.host_memory_limit_bytes, kHostMemoryLimit};
}

bool is_of_host(const OutOfMemory& problem) { return problem.limit_name() == std::string(kHostMemoryLimit); }

/// In a scratch file the tiles are those of arrays in memory, so that the results are equal, where they fit.
Plan plan_convolution(const ConvolutionSpec& spec, const Limits& limits, const PlanOptions& options, bool in_scratch) {
  if (!in_scratch) return plan_tiles_or_split(spec, limits, options);
  try {
    PlanOptions alike = options;
    alike.streaming.reset();
    alike.tile_output = cores_of(plan_tiles_or_split(spec, limits, alike));
    alike.streaming = options.streaming;
    return plan_tiles_or_split(spec, limits, alike);
  } catch (const OutOfMemory&) {
    return plan_tiles_or_split(spec, limits, options);
  }
}

/// Where there is no room for the two, the same with what they need at least.
void plan_convolutions(const Limits& limits, const PlanOptions& options, DeconvolutionPlan& plan) {
  const PlanOptions half = options_of_convolutions(plan, limits, options);
  try {
    const Shape frame = plan.frame();
    const auto plan_of_operation = [&](Operation operation) {
      return plan_convolution(convolution_of(plan.spec, frame, operation), limits, half, plan.in_scratch);
    };
    plan.convolution = plan_of_operation(Operation::convolve);
    plan.adjoint = plan_of_operation(Operation::correlate);
  } catch (const OutOfMemory& problem) {
    if (!is_of_host(problem)) throw;
    const std::uint64_t of_two =
        saturating_product(2 * static_cast<std::uint64_t>(options.num_devices), problem.requested_bytes());
    throw too_large_for_host(plan.spec.image, "exact tiles",
                             saturating_sum(of_two, host_bytes_beside_convolutions(plan, limits, options)), options,
                             "allow more, choose fast tiles, or crop the image");
  }
}

bool is_too_large(const Error& problem) {
  return problem.code() == Errc::out_of_memory || problem.code() == Errc::unsupported;
}

DeconvolutionPlan plan_of(const DeconvolutionSpec& whole, const FastTiling& tiling, DeconvolutionPlan plan,
                          const std::string& why) {
  const auto num_tiles = static_cast<std::uint64_t>(tiling.num_tiles());
  plan.spec = whole;
  plan.fast = tiling;
  plan.traffic_bytes = saturating_product(plan.traffic_bytes, num_tiles);
  plan.predicted_seconds *= static_cast<double>(num_tiles);
  plan.reasons = {fmt::format("all iterations of a tile at once, {} tiles of {} zyx with a halo of {}: {}", num_tiles,
                              to_text(tiling.tile), to_text(tiling.halo), why)};
  return plan;
}

}  // namespace

std::array<FrameAxis, 3> frame_axes(const DeconvolutionSpec& spec) {
  return {frame_axis(spec, 0), frame_axis(spec, 1), frame_axis(spec, 2)};
}

ConvolutionSpec convolution_of(const DeconvolutionSpec& spec, const Shape& frame, Operation operation) {
  ConvolutionSpec convolution = blur_of(spec);
  convolution.image = frame;
  convolution.mode = spec.edges == Edges::reflect ? Mode::circular : Mode::same;
  convolution.origin = Origin::at(psf_origin(spec));
  convolution.operation = operation;
  return convolution;
}

std::optional<Shape> cores_of(const Plan& plan) {
  if (plan.split) return {};
  return Shape{plan.axes[0].tile_output, plan.axes[1].tile_output, plan.axes[2].tile_output};
}

bool can_be_tiled(const DeconvolutionSpec& spec) { return spec.algorithm != Algorithm::wiener; }

namespace {

/// As the device's memory commands.
DeconvolutionPlan make_device_plan(const DeconvolutionSpec& spec, const Limits& limits, const PlanOptions& options) {
  if (spec.precision == Precision::f64 && !limits.supports_f64) {
    throw Error(Errc::unsupported, "this device has no double precision; compute in f32 or use the CPU");
  }
  if (options.method != Method::automatic && options.method != Method::fft) {
    throw Error(Errc::unsupported,
                fmt::format("restorations are computed by method fft, not by method {}: leave the method out",
                            name(options.method)));
  }
  const auto in_tiles = [&](const char* why) {
    return spec.tiles == Tiles::fast ? make_fast_plan(spec, limits, options, why)
                                     : make_tiled_plan(spec, limits, options, why);
  };
  if (options.min_tiles > 1 && can_be_tiled(spec)) return in_tiles("several were asked for");
  if (spec.region) return in_tiles("of the region alone");
  if (options.tile_output && spec.tiles == Tiles::fast) return in_tiles("their cores were asked for");
  try {
    return make_whole_plan(spec, limits, options);
  } catch (const Error& problem) {
    if (!is_too_large(problem) || !can_be_tiled(spec)) throw;
    return in_tiles(problem.what());
  }
}

}  // namespace

PlanOptions options_of_convolutions(const DeconvolutionPlan& plan, const Limits& limits, const PlanOptions& options) {
  PlanOptions half = options;
  half.method = Method::fft;
  half.choice.reset();
  half.streaming.reset();  // of the images; convolutions are between arrays in memory
  if (plan.in_scratch) {   // or in the scratch file, whose voxels lie anywhere as well
    const Element real = plan.spec.precision == Precision::f32 ? Element::f32 : Element::f64;
    half.streaming = Streaming{real, real, {1, 1, 1}, {1, 1, 1}};
  }
  if (plan.budget_bytes != UINT64_MAX) half.memory_limit_bytes = std::max<std::uint64_t>(1, plan.budget_bytes / 2);
  if (options.host_memory_limit_bytes == 0) return half;
  const std::uint64_t beside = host_bytes_beside_convolutions(plan, limits, options);
  const std::uint64_t left = options.host_memory_limit_bytes - std::min(options.host_memory_limit_bytes, beside);
  half.host_memory_limit_bytes = std::max<std::uint64_t>(1, left / 2);
  return half;
}

namespace {

DeconvolutionPlan make_exact_plan(const DeconvolutionSpec& spec, const Limits& limits, const PlanOptions& options,
                                  const std::string& why, bool in_scratch);

/// Nothing without a scratch file, and where not even its exact tiles fit.
std::optional<DeconvolutionPlan> plan_in_scratch(const DeconvolutionSpec& spec, const Limits& limits,
                                                 const PlanOptions& options, const std::string& why) {
  if (options.scratch.empty() || spec.tiles == Tiles::fast || !can_be_tiled(spec)) return {};
  try {
    DeconvolutionPlan plan =
        make_exact_plan(spec, limits, options, why + ", so its arrays lie in a scratch file", true);
    if (fits_host(plan, options)) return plan;
  } catch (const OutOfMemory& problem) {
    if (!is_of_host(problem)) throw;
  }
  return {};
}

}  // namespace

DeconvolutionPlan make_plan(const DeconvolutionSpec& given, const Limits& limits, const PlanOptions& options) {
  const DeconvolutionSpec spec = settled(given);
  validate(spec);
  std::uint64_t needed = 0;
  try {
    DeconvolutionPlan plan = make_device_plan(spec, limits, options);
    if (fits_host(plan, options)) return plan;
    needed = plan.host_bytes;
  } catch (const OutOfMemory& problem) {
    if (!is_of_host(problem) || spec.tiles == Tiles::fast) throw;
    needed = problem.requested_bytes();
  }
  const std::string why = fmt::format("the image in host memory takes {} of {}", bytes_to_text(needed),
                                      bytes_to_text(options.host_memory_limit_bytes));
  if (auto plan = plan_in_scratch(spec, limits, options, why)) return *std::move(plan);
  const auto too_large = [&](const std::string& remedy) {
    return too_large_for_host(spec.image, "exact tiles or at once", needed, options, remedy);
  };
  DeconvolutionSpec in_fast_tiles = spec;
  in_fast_tiles.tiles = Tiles::fast;
  try {
    validate(in_fast_tiles);
  } catch (const Error& problem) {
    throw too_large(fmt::format("allow more ({})", problem.what()));
  }
  if (!can_be_tiled(spec)) throw too_large("allow more, or crop the image");
  return make_fast_plan(in_fast_tiles, limits, options, why);
}

DeconvolutionPlan make_tiled_plan(const DeconvolutionSpec& spec, const Limits& limits, const PlanOptions& options,
                                  const std::string& why) {
  return make_exact_plan(spec, limits, options, why, false);
}

namespace {

DeconvolutionPlan make_exact_plan(const DeconvolutionSpec& spec, const Limits& limits, const PlanOptions& options,
                                  const std::string& why, bool in_scratch) {
  DeconvolutionPlan plan;
  plan.in_scratch = in_scratch;
  plan.spec = spec;
  plan.axes = frame_axes(spec);
  plan.budget_bytes = budget_of(limits, options).bytes;
  plan_convolutions(limits, options, plan);
  set_ledgers_of_tiled(limits, options, plan);
  plan.predicted_seconds = predicted_seconds(plan);
  plan.reasons = {fmt::format("each blur in {} {} and each adjoint in {} {}: {}", plan.convolution.num_pieces(),
                              name_of_pieces(plan.convolution), plan.adjoint->num_pieces(),
                              name_of_pieces(*plan.adjoint), why)};
  return plan;
}

}  // namespace

void set_ledgers_of_tiled(const Limits& limits, const PlanOptions& options, DeconvolutionPlan& plan) {
  plan.ledger.clear();
  plan.footprint_bytes = plan.traffic_bytes = 0;
  add_ledger(plan.convolution, "blur", plan);
  add_ledger(*plan.adjoint, "adjoint", plan);
  set_host_ledger(limits, options, plan);
}

DeconvolutionSpec spec_of_tile(const DeconvolutionPlan& plan) { return spec_of_tile(plan.spec, *plan.fast); }

DeconvolutionPlan make_fast_plan_of(const DeconvolutionSpec& given, const FastTiling& tiling, const Limits& limits,
                                    const PlanOptions& options, const std::string& why) {
  DeconvolutionSpec spec = given;
  spec.tiles = Tiles::fast;
  DeconvolutionPlan plan = plan_of(spec, tiling, make_whole_plan(spec_of_tile(spec, tiling), limits, options), why);
  set_host_ledger(limits, options, plan);
  return plan;
}

namespace {

DeconvolutionPlan plan_of_cores(const DeconvolutionSpec& spec, const Shape& core, const Limits& limits,
                                const PlanOptions& options, const std::string& why) {
  try {
    DeconvolutionPlan plan = make_fast_plan_of(spec, tiling_of_cores(spec, core), limits, options, why);
    if (fits_host(plan, options)) return plan;
    throw too_large_for_host(spec.image, "such fast tiles", plan.host_bytes, options, "allow more");
  } catch (const OutOfMemory& problem) {
    throw OutOfMemory(fmt::format("fast tiles of cores of {} zyx: {}; or choose smaller cores (--core)", to_text(core),
                                  problem.what()),
                      problem.requested_bytes(), problem.limit_bytes(), problem.limit_name());
  }
}

}  // namespace

DeconvolutionPlan make_fast_plan(const DeconvolutionSpec& spec, const Limits& limits, const PlanOptions& options,
                                 const std::string& why) {
  if (options.tile_output) return plan_of_cores(spec, *options.tile_output, limits, options, why);
  std::optional<FastTiling> tiling = tiling_of(spec, region_of(spec).size);
  if (!spec.region) tiling = divided_further(spec, *tiling).value_or(*tiling);  // the whole was found not to fit
  while (true) {
    const auto next = divided_further(spec, *tiling);
    if (!next || tiling->num_tiles() >= options.min_tiles) {
      try {
        DeconvolutionPlan plan = make_fast_plan_of(spec, *tiling, limits, options, why);
        if (fits_host(plan, options)) return plan;
        if (!next) {
          throw too_large_for_host(spec.image, "the smallest fast tiles", plan.host_bytes, options,
                                   "allow more, or crop the PSF");
        }
      } catch (const Error& problem) {
        if (!is_too_large(problem) || !next) throw;
      }
    }
    tiling = next;
  }
}

}  // namespace convoy::inline v0
