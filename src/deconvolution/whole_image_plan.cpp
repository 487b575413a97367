#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "convoy/error.hpp"
#include "deconvolution/host_bytes.hpp"
#include "deconvolution/plan.hpp"
#include "deconvolution/spec.hpp"
#include "deconvolution/sum_threads.hpp"
#include "planner/filter_storage.hpp"
#include "planner/ledger.hpp"
#include "planner/origin.hpp"
#include "planner/search.hpp"

namespace convoy::inline v0 {
namespace {

using FrameOptions = std::array<std::vector<AxisPlan>, 3>;
using FrameChoice = std::array<const AxisPlan*, 3>;

struct Candidate {
  FrameChoice axes{};
  TileLayout layout;
  std::vector<LedgerLine> ledger;
  std::uint64_t footprint_bytes = 0;
  std::optional<BrokenCeiling> broken_ceiling;
  double traffic_bytes = 0;
  double seconds = 0;
};

FrameOptions options_of_axes(const DeconvolutionSpec& spec, const Limits& limits) {
  FrameOptions options;
  bool contiguous = true;
  for (int axis = 2; axis >= 0; --axis) {
    const TransformLengths lengths(limits, spec.precision, contiguous, longest_frame(spec, axis));
    options[static_cast<std::size_t>(axis)] = frame_options(spec, axis, lengths);
    if (options[static_cast<std::size_t>(axis)].empty()) {
      throw Error(
          Errc::unsupported,
          fmt::format("axis {}: restoring {} voxels with a PSF of {} at once needs a longer transform than this "
                      "device's longest there, {}; crop the PSF or use the CPU",
                      axis_name(axis), spec.image[axis], spec.psf[axis], lengths.longest()));
    }
    if (options[static_cast<std::size_t>(axis)].front().padded > 1) contiguous = false;
  }
  return options;
}

class FrameSearch {
 public:
  FrameSearch(const DeconvolutionSpec& spec, const Limits& limits, const PlanOptions& options)
      : spec_(spec),
        limits_(limits),
        budget_(budget_of(limits, options)),
        plan_options_(options),
        tune_(options.tune),
        tuning_(tuning_of_layout(limits, options)),
        costs_(limits),
        axes_(frame_axes(spec)),
        options_(options_of_axes(spec, limits)) {
    if (spec.algorithm == Algorithm::wiener) tuning_.filter_storage = FilterStorage::spectrum;  // to make the filter of
  }

  /// The fastest that fits; with Tune::off the smallest.
  Candidate best() const {
    std::optional<Candidate> best;
    std::optional<Candidate> smallest;
    for (const AxisPlan& z : options_[0]) {
      for (const AxisPlan& y : options_[1]) {
        for (const AxisPlan& x : options_[2]) {
          const Candidate candidate = make({&z, &y, &x});
          if (!smallest || candidate.footprint_bytes < smallest->footprint_bytes) smallest = candidate;
          if (candidate.broken_ceiling || candidate.footprint_bytes > budget_.bytes) continue;
          if (!best || is_better(candidate, *best)) best = candidate;
        }
      }
    }
    if (!best) throw_does_not_fit(*smallest);
    return *best;
  }

  const Budget& budget() const { return budget_; }
  const CostModel& costs() const { return costs_; }

 private:
  bool is_better(const Candidate& a, const Candidate& b) const {
    return tune_ == Tune::off ? a.footprint_bytes < b.footprint_bytes : a.seconds < b.seconds;
  }

  Candidate make(const FrameChoice& axes) const {
    Candidate candidate;
    candidate.axes = axes;
    const TileLayout whole = allowed_layout(axes, spec_.precision, false, limits_, plan_options_, tuning_);
    set_layout(whole, candidate);
    const bool fits = candidate.footprint_bytes <= budget_.bytes;
    const TileLayout stored = with_filter_stored(whole, fits, axes, limits_, tuning_.filter_storage, costs_);
    if (stored.kernel_extent > 0) set_layout(stored, candidate);
    candidate.broken_ceiling = broken_ceiling(candidate.layout, limits_);

    const TileCost convolution = costs_.tile(candidate.layout, 0);
    const double num_convolutions = spec_.algorithm == Algorithm::wiener ? 1 : has_consensus() ? 5 : 2;
    const double pointwise_bytes = static_cast<double>(pointwise(candidate));
    candidate.traffic_bytes = num_convolutions * convolution.traffic_bytes + pointwise_bytes;
    candidate.seconds = num_convolutions * convolution.compute_seconds + costs_.streaming_seconds(pointwise_bytes);
    return candidate;
  }

