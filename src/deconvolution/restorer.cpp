#include "deconvolution/restorer.hpp"

#include <algorithm>
#include <numeric>

#include "base/stop_scope.hpp"
#include "deconvolution/program.hpp"

namespace convoy::inline v0 {
namespace {

/// Between two of these the host looks whether to go on; devices shared with a screen allow no longer batches.
constexpr double kBatchSeconds = 0.1;

/// The image as a tile of its own, in the plan's order of axes.
Plan image_tile(const DeconvolutionPlan& plan, const Plan& layout) {
  Plan tile;
  tile.device_axes = layout.device_axes;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    AxisPlan& of = tile.axes[axis];
    of.image = of.output = of.tile_output = of.tile_input = of.extent = plan.axes[axis].image;
    tile.piece_extent = std::max(tile.piece_extent, of.extent);  // in one piece
  }
  return tile;
}

/// How many iterations to queue next: as many as fit between two looks.
Index next_batch(Index remaining, double seconds_of_one) {
  if (seconds_of_one <= 0) return 1;
  return std::clamp<Index>(static_cast<Index>(kBatchSeconds / seconds_of_one), 1, remaining);
}

}  // namespace

Restorer::Restorer(const EngineTask& task, double psf_magnitude, const DeconvolverOptions& options,
                   RunProgress& progress)
    : spec_(task.spec),
      device_(task.devices.front()),
      psf_magnitude_(psf_magnitude),
      options_(options),
      progress_(progress) {
  PlannedEngine made = make_engine(task);
  plan_ = std::move(made.plan);
  engine_ = std::move(made.engine);
}

void Restorer::trace(const std::string& step) const {
  if (options_.trace_memory) options_.trace_memory(step, device_.used_bytes());
}

Course Restorer::restore(const Observed& observed, const Box& box, const ObservedCounts& counts) {
  start(observed, box, counts);
  return iterate(counts.discrepancy);
}

/// Uploads data and scalars.
void Restorer::start(const Observed& observed, const Box& box, const ObservedCounts& counts) {
  write_data(observed, box, counts.unit);
  with_real([&](auto type) {
    using Real = decltype(type);
    const Scalars values = scalars_of(plan_, counts, psf_magnitude_);
    std::transform(values.begin(), values.end(), port<Real>(deconvolution_ports::scalars),
                   [](double value) { return static_cast<Real>(value); });
  });
  engine_->pass(Section::run, 1);
  trace("data and start");
}

void Restorer::write_data(const Observed& observed, const Box& box, double unit) {
  const DeconvolutionPlan& plan = engine_->plan();
  if (!engine_->in_scratch()) {
    write_data_of(observed, box, plan, unit, 0, 0);
    return;
  }
  for (const WindowPart& part : window_parts(plan, observed.image.planes_at_once())) {
    Box planes = box;
    planes.begin.z += part.image;
    planes.size.z = part.count;
    write_data_of(observed, planes, plan_of_part(plan, part), unit, part.window, part.image * box.size.y * box.size.x);
    engine_->release();
  }
}

/// From a plane of the window on.
void Restorer::write_data_of(const Observed& observed, const Box& box, const DeconvolutionPlan& plan, double unit,
                             Index first_plane, Index first_voxel) {
  std::vector<std::byte> voxels;
  std::vector<std::byte> mask_voxels;
  const ImageView image = observed.image.read(box, voxels);
  std::optional<ImageView> mask;
  if (observed.mask != nullptr) mask = observed.mask->read(box, mask_voxels);
  const Index at = first_plane * plan.axes[1].window * plan.axes[2].window;
  with_real([&](auto type) {
    using Real = decltype(type);
    write_observed(plan, engine_->layout(), image, mask, unit, port<Real>(deconvolution_ports::observed) + at);
    if (spec_.stop != Stop::gradient_consensus) return;
    write_noise(plan, engine_->layout(), image, mask, unit, port<Real>(deconvolution_ports::noise) + at, first_voxel);
  });
}

std::array<double, kNumQuantities> Restorer::totals() {
  std::array<double, kNumQuantities> totals{};
  with_real([&](auto type) {
    const auto* sums = port<decltype(type)>(deconvolution_ports::sums);
    for (double& total : totals) {
      total = std::accumulate(sums, sums + kSumsPerQuantity, 0.0);
      sums += kSumsPerQuantity;
    }
  });
  return totals;
}

