// With NA rho = n sin(theta) the Debye integral loses its root and becomes smooth over the pupil:
//   integral over 0 <= theta <= alpha of J0(k n r sin theta) exp(i k n z cos theta) sin theta cos theta d theta.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include "base/voxel_rows.hpp"
#include "convoy/error.hpp"
#include "convoy/synthetic.hpp"
#include "synthetic/psf.hpp"

#if defined(__MINGW32__)
extern "C" double __cdecl _j0(double);  // which its math.h hides from standard C++
#endif

namespace convoy::inline v0 {
namespace {

double bessel_j0(double x) {
#if defined(_WIN32)
  return ::_j0(x);
#else
  return ::j0(x);
#endif
}

/// Not std::hypot, which glibc has anew in 2.35: wheels are for 2.34.
double distance(double y, double x) { return std::sqrt(y * y + x * x); }

void require_possible(const WidefieldOptics& optics) {
  const auto require_positive = [](double value, const char* what) {
    if (value > 0 && std::isfinite(value)) return;
    throw Error(Errc::invalid_argument, fmt::format("{} {} is not possible; it must be above 0", what, value));
  };
  require_positive(optics.numerical_aperture, "numerical aperture");
  require_positive(optics.wavelength, "wavelength");
  require_positive(optics.refractive_index, "refractive index");
  require_positive(optics.voxel.z, "voxel size z");
  require_positive(optics.voxel.y, "voxel size y");
  require_positive(optics.voxel.x, "voxel size x");
  require_positive(optics.oversampling, "oversampling");
  if (optics.numerical_aperture >= optics.refractive_index) {
    throw Error(Errc::invalid_argument,
                fmt::format("numerical aperture {} is not possible in a medium of refractive index "
                            "{}; it must be below the index",
                            optics.numerical_aperture, optics.refractive_index));
  }
}

/// Simpson's rule over the pupil: angles and weights, the integrand's sin theta cos theta included.
struct Pupil {
  double wave_number = 0;  // in the medium: k n
  std::vector<double> sines;
  std::vector<double> cosines;
  std::vector<double> weights;
};

Pupil make_pupil(const WidefieldOptics& optics, double largest_distance) {
  Pupil pupil;
  pupil.wave_number = 2 * std::numbers::pi * optics.refractive_index / optics.wavelength;
  const double alpha = std::asin(optics.numerical_aperture / optics.refractive_index);
  constexpr double kIntervalsPerRadian = 8 / std::numbers::pi;
  const auto half =
      static_cast<std::size_t>(32 + pupil.wave_number * largest_distance * alpha * kIntervalsPerRadian / 2);
  const std::size_t intervals = 2 * half;
  for (std::size_t i = 0; i <= intervals; ++i) {
    const double theta = alpha * static_cast<double>(i) / static_cast<double>(intervals);
    const double simpson = i == 0 || i == intervals ? 1 : i % 2 == 1 ? 4 : 2;
    pupil.sines.push_back(std::sin(theta));
    pupil.cosines.push_back(std::cos(theta));
    pupil.weights.push_back(simpson * std::sin(theta) * std::cos(theta) / static_cast<double>(3 * intervals));
  }
  return pupil;
}

/// Intensity against radius, one profile for each plane; planes as far below as above focus share one.
class RadialProfiles {
 public:
  RadialProfiles(const WidefieldOptics& optics, Index num_distances, double largest_radius)
      : step_(std::min(optics.voxel.y, optics.voxel.x) / optics.oversampling),
        num_radii_(static_cast<std::size_t>(largest_radius / step_) + 2),
        intensities_(static_cast<std::size_t>(num_distances) * num_radii_) {
    const Pupil pupil = make_pupil(optics, largest_radius + static_cast<double>(num_distances - 1) * optics.voxel.z);
    const std::size_t samples = pupil.sines.size();
    std::vector<std::complex<double>> phases;
    for (Index distance = 0; distance < num_distances; ++distance) {
      const double depth = static_cast<double>(distance) * optics.voxel.z;
      for (const double cosine : pupil.cosines) phases.push_back(std::polar(1.0, pupil.wave_number * depth * cosine));
    }
    std::vector<double> bessel(samples);
    for (std::size_t radius = 0; radius < num_radii_; ++radius) {
      const double argument = pupil.wave_number * static_cast<double>(radius) * step_;
      for (std::size_t i = 0; i < samples; ++i) bessel[i] = pupil.weights[i] * bessel_j0(argument * pupil.sines[i]);
      for (std::size_t distance = 0; distance < static_cast<std::size_t>(num_distances); ++distance) {
        std::complex<double> amplitude = 0;
        for (std::size_t i = 0; i < samples; ++i) amplitude += bessel[i] * phases[distance * samples + i];
        intensities_[distance * num_radii_ + radius] = std::norm(amplitude);
      }
    }
  }

  double at(Index distance, double radius) const {
    const double place = radius / step_;
    const auto below = std::min(static_cast<std::size_t>(place), num_radii_ - 2);
    const double* profile = intensities_.data() + static_cast<std::size_t>(distance) * num_radii_;
    return std::lerp(profile[below], profile[below + 1], place - static_cast<double>(below));
  }

 private:
  double step_;
  std::size_t num_radii_;
  std::vector<double> intensities_;
};

}  // namespace

void fill_widefield_psf(const MutableImageView& psf, const WidefieldOptics& optics) {
  require_float_psf(psf);
  require_possible(optics);
  const Shape& k = psf.shape;
  const auto distance_y = [&](Index y) { return static_cast<double>(y - k.y / 2) * optics.voxel.y; };
  const auto distance_x = [&](Index x) { return static_cast<double>(x - k.x / 2) * optics.voxel.x; };
  const RadialProfiles profiles(optics, k.z / 2 + 1, distance(distance_y(0), distance_x(0)));
  with_element(psf.element, [&]<class T>(T) {
    T* voxel = static_cast<T*>(psf.data);
    for (Index z = 0; z < k.z; ++z) {
      for (Index y = 0; y < k.y; ++y) {
        for (Index x = 0; x < k.x; ++x) {
          *voxel++ = static_cast<T>(profiles.at(std::abs(z - k.z / 2), distance(distance_y(y), distance_x(x))));
        }
      }
    }
  });
  normalize_sum(psf);
}

}  // namespace convoy::inline v0
