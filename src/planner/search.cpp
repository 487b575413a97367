#include "planner/search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>
#include <vector>

#include "convoy/error.hpp"
#include "device_model/common.hpp"
#include "fft/shape.hpp"
#include "planner/batch.hpp"
#include "planner/filter_storage.hpp"

namespace convoy::inline v0 {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

using AxisChoice = std::array<const AxisPlan*, 3>;
using AxisOptions = std::array<std::vector<AxisPlan>, 3>;

struct Candidate {
  AxisChoice axes{};
  Index num_tiles = 1;
  int num_in_flight = 1;
  double seconds = 0;
  std::uint64_t footprint_bytes = 0;
};

AxisOptions options_of_axes(const ConvolutionSpec& spec, const Limits& limits, const PlanOptions& plan_options) {
  AxisOptions options;
  bool contiguous = true;
  int num_long_axes = 0;
  for (int axis = 0; axis < 3; ++axis) num_long_axes += spec.image[axis] > 1 || spec.kernel[axis] > 1 ? 1 : 0;
  for (int axis = 2; axis >= 0; --axis) {
    const AxisTask task = axis_task(spec, axis);
    const Index chunk = plan_options.streaming ? plan_options.streaming->write_chunk[axis] : 1;
    const Index tile_output = plan_options.tile_output ? (*plan_options.tile_output)[axis] : 0;
    // On the host, small images are planned in less time than they take.
    const CuttingRules rules{.all_tile_counts = plan_options.min_tiles > 1,
                             .tile_output = tile_output,
                             .chunk = chunk,
                             .few_tile_counts = has_lanes(limits) && num_long_axes > 1,
                             .fill_lines = num_long_axes == 1};
    if (plan_options.path && sums_directly(*plan_options.path)) {
      options[axis] = direct_axis_options(task, rules);
      continue;
    }
    const TransformLengths lengths(limits, spec.precision, contiguous, longest_needed(task));
    options[axis] = axis_options(task, lengths, rules);
    if (options[axis].empty()) {
      throw Error(
          Errc::unsupported,
          fmt::format("axis {}: even a tile of one output voxel needs a transform of {} voxels (kernel {}), but "
                      "this device's longest on that axis is {}; crop the kernel or use the CPU",
                      axis_name(axis), task.plan.kernel_size, task.plan.kernel, lengths.longest()));
    }
    const auto transformed = [](const AxisPlan& plan) { return plan.padded > 1; };
    if (std::any_of(options[axis].begin(), options[axis].end(), transformed)) contiguous = false;
  }
  return options;
}

Index fewest_tiles(const ConvolutionSpec& spec, const PlanOptions& options) {
  if (options.num_devices <= 1 || options.tile_output) return options.min_tiles;
  return std::max(options.min_tiles,
                  std::min(num_voxels(output_shape(spec)), device_model::kTilesPerDevice * options.num_devices));
}

bool is_choice(const AxisChoice& axes, const PlanChoice& choice) {
  for (int axis = 0; axis < 3; ++axis) {
    if (axes[axis]->padded != choice.padded[axis] || axes[axis]->num_tiles != choice.num_tiles[axis]) return false;
  }
  return true;
}

bool has_whole(const std::vector<AxisPlan>& options) {
  return std::any_of(options.begin(), options.end(), [](const AxisPlan& plan) { return plan.num_tiles == 1; });
}

double downloaded_voxels(const TileLayout& layout, const AxisChoice& axes) {
  double voxels = static_cast<double>(layout.batch) * static_cast<double>(layout.extent[0]);
  for (int d = 1; d < 3; ++d) voxels *= static_cast<double>(axes[layout.device_axes[d]]->tile_output);
  return voxels;
}

class Search {
 public:
  Search(const ConvolutionSpec& spec, const Limits& limits, const PlanOptions& options, const Budget& budget)
      : spec_(spec),
        limits_(limits),
        budget_(budget),
        plan_options_(options),
        min_tiles_(fewest_tiles(spec, options)),
        min_sets_(options.resident ? 1 : options.min_sets),
        max_sets_(limits.transfers_overlap && !options.resident ? std::max(min_sets_, options.max_sets) : min_sets_),
        lanes_(lanes_of(spec, limits, options)),
        tune_(options.tune),
        choice_(options.choice),
        tuning_(tuning_of_layout(limits, options)),
        costs_(limits, options.resident),
        options_(options_of_axes(spec, limits, options)) {
    if (options.host_memory_limit_bytes > 0) {
      host_budget_bytes_ = options.host_memory_limit_bytes / static_cast<std::uint64_t>(options.num_devices);
    }
  }