  /// Bytes that the point-wise steps of an iteration read and write.
  std::uint64_t pointwise(const Candidate& candidate) const {
    if (spec_.algorithm == Algorithm::wiener) return 0;
    // Ratio: image twice. Product: weights, estimate, image twice. Acceptance: twice; with momentum five times, with
    // Biggs' seven times, whose sums take four more.
    std::uint64_t passes = 6 + 2;
    if (spec_.acceleration == Acceleration::momentum) passes = 6 + 5;
    if (spec_.acceleration == Acceleration::biggs) passes = 6 + 7 + 4;
    if (spec_.tv > 0) passes += 3;
    if (has_consensus()) passes += 2 + 4 + 1 + 2;  // the noise's ratio, the agreement, its window and its two readers
    return window_bytes() + passes * candidate.layout.image_bytes();
  }

  bool has_consensus() const { return spec_.stop == Stop::gradient_consensus; }

  std::uint64_t window_bytes() const {
    std::uint64_t bytes = real_bytes(spec_.precision);
    for (const FrameAxis& axis : axes_) bytes = saturating_product(bytes, static_cast<std::uint64_t>(axis.window));
    return bytes;
  }

  void set_layout(const TileLayout& layout, Candidate& candidate) const {
    candidate.layout = layout;
    candidate.ledger = ledger(layout);
    candidate.footprint_bytes = 0;
    for (const LedgerLine& line : candidate.ledger) {
      candidate.footprint_bytes = saturating_sum(candidate.footprint_bytes, line.bytes);
    }
  }

  std::vector<LedgerLine> ledger(const TileLayout& layout) const {
    const bool iterates = spec_.algorithm != Algorithm::wiener;
    std::array<Index, 3> window{};
    for (std::size_t d = 0; d < 3; ++d) window[d] = axes_[static_cast<std::size_t>(layout.device_axes[d])].window;
    const std::string frame = device_shape(layout, layout.extent, name(spec_.precision));
    const auto of_frame = [&](const char* what) { return LedgerLine{what, layout.image_bytes(), frame}; };

    std::vector<LedgerLine> lines{
        {"observed image", window_bytes(), device_shape(layout, window, name(spec_.precision))}};
    if (iterates) lines.insert(lines.end(), {of_frame("estimate"), of_frame("weights")});
    if (has_consensus()) {
      lines.insert(lines.end(), {{"noise", window_bytes(), device_shape(layout, window, name(spec_.precision))},
                                 of_frame("consensus")});
    }
    const std::uint64_t num_more = num_acceleration_images(spec_.acceleration);
    if (num_more > 0) lines.push_back(of_frame("last estimate"));
    if (num_more > 1) lines.push_back(of_frame("last step"));
    lines.push_back(of_frame("work image"));
    for (LedgerLine& line : ledger_of(layout, limits_, 1)) {
      if (line.name == "image tile") continue;
      // Blurring has tables of its own, and so has its adjoint; the passes of our own share theirs.
      const bool has_two = iterates && layout.path != Path::native;
      if (line.name == "FFT tables" && has_two) line.bytes = saturating_product(2, line.bytes);
      lines.push_back(line);
    }
    lines.push_back({"scalars and sums", scalar_bytes(layout), iterates ? "for likelihood, flux and change" : ""});
    return lines;
  }

  std::uint64_t scalar_bytes(const TileLayout& layout) const {
    const Index voxels = static_cast<Index>(layout.image_bytes() / real_bytes(spec_.precision));
    return real_bytes(spec_.precision) * static_cast<std::uint64_t>(num_scalar_reals(spec_, limits_, voxels));
  }

