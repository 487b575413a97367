// Test scenes and PSFs by formula: convoy/synthetic.py has their documentation.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <convoy/synthetic.hpp>
#include <optional>
#include <tuple>
#include <vector>

#include "arrays.hpp"
#include "bindings.hpp"
#include "watch.hpp"

namespace convoy::python {
namespace {

using Triple = std::tuple<double, double, double>;

Position position(const Triple& zyx) { return {std::get<0>(zyx), std::get<1>(zyx), std::get<2>(zyx)}; }

MutableImageView view_of(const OutputArray& array) {
  if (array.ndim() != 3) throw nb::value_error("the extension draws in three axes");
  const auto extent = [&](std::size_t axis) { return static_cast<Index>(array.shape(axis)); };
  return host_view(array, {extent(0), extent(1), extent(2)}, 1, "image");
}

void draw_spheres(const OutputArray& array, const std::optional<std::vector<Triple>>& centers,
                  std::optional<double> radius, double value) {
  const MutableImageView image = view_of(array);
  without_gil([&] {
    std::vector<Sphere> spheres = three_spheres(image.shape);
    const double default_radius = spheres.front().radius;
    if (centers) {
      spheres.clear();
      for (const Triple& center : *centers) spheres.push_back({position(center), default_radius});
    }
    for (Sphere& sphere : spheres) {
      sphere.radius = radius.value_or(sphere.radius);
      draw_sphere(image, sphere, value);
    }
  });
}

void fill_widefield(const OutputArray& array, double numerical_aperture, double wavelength, double refractive_index,
                    const Triple& voxel, int oversampling) {
  const MutableImageView psf = view_of(array);
  without_gil([&] {
    fill_widefield_psf(psf, {.numerical_aperture = numerical_aperture,
                             .wavelength = wavelength,
                             .refractive_index = refractive_index,
                             .voxel = position(voxel),
                             .oversampling = oversampling});
  });
}

void fill_gaussian(const OutputArray& array, const Triple& sigma) {
  const MutableImageView psf = view_of(array);
  without_gil([&] { fill_gaussian_psf(psf, position(sigma)); });
}

}  // namespace

void bind_synthetic(nb::module_& module) {
  using namespace nb::literals;
  module.def("draw_spheres", &draw_spheres, "image"_a.noconvert(), "centers"_a.none(), "radius"_a.none(), "value"_a);
  module.def("fill_gaussian_psf", &fill_gaussian, "psf"_a.noconvert(), "sigma"_a);
  module.def("fill_widefield_psf", &fill_widefield, "psf"_a.noconvert(), "numerical_aperture"_a, "wavelength"_a,
             "refractive_index"_a, "voxel"_a, "oversampling"_a);
}

}  // namespace convoy::python