  SearchResult run() {
    for (const AxisPlan& z : options_[0]) {
      for (const AxisPlan& y : options_[1]) {
        for (const AxisPlan& x : options_[2]) consider({&z, &y, &x});
      }
    }
    if (smallest_footprint_bytes_ == UINT64_MAX && impossible_) throw_path_impossible();
    if (smallest_footprint_bytes_ == UINT64_MAX) throw_ceiling_broken();
    if (smallest_footprint_bytes_ > budget_.bytes) throw_budget_exceeded();
    if (feasible_.empty()) throw_host_budget_exceeded();
    for (int axis = 0; axis < 3; ++axis) {
      if (!has_whole(options_[axis])) whole_.too_long_axis = axis;
    }
    const Candidate& chosen = best();
    return {tiling_of(chosen), smallest_footprint_bytes_, whole_, faster_with_more(chosen.seconds)};
  }

  /// After run(): the feasible ones of least predicted time, the fastest first.
  std::vector<Tiling> likeliest(std::size_t at_most) {
    const auto faster = [](const Candidate& a, const Candidate& b) { return a.seconds < b.seconds; };
    std::stable_sort(feasible_.begin(), feasible_.end(), faster);
    std::vector<Tiling> tilings;
    for (std::size_t i = 0; i < std::min(at_most, feasible_.size()); ++i) tilings.push_back(tiling_of(feasible_[i]));
    return tilings;
  }

 private:
  TileLayout layout_of(const AxisChoice& axes) const {
    const TileLayout whole = allowed_layout(axes, spec_.precision, passes_arrays(plan_options_.resident, spec_),
                                            limits_, plan_options_, tuning_, fan_);
    return stored(with_fan(whole, spec_, plan_options_.resident), axes);
  }
  TileLayout stored(const TileLayout& whole, const AxisChoice& axes) const {
    const bool fits = footprint_bytes(whole, limits_, min_sets_) <= budget_.bytes;
    return with_filter_stored(whole, fits, axes, limits_, tuning_.filter_storage, costs_);
  }

  Index num_tiles_of_run(Index num_tiles) const { return num_tiles * num_groups(spec_); }
  Index num_batches(Index num_tiles, const TileLayout& batch) const {
    return (num_tiles_of_run(num_tiles) + batch.batch - 1) / batch.batch;
  }

  void consider(const AxisChoice& axes) {
    Candidate candidate{axes, axes[0]->num_tiles * axes[1]->num_tiles * axes[2]->num_tiles};
    const bool whole = candidate.num_tiles == 1;
    const TileLayout layout = layout_of(axes);
    if (plan_options_.path && !has_path(layout, limits_)) {
      if (!impossible_) impossible_ = layout;
      return;
    }
    candidate.num_in_flight = min_sets_;
    candidate.footprint_bytes = footprint_bytes(layout, limits_, min_sets_);
    const std::uint64_t host_bytes = host_needs_of(axes, layout, min_sets_).total_bytes();
    const auto broken = broken_ceiling(layout, limits_);
    if (whole && candidate.footprint_bytes < whole_.smallest_footprint_bytes) {
      whole_.smallest_footprint_bytes = candidate.footprint_bytes;
      whole_.smallest_host_bytes = host_bytes;
      whole_.broken_ceiling = broken;
    }
    if (candidate.num_tiles < min_tiles_) return;
    if (broken) {
      if (!least_broken_ || broken->slot_bytes < least_broken_->slot_bytes) least_broken_ = broken;
      return;
    }
    smallest_footprint_bytes_ = std::min(smallest_footprint_bytes_, candidate.footprint_bytes);
    if (candidate.footprint_bytes > budget_.bytes) {
      if (host_bytes <= host_budget_bytes_) beyond_budget_.push_back({candidate, layout});
      return;
    }
    smallest_host_bytes_ = std::min(smallest_host_bytes_, host_bytes);
    if (host_bytes > host_budget_bytes_) return;
    const TileLayout batch = in_batches(layout, num_tiles_of_run(candidate.num_tiles), limits_, budget_.bytes);
    candidate.footprint_bytes = footprint_bytes(batch, limits_, min_sets_);
    const TileCost cost = costs_.tile(batch, downloaded_voxels(batch, axes), min_sets_);
    candidate.seconds = run_seconds(cost, num_batches(candidate.num_tiles, batch), min_sets_);
    if (num_tiles_of_run(candidate.num_tiles) > 1) put_more_in_flight(layout, cost, candidate);
    if (whole && (whole_.seconds == 0 || candidate.seconds < whole_.seconds)) whole_.seconds = candidate.seconds;
    feasible_.push_back(candidate);
  }

