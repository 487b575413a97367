// The options that say how to deconvolve, common to `deconvolve` and `plan`.
#pragma once

#include <optional>

#include "cli/convolution_options.hpp"
#include "cli/image_list.hpp"
#include "convoy/deconvolution.hpp"

namespace convoy::cli {

struct DeconvolutionOptions {
  ConvolutionOptions common;
  DeconvolutionSpec choices;  ///< all but the shapes and what `common` has
  Shape core{0, 0, 0};        ///< of fast tiles; 0: as they fit
  std::string scratch;        ///< a folder or a new file; empty: none

  void add_to(CLI::App& command);
  /// Of these, the ones that say how to deconvolve: without what `common` has, without --nan and --region.
  void add_method_to(CLI::App& command);
  /// A usage error for options that contradict one another. Call when the command line is parsed.
  void require_consistent(const CLI::App& command) const;
  DeconvolutionSpec spec(const Shape& image, const Shape& psf) const;
  /// Of files: with their voxel size and number of PSFs.
  DeconvolutionSpec spec_for(const ImageFileReader& image, const ImageList& psfs) const;
  /// The one that was asked for, or the one of the precision.
  Element output_element(const std::optional<Element>& asked) const;
  PlanOptions plan_options() const;

 private:
  bool in_fast_tiles() const { return choices.tiles == Tiles::fast || !common.region.empty(); }
};

}  // namespace convoy::cli
