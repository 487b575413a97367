#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/dense_view.hpp"
#include "base/voxel_rows.hpp"
#include "convoy/error.hpp"
#include "convoy/psf.hpp"

namespace convoy::inline v0 {
namespace {

/// Integral of the hat function max(0, 1 - |t|) from -infinity to t.
double hat_integral(double t) {
  if (t <= -1) return 0;
  if (t >= 1) return 1;
  return t < 0 ? 0.5 * (1 + t) * (1 + t) : 1 - 0.5 * (1 - t) * (1 - t);
}

/// How the voxels of one axis become others, `step` as large, with the centre on the centre.
class AxisResampling {
 public:
  AxisResampling(Index size, double step, char axis) : size_(size), step_(size == 1 ? 1 : step) {
    if (!(step > 0) || !std::isfinite(step)) {
      throw Error(Errc::invalid_argument,
                  fmt::format("voxels {} as large along {} are none; give a number above 0", step, axis));
    }
    const double reach = std::ceil((static_cast<double>(size / 2) + 1) / step_ - 0.5);
    constexpr double kLongest = 1e9;
    if (reach > kLongest) {
      throw Error(Errc::invalid_argument,
                  fmt::format("a PSF of {} voxels, {} as large along {}, is too long", size, step, axis));
    }
    reach_ = step_ == 1 ? 0 : std::max<Index>(0, static_cast<Index>(reach));
  }

  Index new_size() const { return step_ == 1 ? size_ : 2 * reach_ + 1; }

  /// What voxel `from` gives to the new voxel `to`.
  double weight(Index to, Index from) const {
    if (step_ == 1) return to == from ? 1 : 0;
    const double middle = static_cast<double>(to - reach_) * step_ - static_cast<double>(from - size_ / 2);
    return hat_integral(middle + 0.5 * step_) - hat_integral(middle - 0.5 * step_);
  }

  /// The first and one past the last voxel that give anything to the new voxel.
  std::array<Index, 2> sources(Index to) const {
    if (step_ == 1) return {to, to + 1};
    const double middle = static_cast<double>(to - reach_) * step_ + static_cast<double>(size_ / 2);
    const double half = 0.5 * step_ + 1;
    return {std::clamp<Index>(static_cast<Index>(std::floor(middle - half)), 0, size_),
            std::clamp<Index>(static_cast<Index>(std::ceil(middle + half)) + 1, 0, size_)};
  }

 private:
  Index size_;
  double step_;
  Index reach_ = 0;
};

/// Along the middle one of three axes of `outer`, `size`, `inner` voxels.
std::vector<double> resampled(const std::vector<double>& values, Index outer, Index inner, Index size,
                              const AxisResampling& axis) {
  std::vector<double> result(static_cast<std::size_t>(outer * axis.new_size() * inner), 0.0);
  for (Index i = 0; i < outer; ++i) {
    for (Index to = 0; to < axis.new_size(); ++to) {
      double* row = result.data() + (i * axis.new_size() + to) * inner;
      const auto [begin, end] = axis.sources(to);
      for (Index from = begin; from < end; ++from) {
        const double weight = axis.weight(to, from);
        const double* source = values.data() + (i * size + from) * inner;
        for (Index j = 0; weight != 0 && j < inner; ++j) row[j] += weight * source[j];
      }
    }
  }
  return result;
}

std::vector<double> in_double(const ImageView& image) {
  std::vector<double> values(static_cast<std::size_t>(num_voxels(image.shape)));
  with_element(image.element, [&]<class T>(T) {
    const T* voxel = static_cast<const T*>(image.data);
    for (double& value : values) value = static_cast<double>(*voxel++);
  });
  return values;
}

}  // namespace

Image resample_psf(const ImageView& psf, const std::array<double, 3>& step) {
  const DenseView dense(psf);
  const Shape& shape = psf.shape;
  const std::array<AxisResampling, 3> axes{{{shape.z, step[0], 'z'}, {shape.y, step[1], 'y'}, {shape.x, step[2], 'x'}}};
  const Shape made{axes[0].new_size(), axes[1].new_size(), axes[2].new_size()};
  Image result = make_image(made, psf.element == Element::f64 ? Element::f64 : Element::f32);
  std::vector<double> values = resampled(in_double(dense.view()), 1, shape.y * shape.x, shape.z, axes[0]);
  values = resampled(values, made.z, shape.x, shape.y, axes[1]);
  values = resampled(values, made.z * made.y, 1, shape.x, axes[2]);
  with_element(result.element, [&]<class T>(T) {
    std::ranges::transform(values, reinterpret_cast<T*>(result.bytes.data()),
                           [](double value) { return static_cast<T>(value); });
  });
  return result;
}

}  // namespace convoy::inline v0
