#include "synthetic/psf.hpp"

#include <fmt/format.h>

#include <numeric>
#include <span>

#include "convoy/error.hpp"

namespace convoy::inline v0 {
namespace {

template <class T>
void normalize_voxels(const MutableImageView& psf) {
  const std::span voxels(static_cast<T*>(psf.data), static_cast<std::size_t>(num_voxels(psf.shape)));
  const double sum = std::accumulate(voxels.begin(), voxels.end(), 0.0);
  for (T& voxel : voxels) voxel = static_cast<T>(voxel / sum);
}

}  // namespace

void require_float_psf(const MutableImageView& psf) {
  num_voxels(psf.shape);
  if (!psf.is_dense()) {
    throw Error(Errc::invalid_argument, "a PSF is made in an array without gaps (strides); copy it from one");
  }
  if (psf.element == Element::f32 || psf.element == Element::f64) return;
  throw Error(Errc::invalid_argument,
              fmt::format("a PSF of sum 1 needs voxels of f32 or f64, not {}", name(psf.element)));
}

void normalize_sum(const MutableImageView& psf) {
  if (psf.element == Element::f32) {
    normalize_voxels<float>(psf);
  } else {
    normalize_voxels<double>(psf);
  }
}

}  // namespace convoy::inline v0
