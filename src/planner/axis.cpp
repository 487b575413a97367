#include "planner/axis.hpp"

#include <algorithm>
#include <cmath>

#include "base/boundary_rule.hpp"
#include "device_model/common.hpp"
#include "planner/origin.hpp"

namespace convoy::inline v0 {
namespace {

constexpr Index kDenseTileCounts = 16;
constexpr double kTileCountGrowth = 1.25;
constexpr Index kDenseTileCountsOfFew = 4;
constexpr double kTileCountGrowthOfFew = 1.5;
constexpr Index kLongestLine = 1 << 21;

Index divide_up(Index a, Index b) { return (a + b - 1) / b; }

Outside outside_of(const ConvolutionSpec& spec) {
  if (spec.mode == Mode::circular) return Outside::repeated;
  if (spec.mode == Mode::valid) return Outside::zero;
  // A full output is longer than the image, and so than one period of it.
  if (repeats_evenly(spec.boundary)) return spec.mode == Mode::full ? Outside::boundary : Outside::repeated;
  // The adjoint's input is zero outside whatever the boundary: the boundary acts on its output.
  if (spec.operation == Operation::correlate) return Outside::zero;
  const double constant = spec.boundary == Boundary::constant ? spec.constant : 0;
  return repeats_unevenly(spec.boundary) || constant != 0 ? Outside::boundary : Outside::zero;
}

void set_window(const ConvolutionSpec& spec, Index origin, AxisPlan& plan) {
  const Index n = plan.image;
  const Index k = plan.kernel;
  if (folds_output(spec)) {
    plan.output = n + k - 1;
    plan.fold_begin = origin - k + 1;
    plan.folded_size = n;
    return;
  }
  switch (spec.mode) {
    case Mode::full:
      plan.output = n + k - 1;
      break;
    case Mode::valid:
      plan.output = std::max(n, k) - std::min(n, k) + 1;
      plan.shift = std::min(n, k) - 1;
      break;
    case Mode::same:
    case Mode::circular:
      plan.output = n;
      plan.shift = mirrors_kernel(spec.operation) ? k - 1 - origin : origin;
      break;
  }
}

Index floor_divide(Index a, Index b) { return a / b - (a % b < 0 ? 1 : 0); }

/// Runs of positions that are seen as the same image voxels, `size` of them from `begin` and every `period` on.
struct Echo {
  Index begin;
  Index size;
  Index period;

