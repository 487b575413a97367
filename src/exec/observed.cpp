#include "exec/observed.hpp"

#include <algorithm>

#include "common/voxel_rows.hpp"
#include "common/worker_pool.hpp"
#include "exec/tile_axes.hpp"
#include "plan/boundary_map.hpp"

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

/// Linear filters and those who check against scikit-image want the data as they are.
bool keeps_negative_data(const DeconvolutionSpec& spec) {
  return spec.algorithm == Algorithm::wiener || spec.compatibility == Compatibility::skimage;
}

template <class T>
void count(T value, Index voxel, Kind kind, bool keeps_negative, ObservedCounts& counts) {
  switch (kind) {
    case Kind::datum:
      counts.sum += static_cast<double>(value);
      ++counts.data;
      break;
    case Kind::negative:
      if (keeps_negative) counts.sum += static_cast<double>(value);
      ++counts.data;
      ++counts.negative;
      counts.negative_sum += static_cast<double>(value);
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

}  // namespace

ObservedCounts inspect(const DeconvolutionSpec& spec, const ImageView& image, const std::optional<ImageView>& mask) {
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
          count(values[i], i, kind_of(values[i], masked(i), spec.saturation), keeps_negative,
                parts[static_cast<std::size_t>(part)]);
        }
      }
    });
  });
  ObservedCounts total = no_counts();
  for (const ObservedCounts& part : parts) add(part, total);
  if (keeps_negative) total.negative = 0;  // none is changed
  if (keeps_negative) total.negative_sum = 0;
  return total;
}

template <class Real>
void write_observed(const DeconvolutionPlan& plan, const Plan& layout, const ImageView& image,
                    const std::optional<ImageView>& mask, Real* port) {
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
          *to++ = kind == Kind::datum || (kind == Kind::negative && keeps_negative) ? static_cast<Real>(values[voxel])
                  : kind == Kind::negative                                          ? Real(0)
                                                                                    : static_cast<Real>(kNoDatum);
        }
      }
    });
  });
}

template void write_observed(const DeconvolutionPlan&, const Plan&, const ImageView&, const std::optional<ImageView>&,
                             float*);
template void write_observed(const DeconvolutionPlan&, const Plan&, const ImageView&, const std::optional<ImageView>&,
                             double*);

}  // namespace convoy