  /// What is beyond the budget is looked at only where something may come of it: there is much of it.
  std::optional<BeyondBudget> faster_with_more(double seconds) const {
    const double whole_seconds = least_seconds_beyond_budget([](const Candidate& one) { return one.num_tiles == 1; });
    if (seconds < device_model::kSlow / 2 * whole_seconds && whole_seconds < kNever) return {};
    const double least_seconds = least_seconds_beyond_budget([](const Candidate&) { return true; });
    if (seconds < device_model::kSlow * least_seconds) return {};
    BeyondBudget least{UINT64_MAX, 0};
    for (const auto& [one, layout] : beyond_budget_) {
      if (one.footprint_bytes >= least.footprint_bytes) continue;
      const double its_seconds = seconds_alone(one, layout);
      if (its_seconds <= device_model::kFastEnough * least_seconds) least = {one.footprint_bytes, its_seconds};
    }
    return least;
  }

  template <class Counts>
  double least_seconds_beyond_budget(const Counts& counts) const {
    double least = kNever;
    for (const auto& [one, layout] : beyond_budget_) {
      if (counts(one)) least = std::min(least, seconds_alone(one, layout));
    }
    return least;
  }

  /// With no more tiles in flight than there must be.
  double seconds_alone(const Candidate& one, const TileLayout& layout) const {
    return run_seconds(costs_.tile(layout, downloaded_voxels(layout, one.axes), min_sets_),
                       num_tiles_of_run(one.num_tiles), min_sets_);
  }

  /// As many tiles in flight as there is room for, if they save time.
  void put_more_in_flight(const TileLayout& layout, const TileCost& cost, Candidate& candidate) const {
    const Index num_tiles = num_tiles_of_run(candidate.num_tiles);
    if (lanes_ > 1) {
      const int lanes = static_cast<int>(std::min<Index>(lanes_, num_tiles));
      return try_in_flight(layout, costs_.tile(layout, downloaded_voxels(layout, candidate.axes), lanes), lanes,
                           candidate);
    }
    for (int num_in_flight = min_sets_ + 1; num_in_flight <= max_sets_ && num_in_flight <= num_tiles; ++num_in_flight) {
      try_in_flight(layout, cost, num_in_flight, candidate);
    }
  }

  void try_in_flight(const TileLayout& layout, const TileCost& cost, int num_in_flight, Candidate& candidate) const {
    const double seconds = run_seconds(cost, num_tiles_of_run(candidate.num_tiles), num_in_flight);
    if (seconds >= candidate.seconds) return;
    const std::uint64_t bytes = footprint_bytes(layout, limits_, num_in_flight);
    if (bytes > budget_.bytes) return;
    if (host_needs_of(candidate.axes, layout, num_in_flight).total_bytes() > host_budget_bytes_) return;
    candidate.num_in_flight = num_in_flight;
    candidate.seconds = seconds;
    candidate.footprint_bytes = bytes;
  }

  HostNeeds host_needs_of(const AxisChoice& axes, const TileLayout& layout, int num_in_flight) const {
    return host_needs({spec_, limits_, plan_options_}, axes, layout, num_in_flight);
  }

