#include "deconvolution/observed_data.hpp"

#include <algorithm>
#include <cmath>

#include "base/boundary_rule.hpp"
#include "base/voxel_rows.hpp"
#include "base/worker_pool.hpp"
#include "engine/tile_geometry.hpp"

namespace convoy {
namespace {

/// What kernels/deconvolution_kernels.hpp says.
constexpr double kNoDatum = -1e30;

enum class Kind { datum, negative, masked, non_finite, saturated };

template <class T>
Kind kind_of(T value, bool masked, double saturation) {
  if (masked) return Kind::masked;
  if (!std::isfinite(static_cast<double>(value))) return Kind::non_finite;
  if (static_cast<double>(value) >= saturation) return Kind::saturated;
  return static_cast<double>(value) < 0 ? Kind::negative : Kind::datum;
}

/// A mask, or none, that can be asked voxel by voxel.
class Masked {
 public:
  explicit Masked(const std::optional<ImageView>& mask) : mask_(mask) {}
  bool operator()(Index voxel) const {
    if (!mask_) return false;
    return with_element(mask_->element, [&](auto type) {
      return static_cast<const decltype(type)*>(mask_->data)[voxel] == decltype(type){0};
    });
  }

 private:
  const std::optional<ImageView>& mask_;
};

/// `value` is in the unit in which sums are wanted.
void count(double value, Index voxel, Kind kind, bool keeps_negative, ObservedCounts& counts) {
  switch (kind) {
    case Kind::datum:
      counts.sum += value;
      counts.magnitude += value;
      ++counts.data;
      break;
    case Kind::negative:
      if (keeps_negative) counts.sum += value;
      if (keeps_negative) counts.magnitude -= value;
      ++counts.data;
      ++counts.negative;
      counts.negative_sum += value;
      break;
    case Kind::non_finite:
      counts.first_non_finite = std::min(counts.first_non_finite, voxel);
      ++counts.non_finite;
      break;
    case Kind::saturated:
      ++counts.saturated;
      break;
    case Kind::masked:
      break;
  }
}

void add(const ObservedCounts& part, ObservedCounts& total) {
  total.sum += part.sum;
  total.magnitude += part.magnitude;
  total.data += part.data;
  total.non_finite += part.non_finite;
  total.saturated += part.saturated;
  total.negative += part.negative;
  total.negative_sum += part.negative_sum;
  total.first_non_finite = std::min(total.first_non_finite, part.first_non_finite);
}

ObservedCounts no_counts() {
  ObservedCounts counts;
  counts.first_non_finite = std::numeric_limits<Index>::max();
  return counts;
}

/// For each window position on a device axis, the image position that it shows.
std::vector<Index> shown_positions(const DeconvolutionPlan& plan, const Plan& layout, int d) {
  const FrameAxis& axis = plan.axes[static_cast<std::size_t>(layout.device_axes[d])];
  return source_positions(Boundary::reflect, axis.window_begin - axis.image_begin, axis.window, axis.image);
}

/// Of dense planes, of which the first voxel is number `first` of the image.
ObservedCounts count_planes(const DeconvolutionSpec& spec, const ImageView& image, const std::optional<ImageView>& mask,
                            double factor, Index first) {
  // Sums of parts of one size, added up in order: the same on every run.
  constexpr Index kPart = 1 << 16;
  const Index voxels = num_voxels(image.shape);
  std::vector<ObservedCounts> parts(static_cast<std::size_t>((voxels + kPart - 1) / kPart), no_counts());
  const Masked masked(mask);
  const bool keeps_negative = keeps_negative_data(spec);
  host_workers().for_each(static_cast<Index>(parts.size()), 1, [&](int, Index begin, Index end) {
    with_element(image.element, [&](auto type) {
      const auto* values = static_cast<const decltype(type)*>(image.data);
      for (Index part = begin; part < end; ++part) {
        for (Index i = part * kPart; i < std::min(voxels, (part + 1) * kPart); ++i) {
          const Kind kind = kind_of(values[i], masked(i), spec.saturation);
          count(factor * static_cast<double>(values[i]), first + i, kind, keeps_negative,
                parts[static_cast<std::size_t>(part)]);
        }
      }
    });
  });
  ObservedCounts total = no_counts();
  for (const ObservedCounts& part : parts) add(part, total);
  return total;
}

/// Its sums are in units of 1 / factor.
ObservedCounts count_voxels(const DeconvolutionSpec& spec, const Observed& observed, double factor) {
  const Shape shape = observed.image.shape();
  const Index planes = observed.image.planes_at_once();
  std::vector<std::byte> voxels;
  std::vector<std::byte> mask_voxels;
  ObservedCounts total = no_counts();
  for (Index z = 0; z < shape.z; z += planes) {
    const Box box{{z, 0, 0}, {std::min(planes, shape.z - z), shape.y, shape.x}};
    std::optional<ImageView> mask;
    if (observed.mask != nullptr) mask = observed.mask->read(box, mask_voxels);
    add(count_planes(spec, observed.image.read(box, voxels), mask, factor, z * shape.y * shape.x), total);
  }
  return total;
}

/// A power of two near the value; the ends of double precision leave room for its inverse.
double power_of_two_near(double value) {
  return value > 0 ? std::ldexp(1.0, std::clamp(std::ilogb(value), -1000, 1000)) : 1;
}

}  // namespace

bool keeps_negative_data(const DeconvolutionSpec& spec) {
  return spec.algorithm == Algorithm::wiener || spec.compatibility == Compatibility::skimage;
}

ObservedCounts inspect(const DeconvolutionSpec& spec, const Observed& observed) {
  ObservedCounts total = count_voxels(spec, observed, 1);
  double summed_in = 1;
  if (!std::isfinite(total.magnitude)) {  // voxels near the end of double precision
    constexpr double kFactor = 0x1p-100;
    total = count_voxels(spec, observed, kFactor);
    summed_in = 1 / kFactor;
  }
  const double voxels = static_cast<double>(std::max<Index>(1, total.data));
  total.unit = power_of_two_near(std::max(total.magnitude / voxels * summed_in, spec.background));
  total.mean = total.sum / voxels * (summed_in / total.unit);
  total.sum *= summed_in;
  total.magnitude *= summed_in;
  total.negative_sum *= summed_in;
  if (keeps_negative_data(spec)) total.negative = 0;  // none is changed
  if (keeps_negative_data(spec)) total.negative_sum = 0;
  return total;
}

template <class Real>
void write_observed(const DeconvolutionPlan& plan, const Plan& layout, const ImageView& image,
                    const std::optional<ImageView>& mask, double unit, Real* port) {
  const double factor = 1 / unit;
  const auto x = shown_positions(plan, layout, 0);
  const auto y = shown_positions(plan, layout, 1);
  const auto z = shown_positions(plan, layout, 2);
  const std::array<Index, 3> stride = device_strides(layout, image.shape);
  const Index rows = static_cast<Index>(y.size());
  const Masked masked(mask);
  const bool keeps_negative = keeps_negative_data(plan.spec);
  host_workers().for_each(rows * static_cast<Index>(z.size()), 16, [&](int, Index begin, Index end) {
    with_element(image.element, [&](auto type) {
      const auto* values = static_cast<const decltype(type)*>(image.data);
      for (Index i = begin; i < end; ++i) {
        const Index row =
            y[static_cast<std::size_t>(i % rows)] * stride[1] + z[static_cast<std::size_t>(i / rows)] * stride[2];
        Real* to = port + i * static_cast<Index>(x.size());
        for (const Index column : x) {
          const Index voxel = row + column * stride[0];
          const Kind kind = kind_of(values[voxel], masked(voxel), plan.spec.saturation);
          *to++ = kind == Kind::datum || (kind == Kind::negative && keeps_negative)
                      ? static_cast<Real>(factor * static_cast<double>(values[voxel]))
                  : kind == Kind::negative ? Real(0)
                                           : static_cast<Real>(kNoDatum);
        }
      }
    });
  });
}

template void write_observed(const DeconvolutionPlan&, const Plan&, const ImageView&, const std::optional<ImageView>&,
                             double, float*);
template void write_observed(const DeconvolutionPlan&, const Plan&, const ImageView&, const std::optional<ImageView>&,
                             double, double*);

}  // namespace convoy