  Index first_from(Index low) const {
    const Index start = begin + floor_divide(low - begin, period) * period;
    return low < start + size ? low : start + period;
  }
  Index last_to(Index high) const {
    const Index start = begin + floor_divide(high - begin, period) * period;
    return std::min(high, start + size - 1);
  }
};

/// Of a folded output: what lies on the region's voxels, and between that.
void set_folded_region(Boundary boundary, Index begin, Index size, AxisPlan& plan) {
  const Index n = plan.image;
  const Index low = plan.fold_begin;
  const Index high = plan.fold_begin + plan.output - 1;
  Index first = begin == 0 ? low : begin;
  Index last = begin + size == n ? high : begin + size - 1;
  const BoundaryRule rule = boundary_rule(boundary, n);
  if (rule.kind == BoundaryRule::Kind::periodic) {
    const Index reflection = rule.mirrored ? rule.offset - (begin + size - 1) : begin;
    const Echo echoes[] = {{begin, size, rule.period}, {reflection, size, rule.period}};
    first = std::min(echoes[0].first_from(low), echoes[1].first_from(low));
    last = std::max(echoes[0].last_to(high), echoes[1].last_to(high));
  }
  plan.output = last - first + 1;
  plan.shift = first - plan.fold_begin;
  plan.fold_begin = first;
  plan.folded_begin = begin;
  plan.folded_size = size;
}

void set_region(const ConvolutionSpec& spec, int axis, AxisPlan& plan) {
  const Index begin = spec.region->begin[axis];
  const Index size = spec.region->size[axis];
  if (folds_output(spec)) {
    set_folded_region(spec.boundary, begin, size, plan);
    return;
  }
  plan.output = size;
  plan.shift += begin;
}

void set_kernel_part(Outside outside, AxisPlan& plan) {
  plan.kernel_size = plan.kernel;
  if (outside == Outside::repeated && plan.kernel > plan.image) {
    plan.fold_kernel = true;
    plan.kernel_size = plan.image;
    plan.shift %= plan.image;
  }
  if (outside == Outside::zero) {
    const Index first = std::max<Index>(0, plan.shift - (plan.image - 1));
    const Index last = std::min(plan.kernel - 1, plan.shift + plan.output - 1);
    plan.kernel_begin = first;
    plan.kernel_size = last - first + 1;
  }
}

/// Tiles that read all that their outputs need: no wrapped copy is ever used, whatever lies outside.
AxisPlan with_halo(const AxisPlan& task, Index tile_output) {
  AxisPlan plan = task;
  const Index last_kernel_element = plan.kernel_begin + plan.kernel_size - 1;
  plan.tile_output = tile_output;
  plan.num_tiles = divide_up(plan.output, tile_output);
  plan.tile_input = tile_output + plan.kernel_size - 1;
  plan.input_offset = plan.shift - last_kernel_element;
  plan.kernel_delta = last_kernel_element;
  return plan;
}

/// Without what lies outside the image: zeros, or what the transform itself repeats.
AxisPlan without_halo(const AxisTask& task) {
  AxisPlan plan = task.plan;
  plan.tile_output = plan.output;
  plan.tile_input = plan.image;
  plan.kernel_delta = plan.shift;
  return plan;
}

AxisPlan unsplit(const AxisTask& task, const TransformLengths& lengths) {
  const bool periodic = task.outside == Outside::repeated && lengths.admits(task.plan.image);
  if (!periodic) return in_one_tile(task);
  AxisPlan plan = without_halo(task);
  plan.periodic = true;
  return plan;
}

AxisPlan padded_to(AxisPlan plan, Index length) {
  plan.padded = length;
  plan.extent = std::max(plan.tile_input, plan.tile_output);
  return plan;
}

/// Room that the length leaves is given to the tile, where that saves tiles.
AxisPlan filled_up(const AxisTask& task, const AxisPlan& split, Index length, Index chunk) {
  const Index largest_output = std::min(length - split.kernel_size + 1, split.output);
  const Index num_tiles = divide_up(split.output, largest_output);
  Index tile_output = divide_up(split.output, num_tiles);
  const Index up = divide_up(tile_output, chunk) * chunk;
  const Index down = largest_output / chunk * chunk;
  if (up <= largest_output) {
    tile_output = up;
  } else if (down > 0) {
    tile_output = down;
  }
  return padded_to(with_halo(task.plan, tile_output), length);
}

std::vector<Index> tile_counts(Index output, bool few) {
  const Index dense = few ? kDenseTileCountsOfFew : kDenseTileCounts;
  std::vector<Index> counts;
  for (Index count = 2; count < std::min(output, dense); ++count) counts.push_back(count);
  for (auto count = static_cast<double>(dense); count < static_cast<double>(output);
       count *= few ? kTileCountGrowthOfFew : kTileCountGrowth) {
    counts.push_back(static_cast<Index>(count));
  }
  if (output > 1) counts.push_back(output);
  return counts;
}

/// The cheapest length and, because it needs least memory, the smallest.
std::vector<Index> lengths_worth_trying(const AxisPlan& plan, const TransformLengths& lengths) {
  const Index period = required_period(plan);
  if (plan.periodic) return {period};
  const auto cheapest = lengths.cheapest(period);
  if (!cheapest) return {};
  const Index smallest = *lengths.smallest(period);
  return smallest == *cheapest ? std::vector{smallest} : std::vector{*cheapest, smallest};
}

/// Powers of two, and what is 16 * 16 times one radix more.
std::vector<Index> line_lengths(const TransformLengths& lengths, Index at_least) {
  std::vector<Index> found;
  for (Index length = 2; length <= kLongestLine; length *= 2) found.push_back(length);
  for (Index radix = 3; radix <= device_model::kLargestLineRadix; ++radix) found.push_back(256 * radix);
  std::erase_if(found, [&](Index length) { return length < at_least || !lengths.admits(length); });
  return found;
}

bool no_worse(const AxisPlan& a, const AxisPlan& b) {
  return a.num_tiles <= b.num_tiles && a.extent <= b.extent && a.padded <= b.padded &&
         length_weight(a.padded) <= length_weight(b.padded);
}

void add_unless_outdone(const AxisPlan& plan, std::vector<AxisPlan>& options) {
  const auto outdoes = [&](const AxisPlan& other) { return no_worse(other, plan); };
  if (std::any_of(options.begin(), options.end(), outdoes)) return;
  std::erase_if(options, [&](const AxisPlan& other) { return no_worse(plan, other); });
  options.push_back(plan);
}

}  // namespace

AxisPlan in_one_tile(const AxisTask& task) {
  AxisPlan plan = task.outside == Outside::zero ? without_halo(task) : with_halo(task.plan, task.plan.output);
  plan.extent = std::max(plan.tile_input, plan.tile_output);
  return plan;
}

bool folds_output(const ConvolutionSpec& spec) {
  return spec.operation == Operation::correlate && spec.mode == Mode::same && repeats_unevenly(spec.boundary) &&
         spec.kernel != Shape{1, 1, 1};
}

AxisTask axis_task(const ConvolutionSpec& spec, int axis) {
  AxisTask task;
  task.plan.image = spec.image[axis];
  task.plan.kernel = spec.kernel[axis];
  task.outside = outside_of(spec);
  set_window(spec, has_origin(spec) ? resolve_origin(spec, nullptr)[axis] : 0, task.plan);
  if (spec.region) set_region(spec, axis, task.plan);
  set_kernel_part(task.outside, task.plan);
  return task;
}

Index longest_needed(const AxisTask& task) { return task.plan.output + task.plan.image + task.plan.kernel_size; }

Index required_period(const AxisPlan& plan) {
  if (plan.periodic) return plan.image;
  const Index first = plan.kernel_begin - plan.kernel_delta;
  const Index last = first + plan.kernel_size - 1;
  return std::max({plan.tile_input, plan.tile_output, plan.tile_output - first, plan.tile_input + last});
}

std::vector<AxisPlan> axis_options(const AxisTask& task, const TransformLengths& lengths, const CuttingRules& rules) {
  std::vector<AxisPlan> options;
  if (rules.tile_output > 0 && rules.tile_output < task.plan.output) {
    const AxisPlan split = with_halo(task.plan, rules.tile_output);
    for (const Index length : lengths_worth_trying(split, lengths)) options.push_back(padded_to(split, length));
    return options;
  }
  for (const AxisPlan& whole : {unsplit(task, lengths), with_halo(task.plan, task.plan.output)}) {
    // Of a region near the middle a part of the image is enough.
    if (!options.empty() && whole.tile_input >= options.front().tile_input) continue;
    for (const Index length : lengths_worth_trying(whole, lengths)) options.push_back(padded_to(whole, length));
  }
  if (rules.tile_output > 0) return options;
  for (const Index count : tile_counts(task.plan.output, rules.few_tile_counts)) {
    const AxisPlan split = with_halo(task.plan, divide_up(task.plan.output, count));
    for (const Index length : lengths_worth_trying(split, lengths)) {
      if (rules.all_tile_counts) {
        options.push_back(padded_to(split, length));
        continue;
      }
      const AxisPlan filled = filled_up(task, split, length, std::max<Index>(1, rules.chunk));
      if (filled.num_tiles > 1) add_unless_outdone(filled, options);
      if (split.tile_output == 1) add_unless_outdone(padded_to(split, length), options);
    }
  }
  if (!rules.fill_lines) return options;
  for (const Index length : line_lengths(lengths, 2 * task.plan.kernel_size)) {
    const AxisPlan filled = filled_up(task, with_halo(task.plan, 1), length, std::max<Index>(1, rules.chunk));
    if (filled.num_tiles > 1) add_unless_outdone(filled, options);
  }
  return options;
}

std::vector<AxisPlan> direct_axis_options(const AxisTask& task, const CuttingRules& rules) {
  const auto of = [&](Index tile_output) {
    const AxisPlan plan = with_halo(task.plan, tile_output);
    return padded_to(plan, plan.tile_input);
  };
  const Index output = task.plan.output;
  if (rules.tile_output > 0) return {of(std::min(rules.tile_output, output))};
  std::vector<AxisPlan> options{of(output)};
  const Index chunk = std::max<Index>(1, rules.chunk);
  for (const Index count : tile_counts(output, rules.few_tile_counts)) {
    const Index least = divide_up(output, count);
    const Index whole_chunks = divide_up(least, chunk) * chunk;
    const AxisPlan split = of(rules.all_tile_counts || whole_chunks >= output ? least : whole_chunks);
    if (split.num_tiles != options.back().num_tiles) options.push_back(split);
  }
  return options;
}

}  // namespace convoy::inline v0
