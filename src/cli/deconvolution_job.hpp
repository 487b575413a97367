// What the output of a deconvolution depends on, for --resume.
#pragma once

#include <string>

#include "convoy/deconvolution_spec.hpp"
#include "convoy/image.hpp"
#include "convoy/io.hpp"

namespace convoy::cli {

/// Beside the image. `core` is that of fast tiles, 0 where they are cut as they fit; `mask_path` may be empty.
JobDescription describe_deconvolution(const DeconvolutionSpec& spec, const Shape& core, const ImageView& psfs,
                                      const std::string& mask_path);

}  // namespace convoy::cli
