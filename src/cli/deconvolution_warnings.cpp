#include "cli/deconvolution_warnings.hpp"

#include <fmt/format.h>

#include "cli/kernel_check.hpp"

namespace convoy::cli {
namespace {

/// What a camera adds to every voxel would be taken for light, and sharpened to speckles.
std::optional<std::string> offset_warning(const DeconvolveRecord& record) {
  constexpr double kVisible = 0.25;
  const DeconvolutionReport& run = record.run;
  const DeconvolutionSpec& spec = record.plan.spec;
  if (spec.compatibility != Compatibility::none || spec.estimate_background || spec.background > 0) return {};
  const auto voxels = static_cast<double>(record.num_images * num_voxels(spec.image) - run.missing_voxels);
  const double mean = voxels > 0 ? run.input_sum / voxels : 0;
  if (!(mean > 0) || run.dim_level < kVisible * mean) return {};
  return fmt::format(
      "even dim voxels of the image are at {:.4g}, {:.0f} % of its mean: if that is a camera's offset or background, "
      "it is now taken for light; give it (--background {:.3g}) or have it estimated (--background auto)",
      run.dim_level, 100 * run.dim_level / mean, run.dim_level);
}

}  // namespace

std::vector<std::string> psf_warnings(const ImageView& psf, const PsfReport& met, const DeconvolutionSpec& spec,
                                      bool origin_is_peak) {
  constexpr double kPedestal = 0.25;
  if (spec.compatibility == Compatibility::skimage) {  // which takes negative voxels as they are
    return kernel_warnings(psf, spec.origin.index);
  }
  std::vector<std::string> warnings;
  if (!origin_is_peak) {
    if (const auto text = origin_warning("PSF", psf, spec.origin.index)) warnings.push_back(*text);
  }
  if (met.negative_voxels > 0) {
    warnings.push_back(fmt::format(
        "the PSF has {} negative {}, whose sum is {:.2g} % of the others'; they are taken as 0: if too much background "
        "was subtracted, subtract less (--psf-negative error refuses them)",
        met.negative_voxels, met.negative_voxels == 1 ? "voxel" : "voxels", 100 * met.negative_part));
  }
  if (met.pedestal_part >= kPedestal) {
    warnings.push_back(fmt::format(
        "{:.0f} % of the PSF's sum is a constant as high as its border: if that is camera background, subtract it from "
        "the PSF; if the PSF is cut off before it has fallen, take a larger one",
        100 * met.pedestal_part));
  }
  return warnings;
}

std::vector<std::string> restoration_warnings(const DeconvolveRecord& record) {
  const DeconvolutionReport& run = record.run;
  constexpr double kRoundingErrors = 1e-5;  // those of a convolution leave less
  std::vector<std::string> warnings;
  if (run.negative_voxels > 0 && run.negative_sum < -kRoundingErrors * run.input_sum) {
    warnings.push_back(fmt::format("{} negative image voxels are taken as 0", run.negative_voxels));
  }
  if (const auto text = offset_warning(record)) warnings.push_back(*text);
  if (run.non_finite_voxels > 0) {
    warnings.push_back(fmt::format("{} NaN or infinite image voxels are taken as missing", run.non_finite_voxels));
  }
  if (run.saturated_voxels > 0) {
    const bool is_f32 = record.output_element == Element::f32;
    warnings.push_back(fmt::format("{} output voxels are clipped to the range of {}; --dtype {} keeps them",
                                   run.saturated_voxels, name(record.output_element), is_f32 ? "f64" : "f32"));
  }
  return warnings;
}

}  // namespace convoy::cli
