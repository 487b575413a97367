// Test scenes and point spread functions (PSFs) by formula. Positions and distances are z, y, x.
#pragma once

#include <vector>

#include "convoy/export.h"
#include "convoy/image.hpp"
#include "convoy/shape.hpp"

namespace convoy::inline v0 {

/// A place or a distance; voxels unless said otherwise.
struct Position {
  double z = 0;
  double y = 0;
  double x = 0;
};

struct Sphere {
  Position center;
  double radius = 0;
};

/// Sets every voxel whose centre is at most `radius` from the sphere's centre to `value`; the others stay. Spheres may
/// reach beyond the image. For an image that is drawn in pieces, `image` is one of them and `begin` its first voxel.
/// Throws Error(invalid_argument) if the element cannot hold the value or the radius is negative.
CONVOY_API void draw_sphere(const MutableImageView& image, const Sphere& sphere, double value,
                            const Shape& begin = {0, 0, 0});

/// Three spheres that all reach beyond an image of this size: one over the first y, one over the first z, one over the
/// last z, y and x. Radius 50 for 128x512x512, and in proportion to x otherwise.
CONVOY_API std::vector<Sphere> three_spheres(const Shape& size);

/// A Gaussian of sum 1 around floor(k/2); sigma in voxels, 0 for a single plane, row or column of that axis.
/// `psf` must be f32 or f64, and dense. Throws Error(invalid_argument) otherwise, and for a negative or infinite sigma.
CONVOY_API void fill_gaussian_psf(const MutableImageView& psf, const Position& sigma);

/// A widefield microscope without aberrations. All lengths in one unit, say micrometres.
struct WidefieldOptics {
  double numerical_aperture = 1.2;
  double wavelength = 0.52;  ///< in vacuum, of the light that is detected
  double refractive_index = 1.33;
  Position voxel{0.3, 0.1, 0.1};
  int oversampling = 10;  ///< of the radial profile between voxels; it is interpolated linearly
};

/// The scalar Debye integral for a circular pupil, of sum 1 around floor(k/2):
///   h(r, z) = | integral over 0 <= rho <= 1 of J0(k NA r rho) exp(i k z sqrt(n^2 - NA^2 rho^2)) rho d rho |^2,
/// k = 2 pi / wavelength. In focus it is Airy's pattern, dark at r = 0.61 wavelength / NA. It is sampled at voxel
/// centres. Source: M. Born and E. Wolf, Principles of Optics, 8.8; M. Gu, Advanced Optical Imaging Theory, 3.2. `psf`
/// must be f32 or f64, and dense. Throws Error(invalid_argument) otherwise, and for optics that cannot be.
CONVOY_API void fill_widefield_psf(const MutableImageView& psf, const WidefieldOptics& optics);

}  // namespace convoy::inline v0
