// The truth at a few voxels of any problem, and at all voxels of small ones.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "problem.hpp"

namespace convoy::bench {

/// Output positions with what the definition says there: direct sums in double precision.
struct Samples {
  std::vector<Shape> positions;
  std::vector<double> truth;
};

/// Corners, middles of edges and faces, the centre, and random places: about 64 of them.
Samples make_samples(const Problem& problem);
/// The same for an image that lies elsewhere.
Samples make_samples(const ConvolutionSpec& spec, std::span<const float> image, std::span<const float> kernel);

/// |output - truth| / |truth| over the samples, Euclidean; infinity if an output is not finite.
double relative_error(const Samples& samples, const ImageView& output);

struct Verdict {
  double relative_l2 = 0;
  double tolerance = 0;
  std::size_t num_checked = 0;  ///< output voxels that were compared
  bool passed() const { return relative_l2 <= tolerance; }
};

/// Compares with the samples and, if the problem is small and FFTW is there, every voxel with the CPU backend's double
/// precision; the worse counts.
Verdict check_output(const Problem& problem, const Samples& samples, const ImageView& output);

}  // namespace convoy::bench
