// What a deconvolution gave reason to warn of.
#pragma once

#include <string>
#include <vector>

#include "cli/deconvolution_report.hpp"
#include "convoy/deconvolution.hpp"
#include "convoy/image.hpp"

namespace convoy::cli {

/// One line each, of one PSF as it was found. `origin_is_peak`: it was looked for.
std::vector<std::string> psf_warnings(const ImageView& psf, const PsfReport& met, const DeconvolutionSpec& spec,
                                      bool origin_is_peak);

/// One line each: offsets that are taken for light, and voxels that were clipped or replaced.
std::vector<std::string> restoration_warnings(const DeconvolveRecord& record);

}  // namespace convoy::cli
