#include <fmt/format.h>

#include <cmath>

#include "base/voxel_rows.hpp"
#include "convoy/error.hpp"
#include "convoy/synthetic.hpp"
#include "synthetic/psf.hpp"

namespace convoy::inline v0 {
namespace {

std::vector<double> profile(Index size, double sigma, char axis) {
  if (!(sigma >= 0) || !std::isfinite(sigma)) {
    throw Error(Errc::invalid_argument, fmt::format("sigma {} on axis {} is not a width; give 0 or more", sigma, axis));
  }
  std::vector<double> values(static_cast<std::size_t>(size));
  for (Index i = 0; i < size; ++i) {
    const auto distance = static_cast<double>(i - size / 2);
    const double steps = sigma > 0 ? distance / sigma : distance == 0 ? 0.0 : INFINITY;
    values[static_cast<std::size_t>(i)] = std::exp(-0.5 * steps * steps);
  }
  return values;
}

}  // namespace

void fill_gaussian_psf(const MutableImageView& psf, const Position& sigma) {
  require_float_psf(psf);
  const auto along_z = profile(psf.shape.z, sigma.z, 'z');
  const auto along_y = profile(psf.shape.y, sigma.y, 'y');
  const auto along_x = profile(psf.shape.x, sigma.x, 'x');
  with_element(psf.element, [&]<class T>(T) {
    T* voxel = static_cast<T*>(psf.data);
    for (const double at_z : along_z) {
      for (const double at_y : along_y) {
        for (const double at_x : along_x) *voxel++ = static_cast<T>(at_z * at_y * at_x);
      }
    }
  });
  normalize_sum(psf);
}

}  // namespace convoy::inline v0
