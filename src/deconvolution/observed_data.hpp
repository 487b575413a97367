// The observed image as a deconvolution's data: what counts as a datum, where it goes, and in which unit.
//
// Restoring is homogeneous: data c times as large, with their background, give a result c times as large. The device
// computes in units of a power of two near the data's mean, so that nothing overflows or underflows in single precision
// however large or small the image's numbers are, and so that a power of two changes no bit of the result.
#pragma once

#include <optional>

#include "convoy/deconvolution.hpp"
#include "deconvolution/image_boxes.hpp"

namespace convoy::inline v0 {

/// What the image's voxels turned out to be.
struct ObservedCounts {
  double sum = 0;        ///< over the data; infinite where double precision has no such number
  double magnitude = 0;  ///< sum of the magnitudes of the data
  Index data = 0;        ///< voxels that have one
  Index non_finite = 0;  ///< NaN and infinite, not masked
  Index saturated = 0;   ///< not masked
  Index negative = 0;    ///< data below 0, taken as 0
  double negative_sum = 0;
  Index first_non_finite;  ///< linear position, if there is one
  double unit = 1;         ///< of the device's numbers, in the image's: a power of two
  double mean = 0;         ///< of the data, in that unit
  /// Of the data's variance that is not noise: 1 - v_n / v_d, between 0 and 1, v_n the mean square of fourth
  /// differences along x over 70, to which an image that a PSF has smoothed adds little. 1 where rows are too short.
  double signal_share = 1;
  double dim_level = 0;    ///< 5th percentile of means of five neighbours along x, in the image's unit
  double background = 0;   ///< that level, or the spec's; in the image's unit
  double discrepancy = 0;  ///< the I-divergence that noise makes, in `unit`
};

/// An image and its mask, which if given has the image's shape; 0 in it says that there is no datum.
struct Observed {
  const BoxSource& image;
  const BoxSource* mask = nullptr;
};

/// Linear filters and those who check against scikit-image want the data as they are.
bool keeps_negative_data(const DeconvolutionSpec& spec);

/// What inspect() holds beside the boxes that it reads, in which the dim level is found.
std::uint64_t bytes_of_dim_sample(const DeconvolutionSpec& spec);

/// Looks at every voxel; the unit is near the data's mean magnitude, or near the background if that is larger.
ObservedCounts inspect(const DeconvolutionSpec& spec, const Observed& observed);

/// Fills the port, laid out as that of the data, with a sample of each datum's noise: its fourth difference along x
/// over sqrt(70), with a random sign that depends on its place alone. 0 where there is no datum or no difference.
/// `first` is the number of `image`'s first voxel, where that is a part of the whole.
template <class Real>
void write_noise(const DeconvolutionPlan& plan, const Plan& layout, const ImageView& image,
                 const std::optional<ImageView>& mask, double unit, Real* port, Index first = 0);

/// Planes of the window that follow each other, and show planes of the image that do so, too.
struct WindowPart {
  Index window = 0;  ///< the first of them
  Index image = 0;
  Index count = 1;
};
std::vector<WindowPart> window_parts(const DeconvolutionPlan& plan, Index most_planes);
/// The same plan, whose window is such a part of the image and nothing more.
DeconvolutionPlan plan_of_part(const DeconvolutionPlan& plan, const WindowPart& part);

/// Fills the port, laid out as `layout` says, with the window: data in `unit`, those below 0 as 0
/// (Compatibility::skimage and Wiener take them as they are), and -1e30 where there is none. Edges::reflect reads the
/// image by reflection. `Real` is the plan's precision.
template <class Real>
void write_observed(const DeconvolutionPlan& plan, const Plan& layout, const ImageView& image,
                    const std::optional<ImageView>& mask, double unit, Real* port);

}  // namespace convoy::inline v0