  const Candidate& best() const {
    if (choice_) return chosen();
    if (tune_ == Tune::off) return smallest();
    double least_seconds = least_seconds_of_feasible();
    const bool take_whole = whole_.seconds > 0 && whole_.seconds <= device_model::kGainThatPaysForTiles * least_seconds;
    if (take_whole) least_seconds = whole_.seconds;
    const Candidate* best = nullptr;
    for (const Candidate& candidate : feasible_) {
      if (take_whole && candidate.num_tiles > 1) continue;
      if (candidate.seconds >
          (plan_options_.streaming ? device_model::kEqualCostsOfFiles : device_model::kEqualCosts) * least_seconds)
        continue;
      if (best == nullptr || rank(candidate) < rank(*best)) best = &candidate;
    }
    return *best;
  }

  /// Chunks of files that tiles cut weigh most, then splits of x, then of y: their tiles are gathered in shorter runs.
  using Rank = std::tuple<int, Index, Index, double, std::uint64_t>;
  Rank rank(const Candidate& candidate) const {
    const AxisChoice& axes = candidate.axes;
    int num_cut = 0;
    if (plan_options_.streaming) {
      for (int axis = 0; axis < 3; ++axis) {
        const Index chunk = plan_options_.streaming->write_chunk[axis];
        if (axes[axis]->num_tiles > 1 && axes[axis]->tile_output % std::max<Index>(1, chunk) != 0) ++num_cut;
      }
    }
    return {num_cut, axes[2]->num_tiles, axes[1]->num_tiles, candidate.seconds, candidate.footprint_bytes};
  }

  const Candidate& chosen() const {
    for (const Candidate& candidate : feasible_) {
      if (is_choice(candidate.axes, *choice_)) return candidate;
    }
    throw Error(
        Errc::invalid_argument,
        fmt::format("transforms of {} zyx in {} tiles zyx are no way to convolve image {} zyx with kernel {} zyx "
                    "within {}",
                    to_text(choice_->padded), to_text(choice_->num_tiles), to_text(spec_.image), to_text(spec_.kernel),
                    bytes_to_text(budget_.bytes)));
  }

  const Candidate& smallest() const {
    const auto smaller = [](const Candidate& a, const Candidate& b) {
      return std::tuple(a.num_tiles, a.footprint_bytes) < std::tuple(b.num_tiles, b.footprint_bytes);
    };
    return *std::min_element(feasible_.begin(), feasible_.end(), smaller);
  }

  double least_seconds_of_feasible() const {
    const auto faster = [](const Candidate& a, const Candidate& b) { return a.seconds < b.seconds; };
    return std::min_element(feasible_.begin(), feasible_.end(), faster)->seconds;
  }

  Tiling tiling_of(const Candidate& candidate) const {
    const AxisChoice& axes = candidate.axes;
    Tiling tiling;
    for (int axis = 0; axis < 3; ++axis) tiling.axes[axis] = *axes[axis];
    tiling.layout = in_batches(layout_of(axes), num_tiles_of_run(candidate.num_tiles), limits_, budget_.bytes);
    tiling.num_batches = num_batches(candidate.num_tiles, tiling.layout);
    tiling.num_in_flight = candidate.num_in_flight;
    tiling.cost = costs_.chosen_tile(tiling.layout, downloaded_voxels(tiling.layout, axes), tiling.num_in_flight);
    tiling.host = host_needs_of(axes, tiling.layout, candidate.num_in_flight);
    tiling.footprint_bytes = candidate.footprint_bytes;
    return tiling;
  }

  [[noreturn]] void throw_path_impossible() const {
    throw Error(
        Errc::unsupported,
        fmt::format("convolving image {} zyx with kernel {} zyx: there is no {} path: {}; ask for another path, or "
                    "leave the choice to convoy (auto)",
                    to_text(spec_.image), to_text(spec_.kernel), name(*plan_options_.path),
                    fan_forbids_path(*impossible_, limits_)
                        ? fmt::format("it convolves with one kernel at a time, not with {} kernels of pairing {}",
                                      spec_.num_kernels, name(spec_.pairing))
                        : why_no_native_passes(impossible_->num_axes, impossible_->padded, limits_)));
  }

