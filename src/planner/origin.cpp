#include "planner/origin.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <span>

#include "base/dense_view.hpp"
#include "base/voxel_rows.hpp"
#include "convoy/error.hpp"

namespace convoy::inline v0 {
namespace {

Index peak_of_magnitudes(const ImageView& kernel) {
  return with_element(part_of(kernel.element), [&]<class T>(T) -> Index {
    const auto* parts = static_cast<const T*>(kernel.data);
    Index largest = 0;
    double most = -1;
    for (Index i = 0; i < num_voxels(kernel.shape); ++i) {
      const double magnitude =
          std::abs(std::complex(static_cast<double>(parts[2 * i]), static_cast<double>(parts[2 * i + 1])));
      if (!(magnitude > most)) continue;
      most = magnitude;
      largest = i;
    }
    return largest;
  });
}

Index peak(const ImageView& given) {
  const DenseView dense(given);
  const ImageView& kernel = dense.view();
  if (is_complex(kernel.element)) return peak_of_magnitudes(kernel);
  return with_element(kernel.element, [&](auto type) -> Index {
    const std::span voxels(static_cast<const decltype(type)*>(kernel.data),
                           static_cast<std::size_t>(num_voxels(kernel.shape)));
    return std::max_element(voxels.begin(), voxels.end()) - voxels.begin();
  });
}

Shape position(Index voxel, const Shape& shape) {
  return {voxel / shape.x / shape.y, voxel / shape.x % shape.y, voxel % shape.x};
}

}  // namespace

bool has_origin(const ConvolutionSpec& spec) { return spec.mode == Mode::same || spec.mode == Mode::circular; }

Shape resolve_origin(const ConvolutionSpec& spec, const ImageView* kernel) {
  const Shape& k = spec.kernel;
  switch (spec.origin.rule) {
    case Origin::Rule::center:
      return {k.z / 2, k.y / 2, k.x / 2};
    case Origin::Rule::scipy:
      if (spec.operation == Operation::flip) return {k.z / 2, k.y / 2, k.x / 2};
      return {(k.z - 1) / 2, (k.y - 1) / 2, (k.x - 1) / 2};
    case Origin::Rule::first:
      return {0, 0, 0};
    case Origin::Rule::at:
      return spec.origin.index;
    case Origin::Rule::peak:
      break;
  }
  if (kernel == nullptr) {
    throw Error(Errc::invalid_argument,
                "the origin 'peak' is the kernel's largest voxel, so a plan needs the kernel; name the index instead");
  }
  return position(peak(*kernel), kernel->shape);
}

}  // namespace convoy::inline v0
