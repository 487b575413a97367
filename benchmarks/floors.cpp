#include "floors.hpp"

namespace convoy::bench {

double floor_bytes(const std::array<Index, 3>& extent, const std::array<Index, 3>& padded, int num_axes,
                   Precision precision) {
  const double real_bytes = precision == Precision::f32 ? 4 : 8;
  const double h = static_cast<double>(padded[0] / 2 + 1);
  const auto n = [&](int axis) { return static_cast<double>(extent[axis]); };
  const auto p = [&](int axis) { return static_cast<double>(padded[axis]); };
  double complex_values = 1;
  if (num_axes == 2) complex_values = 4 * n(1) + p(1);
  if (num_axes == 3) complex_values = 4 * n(1) * n(2) + 4 * p(1) * n(2) + p(1) * p(2);
  return 2 * real_bytes * n(0) * n(1) * n(2) + 2 * real_bytes * h * complex_values;
}

double floor_bytes(const Plan& plan) {
  std::array<Index, 3> extent{};
  std::array<Index, 3> padded{};
  for (int d = 0; d < 3; ++d) {
    extent[d] = plan.axes[plan.device_axes[d]].extent;
    padded[d] = plan.axes[plan.device_axes[d]].padded;
  }
  const double tiles = static_cast<double>(plan.num_tiles()) * static_cast<double>(plan.spec.batch);
  return tiles * floor_bytes(extent, padded, plan.num_transforms, plan.spec.precision);
}

std::optional<double> reference_floor_bytes(const BenchCase& which, Precision precision) {
  if (!which.reference_padded) return std::nullopt;
  const Shape& n = which.image;
  const Shape& p = *which.reference_padded;
  return floor_bytes({n.x, n.y, n.z}, {p.x, p.y, p.z}, n.z > 1 ? 3 : n.y > 1 ? 2 : 1, precision);
}

double compulsory_bytes(const BenchCase& which) {
  ConvolutionSpec spec;
  spec.image = which.image;
  spec.kernel = which.kernel;
  spec.mode = which.mode;
  const double voxels =
      static_cast<double>(num_voxels(which.image)) + static_cast<double>(num_voxels(output_shape(spec)));
  return static_cast<double>(which.batch) * static_cast<double>(size_of(which.element)) * voxels;
}

}  // namespace convoy::bench
