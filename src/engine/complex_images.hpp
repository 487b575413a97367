// Complex images and kernels as pairs of real ones.
#pragma once

#include <vector>

#include "convoy/convolution.hpp"
#include "engine/voxel_sums.hpp"

namespace convoy::inline v0 {

/// Parts of a complex kernel as it is convolved with: conjugated where the operation is a correlation.
struct KernelParts {
  std::vector<double> real;
  std::vector<double> imaginary;
  double factor = 1;  ///< magnitude of what they were multiplied with

  bool is_real() const;
};

/// With the spec's normalisation, which is by the complex sum. `spec` is then one for either part, its origin resolved.
/// Throws Error(invalid_argument) as resolve_spec() does.
KernelParts parts_of_kernel(ConvolutionSpec& spec, const ImageView& kernel);

/// Which elements an output of image and kernel may have: throws Error(invalid_argument), or Error(unsupported) for
/// what complex images are not convolved with.
void require_kinds(const ConvolutionSpec& spec, Element image, bool complex_kernel, Element output);

/// Adds `sign` times the voxels of `more` to those of `sums`, both real and of one shape.
OutputSums add_voxels(double sign, const ImageView& more, const MutableImageView& sums);
void set_zero(const MutableImageView& image);

/// Adds what another run of the same image did; flux stays that of the first.
void add_run(RunReport more, RunReport& report);

}  // namespace convoy::inline v0
