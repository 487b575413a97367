// The options that say how to deconvolve, common to `deconvolve` and `plan`.
#pragma once

#include "cli/convolution_options.hpp"
#include "convoy/deconvolution.hpp"

namespace convoy::cli {

struct DeconvolutionOptions {
  ConvolutionOptions common;
  DeconvolutionSpec choices;  ///< all but the shapes and what `common` has

  void add_to(CLI::App& command);
  /// Of these, the ones that say how to deconvolve: without what `common` has, and without --nan.
  void add_method_to(CLI::App& command);
  /// A usage error for options that contradict one another. Call when the command line is parsed.
  void require_consistent(const CLI::App& command) const;
  DeconvolutionSpec spec(const Shape& image, const Shape& psf) const;
};

}  // namespace convoy::cli
