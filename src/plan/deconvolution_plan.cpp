#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "convoy/deconvolution.hpp"
#include "convoy/error.hpp"
#include "plan/frame.hpp"
#include "plan/ledger.hpp"
#include "plan/origin.hpp"
#include "plan/reduction.hpp"
#include "plan/search.hpp"

namespace convoy {
namespace {

using FrameOptions = std::array<std::vector<FrameOption>, 3>;
using FrameChoice = std::array<const FrameOption*, 3>;

struct Candidate {
  FrameChoice axes{};
  TileLayout layout;
  std::vector<LedgerLine> ledger;
  std::uint64_t footprint_bytes = 0;
  std::optional<BrokenCeiling> broken_ceiling;
  double traffic_bytes = 0;
  double seconds = 0;
};

Shape origin_of(const DeconvolutionSpec& spec) {
  ConvolutionSpec blur;
  blur.image = spec.image;
  blur.kernel = spec.psf;
  blur.origin = spec.origin;
  return resolve_origin(blur, nullptr);
}

void require_plannable(const DeconvolutionSpec& spec, const Limits& limits) {
  validate(spec);
  if (spec.precision == Precision::f64 && !limits.supports_f64) {
    throw Error(Errc::unsupported, "this device has no double precision; compute in f32 or use the CPU");
  }
}

FrameOptions options_of_axes(const DeconvolutionSpec& spec, const Limits& limits) {
  FrameOptions options;
  const Shape origin = origin_of(spec);
  bool contiguous = true;
  for (int axis = 2; axis >= 0; --axis) {
    const TransformLengths lengths(limits, spec.precision, contiguous, longest_frame(spec, axis));
    options[static_cast<std::size_t>(axis)] = frame_options(spec, origin, axis, lengths);
    if (options[static_cast<std::size_t>(axis)].empty()) {
      throw Error(
          Errc::unsupported,
          fmt::format("axis {}: restoring {} voxels with a PSF of {} at once needs a longer transform than this "
                      "device's longest there, {}; crop the PSF or use the CPU",
                      axis_name(axis), spec.image[axis], spec.psf[axis], lengths.longest()));
    }
    if (options[static_cast<std::size_t>(axis)].front().convolution.padded > 1) contiguous = false;
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
        options_(options_of_axes(spec, limits)) {}

  /// The fastest that fits; with Tune::off the smallest.
  Candidate best() const {
    std::optional<Candidate> best;
    std::optional<Candidate> smallest;
    for (const FrameOption& z : options_[0]) {
      for (const FrameOption& y : options_[1]) {
        for (const FrameOption& x : options_[2]) {
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
    candidate.layout = allowed_layout({&axes[0]->convolution, &axes[1]->convolution, &axes[2]->convolution},
                                      spec_.precision, limits_, plan_options_, tuning_);
    candidate.ledger = ledger(candidate);
    for (const LedgerLine& line : candidate.ledger) {
      candidate.footprint_bytes = saturating_sum(candidate.footprint_bytes, line.bytes);
    }
    candidate.broken_ceiling = broken_ceiling(candidate.layout, limits_);

    // Ratio: data, and the image twice. Update: weights, image and estimate, and the two of them again.
    const TileCost convolution = costs_.tile(candidate.layout, 0);
    const double pointwise_bytes =
        static_cast<double>(window_bytes(candidate)) + 7 * static_cast<double>(image_bytes(candidate.layout));
    candidate.traffic_bytes = 2 * convolution.traffic_bytes + pointwise_bytes;
    candidate.seconds = 2 * convolution.compute_seconds + costs_.streaming_seconds(pointwise_bytes);
    return candidate;
  }

  std::uint64_t window_bytes(const Candidate& candidate) const {
    std::uint64_t bytes = real_bytes(spec_.precision);
    for (const FrameOption* axis : candidate.axes) {
      bytes = saturating_product(bytes, static_cast<std::uint64_t>(axis->frame.window));
    }
    return bytes;
  }

  std::vector<LedgerLine> ledger(const Candidate& candidate) const {
    const TileLayout& layout = candidate.layout;
    std::array<Index, 3> window{};
    for (int d = 0; d < 3; ++d) {
      window[static_cast<std::size_t>(d)] =
          candidate.axes[static_cast<std::size_t>(layout.device_axes[static_cast<std::size_t>(d)])]->frame.window;
    }
    const char* const real = name(spec_.precision);
    const std::string frame = device_shape(layout, layout.extent, real);
    const Index voxels = static_cast<Index>(image_bytes(layout) / real_bytes(spec_.precision));
    const Index sums = kNumQuantities * (num_sum_threads(limits_, voxels) + kSumsPerQuantity) + kNumScalars;
    std::vector<LedgerLine> lines{
        {"observed image", window_bytes(candidate), device_shape(layout, window, real)},
        {"estimate", image_bytes(layout), frame},
        {"weights", image_bytes(layout), frame},
        {"sums", real_bytes(spec_.precision) * static_cast<std::uint64_t>(sums), "for likelihood, flux and change"}};
    for (LedgerLine& line : ledger_of(layout, limits_, 1)) {
      if (line.name == "image tile") line = {"work image", line.bytes, frame};
      // Of blurring and its adjoint; the passes of our own share theirs.
      if (line.name == "FFT tables" && layout.path != Path::native) line.bytes = saturating_product(2, line.bytes);
      lines.push_back(line);
    }
    return lines;
  }

  [[noreturn]] void throw_does_not_fit(const Candidate& smallest) const {
    const std::string task = fmt::format("deconvolving image {} zyx with PSF {} zyx (edges {})", to_text(spec_.image),
                                         to_text(spec_.psf), name(spec_.edges));
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
  FrameOptions options_;
};

ConvolutionSpec convolution_of(const DeconvolutionSpec& spec, const Shape& frame) {
  ConvolutionSpec convolution;
  convolution.image = frame;
  convolution.kernel = spec.psf;
  convolution.mode = spec.edges == Edges::reflect ? Mode::circular : Mode::same;
  convolution.origin = Origin::at(origin_of(spec));
  convolution.precision = spec.precision;
  convolution.normalize_kernel = spec.normalize_psf;
  return convolution;
}

Plan plan_of(const Candidate& chosen, const DeconvolutionPlan& plan, const Limits& limits, const PlanOptions& options) {
  Plan convolution;
  convolution.spec = convolution_of(plan.spec, plan.frame());
  convolution.limits = limits;
  convolution.path = chosen.layout.path;
  for (std::size_t axis = 0; axis < 3; ++axis) convolution.axes[axis] = chosen.axes[axis]->convolution;
  convolution.device_axes = chosen.layout.device_axes;
  convolution.num_transforms = chosen.layout.num_axes;
  convolution.row_pitch = chosen.layout.row_pitch;
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
  if (plan.convolution.path == Path::staged) reasons.push_back("staged: no other path is allowed or possible");
  return reasons;
}

}  // namespace

DeconvolutionPlan make_plan(const DeconvolutionSpec& spec, const Limits& device_limits, const PlanOptions& options) {
  Limits limits = device_limits;
  limits.coalesced_bytes = std::max(limits.coalesced_bytes, options.tuning.coalesced_bytes);
  require_plannable(spec, limits);
  const FrameSearch search(spec, limits, options);
  const Candidate chosen = search.best();

  DeconvolutionPlan plan;
  plan.spec = spec;
  for (std::size_t axis = 0; axis < 3; ++axis) plan.axes[axis] = chosen.axes[axis]->frame;
  plan.convolution = plan_of(chosen, plan, limits, options);
  plan.ledger = chosen.ledger;
  plan.footprint_bytes = chosen.footprint_bytes;
  plan.budget_bytes = search.budget().bytes;
  plan.predicted_seconds = search.costs().predicts() ? chosen.seconds : 0;
  plan.traffic_bytes = whole_bytes(chosen.traffic_bytes);
  plan.reasons = reasons_of(plan, search.budget());
  return plan;
}

}  // namespace convoy
