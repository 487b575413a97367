// What runs a deconvolution's program: a device that holds all of it, or the host, whose convolutions go through a
// device in tiles.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "backends/backend.hpp"
#include "convoy/deconvolution.hpp"

namespace convoy::inline v0 {

class DeconvolutionEngine {
 public:
  virtual ~DeconvolutionEngine() = default;
  virtual const DeconvolutionPlan& plan() const = 0;  ///< of what it restores: the image, or a fast tile
  /// The plan that ports are laid out by.
  virtual const Plan& layout() const = 0;
  virtual std::byte* port(PortId port) = 0;
  /// Runs the section so many times over and waits for it.
  virtual void pass(Section section, Index times) = 0;
  /// Whether ports lie in a scratch file, of which release() takes out of memory what was used.
  virtual bool in_scratch() const { return false; }
  virtual void release() {}
  virtual void check_sentinels() = 0;
  /// What several devices did of it; nothing of one.
  virtual std::vector<DeviceShare> shares() const { return {}; }
};

/// What engines are made of. The spec's origin is resolved, the PSF's sum known.
struct EngineTask {
  DeconvolutionSpec spec;
  ImageView psf;
  double psf_sum = 1;           ///< DeconvolutionPlan::psf_sum
  double psf_reach = 1;         ///< DeconvolutionPlan::psf_reach
  double psf_scale = 1;         ///< what makes the device's PSF of `psf`
  std::vector<Device> devices;  ///< one; several share the convolutions of exact tiles
  DeconvolverOptions options;
  std::optional<FastTiling> tiling;  ///< these fast tiles and no others
  std::function<bool()> keep_going;  ///< asked within long passes
};

struct PlannedEngine {
  DeconvolutionPlan plan;  ///< of the whole image
  std::unique_ptr<DeconvolutionEngine> engine;
};

/// Plans for the device as it is, and again for less when it turns out to have less than it said.
PlannedEngine make_engine(const EngineTask& task);

}  // namespace convoy::inline v0