  [[noreturn]] void throw_ceiling_broken() const {
    if (!least_broken_) {
      throw Error(Errc::invalid_argument,
                  fmt::format("{} tiles were asked for, but the output has fewer voxels", min_tiles_));
    }
    throw OutOfMemory(
        fmt::format("convolving image {} zyx with kernel {} zyx: every tiling needs some buffer that is too large for "
                    "this device; at best its {} takes {}, above the {} ({}); crop the kernel or use another device",
                    to_text(spec_.image), to_text(spec_.kernel), least_broken_->slot_name,
                    bytes_to_text(least_broken_->slot_bytes), bytes_to_text(least_broken_->limit_bytes),
                    least_broken_->limit_name),
        least_broken_->slot_bytes, least_broken_->limit_bytes, least_broken_->limit_name);
  }

  [[noreturn]] void throw_budget_exceeded() const {
    throw OutOfMemory(
        fmt::format("convolving image {} zyx with kernel {} zyx needs at least {} in its smallest tiles, but the {} "
                    "allows {}; allow or free that much, crop the kernel{} or use another device",
                    to_text(spec_.image), to_text(spec_.kernel), bytes_to_text(smallest_footprint_bytes_),
                    budget_.limit_name, bytes_to_text(budget_.bytes),
                    spec_.precision == Precision::f64 ? ", compute in f32" : ""),
        smallest_footprint_bytes_, budget_.bytes, budget_.limit_name);
  }

  [[noreturn]] void throw_host_budget_exceeded() const {
    throw OutOfMemory(
        fmt::format(
            "convolving image {} zyx with kernel {} zyx needs at least {} of host memory in its smallest tiles, "
            "but the host memory limit allows {}; allow more{}",
            to_text(spec_.image), to_text(spec_.kernel), bytes_to_text(smallest_host_bytes_),
            bytes_to_text(host_budget_bytes_),
            folds_output(spec_) ? ", or take another boundary: the adjoint of this one adds up in memory" : ""),
        smallest_host_bytes_, host_budget_bytes_, kHostMemoryLimit);
  }

  const ConvolutionSpec& spec_;
  KernelFan fan_ = kernel_fan(spec_);
  const Limits& limits_;
  const Budget& budget_;
  const PlanOptions& plan_options_;
  Index min_tiles_;
  int min_sets_;
  int max_sets_;
  int lanes_;  ///< tiles that threads may work on side by side
  Tune tune_;
  std::optional<PlanChoice> choice_;
  FftTuning tuning_;
  CostModel costs_;
  AxisOptions options_;
  std::vector<Candidate> feasible_;
  std::vector<std::pair<Candidate, TileLayout>> beyond_budget_;
  std::uint64_t smallest_footprint_bytes_ = UINT64_MAX;
  std::uint64_t host_budget_bytes_ = UINT64_MAX;
  std::uint64_t smallest_host_bytes_ = UINT64_MAX;
  std::optional<BrokenCeiling> least_broken_;
  std::optional<TileLayout> impossible_;  // by the path asked for
  WholeImage whole_;
};

}  // namespace

SearchResult search_tilings(const ConvolutionSpec& spec, const Limits& limits, const PlanOptions& options,
                            const Budget& budget) {
  return Search(spec, limits, options, budget).run();
}

std::vector<PlanChoice> likeliest_choices(const ConvolutionSpec& spec, const Limits& limits, const PlanOptions& options,
                                          std::size_t at_most) {
  const Budget budget = budget_of(limits, options);
  Search search(spec, limits, options, budget);
  search.run();
  std::vector<PlanChoice> choices;
  for (const Tiling& tiling : search.likeliest(at_most)) {
    const auto& [z, y, x] = tiling.axes;
    choices.push_back({{z.padded, y.padded, x.padded}, {z.num_tiles, y.num_tiles, x.num_tiles}, options.tuning});
  }
  return choices;
}

}  // namespace convoy::inline v0
