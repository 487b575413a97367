// The steps of a deconvolution's program, with the sizes and places of frame, window and image.
#pragma once

#include "convoy/deconvolution.hpp"
#include "program/filter_setup.hpp"

namespace convoy::inline v0 {

class FrameSteps {
 public:
  explicit FrameSteps(const DeconvolutionPlan& plan);

  const FftGeometry& geometry() const { return geometry_; }
  std::uint64_t reals(Index count) const { return static_cast<std::uint64_t>(count) * geometry_.real_bytes(); }
  std::uint64_t window_bytes() const { return product(window_) * geometry_.real_bytes(); }
  /// Of the first stage of sums.
  Index num_threads() const;
  std::vector<Port> ports() const;

  std::vector<Step> filter_setup(SlotId work, SlotId spectrum) const;
  Upload upload(PortId port, SlotId slot) const { return {transfer(port, slot)}; }
  Download download(PortId port, SlotId slot) const { return {transfer(port, slot)}; }

  /// A kernel over the frame that has the window as parameters.
  Dispatch on_window(const KernelSpec& kernel, std::vector<SlotId> slots,
                     const std::vector<KernelParameter>& more = {}) const;
  /// A kernel over the frame's voxels one by one.
  Dispatch on_elements(const KernelSpec& kernel, std::vector<SlotId> slots,
                       const std::vector<KernelParameter>& more = {}) const;
  /// The first stage of a sum over the frame's voxels.
  Dispatch sum_on_elements(const KernelSpec& kernel, std::vector<SlotId> slots) const;
  Dispatch sum_divergence(std::vector<SlotId> slots) const;
  Dispatch add_up(SlotId partials, SlotId sums, Index num_quantities) const;
  Dispatch acceleration_factor(SlotId products, SlotId scalars) const;
  Dispatch momentum_factor(SlotId scalars) const;
  Dispatch regularize_tv(std::vector<SlotId> slots) const;
  bool shifts_correction() const { return shift_ != Extents{0, 0, 0}; }
  /// By FrameAxis::correction_shift, or by nothing.
  Dispatch shift(SlotId from, SlotId to, bool by_correction) const;
  Dispatch crop(SlotId source, SlotId cropped) const;
  Dispatch remember_response(SlotId spectrum, SlotId response) const;
  Dispatch wiener_filter(SlotId response, SlotId spectrum) const;

 private:
  Extents in_order(Index FrameAxis::*field) const;
  /// All of the port's bytes.
  Transfer transfer(PortId port, SlotId slot) const;
  Dispatch dispatch(const KernelSpec& kernel, std::vector<SlotId> slots) const;
  void append_schedule(Dispatch& step, const Extents& summed) const;

  const DeconvolutionPlan& plan_;
  FftGeometry geometry_;
  Extents frame_;
  Extents window_begin_;
  Extents window_;
  Extents image_begin_;
  Extents image_;
  Extents shift_;
};

}  // namespace convoy::inline v0
