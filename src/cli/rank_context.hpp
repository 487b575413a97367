// What a command does differently on one of several ranks (convoy-mpi).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/deconvolution_report.hpp"
#include "cli/report.hpp"
#include "convoy/deconvolution.hpp"
#include "convoy/device.hpp"
#include "convoy/io.hpp"
#include "convoy/plan.hpp"
#include "convoy/spec.hpp"

namespace convoy::cli {

/// What one process restores.
struct DeconvolutionShare {
  DeconvolutionSpec spec;     ///< with its region, and as many PSFs as it needs
  std::vector<Index> images;  ///< by number, in order
  Index first_psf = 0;        ///< of those in the files
  std::optional<Shape> core;  ///< of the fast tiles that several processes share
};

/// A process that convolves or restores: alone here; one of several that share an output in what is derived from it.
class RankContext {
 public:
  virtual ~RankContext() = default;
  /// Whether this process prints and writes the report: the root of an MPI job, or the only process.
  virtual bool is_root() const { return true; }
  /// Of --devices where neither that nor --backend is given; empty: as --backend's default says.
  virtual std::string usual_devices() const { return ""; }
  /// Those of the chosen devices that it uses.
  virtual std::vector<Device> own_devices(std::vector<Device> chosen) { return chosen; }
  /// What it computes of the whole; nothing if there is no work for it.
  virtual std::optional<ConvolutionSpec> own_part(const ConvolutionSpec& whole) { return whole; }
  /// What it restores of so many images; nothing if there is no work for it. `options` makes those of a plan.
  virtual std::optional<DeconvolutionShare> own_share(const DeconvolutionSpec& whole, Index num_images,
                                                      const std::function<PlanOptions()>& options,
                                                      const std::vector<Device>& on);
  /// The output, whose images have `shape`: of each the part that it computes.
  virtual std::unique_ptr<ImageFileWriter> create(const std::string& path, const Shape& shape, Element element,
                                                  const ImageMetadata& metadata, const CreateOptions& options) {
    return create_image(path, shape, element, metadata, options);
  }
  /// Lowers the limits to its share of what others on this machine use, too.
  virtual void limit(PlanOptions& options, const std::vector<Device>& on) {
    static_cast<void>(options);
    static_cast<void>(on);
  }
  /// Called when the output is complete: sends its own part to the root, or adds theirs to the record.
  virtual void share(ConvolveRecord& record) { static_cast<void>(record); }
  virtual void share(DeconvolveRecord& record) { static_cast<void>(record); }
};

inline std::optional<DeconvolutionShare> RankContext::own_share(const DeconvolutionSpec& whole, Index num_images,
                                                                const std::function<PlanOptions()>&,
                                                                const std::vector<Device>&) {
  DeconvolutionShare all{whole, {}, 0, {}};
  for (Index image = 0; image < num_images; ++image) all.images.push_back(image);
  return all;
}

}  // namespace convoy::cli
