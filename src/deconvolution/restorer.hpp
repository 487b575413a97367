// A PSF made ready on a device: restores one image, or one fast tile, after another.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "deconvolution/engine.hpp"
#include "deconvolution/observed_data.hpp"
#include "deconvolution/prepared_psf.hpp"
#include "deconvolution/run_progress.hpp"
#include "deconvolution/scalars.hpp"
#include "engine/voxel_sums.hpp"

namespace convoy::inline v0 {

/// How far the iterations have come.
struct Course {
  Index done = 0;
  StopReason reason = StopReason::iterations;
  double last_change = std::numeric_limits<double>::quiet_NaN();
  double last_divergence = std::numeric_limits<double>::infinity();  ///< of the estimate before the last iteration
  std::vector<IterationSums> curve;                                  ///< in the device's unit
};

/// Outlives neither the options nor the progress that it is made with.
class Restorer {
 public:
  Restorer(const EngineTask& task, double psf_magnitude, const DeconvolverOptions& options, RunProgress& progress);

  const DeconvolutionPlan& plan() const { return plan_; }  ///< of the whole image
  /// All iterations of the box, which is the image or a fast tile; finish() then has the result.
  Course restore(const Observed& observed, const Box& box, const ObservedCounts& counts);
  OutputSums finish(const MutableImageView& output, const OutputScale& scale);
  /// The same into an output's box: planes at a time, where the result lies in a scratch file.
  OutputSums finish(BoxSink& output, const Box& box, const OutputScale& scale);
  /// The divergence of the last estimate comes from one iteration more, whose result is not used.
  void complete_curve(Course& course);
  void check_sentinels() { engine_->check_sentinels(); }
  /// Of several devices, which share each convolution.
  std::vector<DeviceShare> shares() const { return engine_->shares(); }

 private:
  bool wants_curve() const { return options_.curve && !plan_.fast; }
  bool wants_every_sum() const { return wants_curve() || spec_.stop_relative_change > 0 || spec_.stop != Stop::none; }
  bool wants_sums() const { return wants_every_sum() || progress_.is_watched(); }

  void start(const Observed& observed, const Box& box, const ObservedCounts& counts);
  void write_data(const Observed& observed, const Box& box, double unit);
  void write_data_of(const Observed& observed, const Box& box, const DeconvolutionPlan& plan, double unit,
                     Index first_plane, Index first_voxel);
  OutputSums scatter(const Plan& tile, Index first_plane, const MutableImageView& output, const OutputScale& scale);
  Course iterate(double discrepancy);
  std::optional<StopReason> reason_to_stop(const Course& course, double discrepancy) const;
  void iterate_batch(Index batch, Course& course);
  void measure(Course& course);
  std::array<double, kNumQuantities> totals();
  void trace(const std::string& step) const;

  /// Calls function(Real{}) with the plan's precision.
  template <class Function>
  decltype(auto) with_real(const Function& function) const {
    return spec_.precision == Precision::f32 ? function(float{}) : function(double{});
  }
  template <class Real>
  Real* port(PortId id) {
    return reinterpret_cast<Real*>(engine_->port(id));
  }

  DeconvolutionSpec spec_;
  Device device_;
  double psf_magnitude_;
  const DeconvolverOptions& options_;
  RunProgress& progress_;
  DeconvolutionPlan plan_;
  std::unique_ptr<DeconvolutionEngine> engine_;
};

}  // namespace convoy::inline v0