  [[noreturn]] void throw_does_not_fit(const Candidate& smallest) const {
    const std::string task = fmt::format("deconvolving image {} zyx with PSF {} zyx (edges {}) at once",
                                         to_text(spec_.image), to_text(spec_.psf), name(spec_.edges));
    if (const auto& broken = smallest.broken_ceiling) {
      throw OutOfMemory(fmt::format("{}: the {} takes {}, above the {} of {}; crop the image or the PSF or use another "
                                    "device",
                                    task, broken->slot_name, bytes_to_text(broken->slot_bytes), broken->limit_name,
                                    bytes_to_text(broken->limit_bytes)),
                        broken->slot_bytes, broken->limit_bytes, broken->limit_name);
    }
    throw OutOfMemory(
        fmt::format("{} needs at least {}, but the {} allows {}; allow or free that much, crop the image or "
                    "the PSF{} or use another device",
                    task, bytes_to_text(smallest.footprint_bytes), budget_.limit_name, bytes_to_text(budget_.bytes),
                    spec_.edges == Edges::noncirculant ? ", choose edges zero" : ""),
        smallest.footprint_bytes, budget_.bytes, budget_.limit_name);
  }

  const DeconvolutionSpec& spec_;
  const Limits& limits_;
  Budget budget_;
  const PlanOptions& plan_options_;
  Tune tune_;
  FftTuning tuning_;
  CostModel costs_;
  std::array<FrameAxis, 3> axes_;
  FrameOptions options_;
};

Plan plan_of(const Candidate& chosen, const DeconvolutionPlan& plan, const Limits& limits, const PlanOptions& options) {
  Plan convolution;
  convolution.spec = convolution_of(plan.spec, plan.frame(), Operation::convolve);
  convolution.limits = limits;
  convolution.path = chosen.layout.path;
  for (std::size_t axis = 0; axis < 3; ++axis) convolution.axes[axis] = *chosen.axes[axis];
  convolution.device_axes = chosen.layout.device_axes;
  convolution.num_transforms = chosen.layout.num_axes;
  convolution.batch = chosen.layout.batch;
  convolution.row_pitch = chosen.layout.row_pitch;
  convolution.kernel_extent = chosen.layout.kernel_extent;
  convolution.tuning = options.tuning;
  if (convolution.tuning.coalesced_bytes == 0 && chosen.layout.path != Path::native) {
    const bool plain = options.tune == Tune::off;
    convolution.tuning.coalesced_bytes = plain ? limits.coalesced_bytes : widest_access(chosen.layout, limits);
  }
  convolution.ledger = ledger_of(chosen.layout, limits, 1);
  convolution.footprint_bytes = footprint_bytes(chosen.layout, limits, 1);
  return convolution;
}

std::vector<std::string> reasons_of(const DeconvolutionPlan& plan, const Budget& budget) {
  std::vector<std::string> reasons;
  if (budget.bytes == UINT64_MAX) {
    reasons.push_back("the whole image at once: nothing limits the memory");
  } else {
    reasons.push_back(fmt::format("the whole image at once: {} fit the budget of {} ({})",
                                  bytes_to_text(plan.footprint_bytes), bytes_to_text(budget.bytes), budget.limit_name));
  }
  for (int axis = 0; axis < 3; ++axis) {
    const AxisPlan& convolution = plan.convolution.axes[static_cast<std::size_t>(axis)];
    reasons.push_back(fmt::format("{}: {} voxels of the unknown, transforms of {} = {}", axis_name(axis),
                                  convolution.extent, convolution.padded, factors_to_text(convolution.padded)));
  }
  if (const auto reason = reason_of_kernel_storage(layout_of(plan.convolution))) reasons.push_back(*reason);
  if (plan.convolution.path == Path::staged) reasons.push_back("staged: no other path is allowed or possible");
  return reasons;
}

}  // namespace

DeconvolutionPlan make_whole_plan(const DeconvolutionSpec& spec, const Limits& device_limits,
                                  const PlanOptions& options) {
  Limits limits = device_limits;
  limits.coalesced_bytes = std::max(limits.coalesced_bytes, options.tuning.coalesced_bytes);
  const FrameSearch search(spec, limits, options);
  const Candidate chosen = search.best();

  DeconvolutionPlan plan;
  plan.spec = spec;
  plan.axes = frame_axes(spec);
  plan.convolution = plan_of(chosen, plan, limits, options);
  plan.ledger = chosen.ledger;
  plan.footprint_bytes = chosen.footprint_bytes;
  plan.budget_bytes = search.budget().bytes;
  plan.predicted_seconds = search.costs().predicts() ? chosen.seconds : 0;
  plan.traffic_bytes = whole_bytes(chosen.traffic_bytes);
  plan.reasons = reasons_of(plan, search.budget());
  set_host_ledger(device_limits, options, plan);
  return plan;
}

}  // namespace convoy::inline v0