/// One iteration. Its sums give the divergence and flux of the estimate it began with, and how far the new one is.
void Restorer::measure(Course& course) {
  engine_->pass(Section::measure, 1);
  ++course.done;
  const auto [divergence, flux, total, change] = totals();
  course.last_change = total > 0 ? change / total : 0;
  course.last_divergence = divergence;
  if (!wants_curve()) return;
  if (course.curve.empty()) course.curve.emplace_back();
  course.curve.back().divergence = divergence;
  course.curve.back().modelled_flux = flux;
  course.curve.push_back({course.done, 0, 0, course.last_change});
}

void Restorer::iterate_batch(Index batch, Course& course) {
  const bool measured = wants_sums();
  const Index plain = measured ? batch - 1 : batch;
  if (plain > 0) engine_->pass(Section::iterate, plain);
  course.done += plain;
  if (measured) measure(course);
}

std::optional<StopReason> Restorer::reason_to_stop(const Course& course, double discrepancy) const {
  constexpr double kSettled = 1e-4;
  if (course.last_change < spec_.stop_relative_change) return StopReason::relative_change;
  if (spec_.stop == Stop::gradient_consensus && course.last_change < kSettled) return StopReason::gradient_consensus;
  if (spec_.stop == Stop::discrepancy && course.last_divergence <= discrepancy) return StopReason::discrepancy;
  return std::nullopt;
}

Course Restorer::iterate(double discrepancy) {
  Course course;
  double seconds_of_one = 0;
  while (course.done < spec_.iterations) {
    throw_if_stopped();
    const auto batch_begin = Clock::now();
    const Index batch = wants_every_sum() ? 1 : next_batch(spec_.iterations - course.done, seconds_of_one);
    iterate_batch(batch, course);
    seconds_of_one = seconds_since(batch_begin) / static_cast<double>(batch);
    progress_.advance(batch, course.last_change);
    if (const auto reason = reason_to_stop(course, discrepancy)) {
      course.reason = *reason;
      break;
    }
  }
  progress_.pass_over(spec_.iterations - course.done);
  return course;
}

OutputSums Restorer::scatter(const Plan& tile, Index first_plane, const MutableImageView& output,
                             const OutputScale& scale) {
  return with_real([&](auto type) {
    const auto* values = port<decltype(type)>(deconvolution_ports::output);
    const Index at = first_plane * tile.axes[1].output * tile.axes[2].output;
    return scatter_tile(tile, tile_outputs(tile, {0, 0, 0}), values + at, output, {}, scale);
  });
}

OutputSums Restorer::finish(const MutableImageView& output, const OutputScale& scale) {
  engine_->pass(Section::finish, 1);
  trace("result");
  return scatter(image_tile(engine_->plan(), engine_->layout()), 0, output, scale);
}

OutputSums Restorer::finish(BoxSink& output, const Box& box, const OutputScale& scale) {
  if (!engine_->in_scratch()) {
    const OutputSums sums = finish(output.begin(box), scale);
    output.end(box);
    return sums;
  }
  engine_->pass(Section::finish, 1);
  trace("result");
  const Index plane_bytes = box.size.y * box.size.x * static_cast<Index>(size_of(output.element()));
  const Index planes = std::clamp<Index>(kBytesAtOnce / plane_bytes, 1, box.size.z);
  OutputSums all;
  for (Index z = 0; z < box.size.z; z += planes) {
    Box part = box;
    part.begin.z += z;
    part.size.z = std::min(planes, box.size.z - z);
    DeconvolutionPlan of_part = engine_->plan();
    of_part.axes[0].image = part.size.z;
    const OutputSums sums = scatter(image_tile(of_part, engine_->layout()), z, output.begin(part), scale);
    output.end(part);
    engine_->release();
    all.sum += sums.sum;
    all.saturated += sums.saturated;
  }
  return all;
}

void Restorer::complete_curve(Course& course) {
  if (!wants_curve() || spec_.algorithm == Algorithm::wiener) return;
  engine_->pass(Section::measure, 1);
  const auto sums = totals();
  if (course.curve.empty()) course.curve.emplace_back();
  course.curve.back().divergence = sums[0];
  course.curve.back().modelled_flux = sums[1];
}

}  // namespace convoy::inline v0
