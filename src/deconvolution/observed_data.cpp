#include "deconvolution/observed_data.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/boundary_rule.hpp"
#include "base/voxel_rows.hpp"
#include "base/worker_pool.hpp"
#include "engine/tile_geometry.hpp"

namespace convoy::inline v0 {
namespace {

/// What kernels/deconvolution_kernels.hpp says.
constexpr double kNoDatum = -1e30;

enum class Kind { datum, negative, masked, non_finite, saturated };

/// Of a fourth difference.
constexpr double kSquaredWeights = 1 + 16 + 36 + 16 + 1;
/// Means of neighbours of which the dim level is found.
constexpr Index kMostMeans = 1 << 20;

/// Squares of the data and of their fourth differences along x.
struct NoiseSums {
  double squares = 0;
  double of_differences = 0;
  double over_means = 0;  // squared differences over the means of their voxels
  Index differences = 0;
  std::vector<double> means;  // of five neighbours, a sample

  void add(const NoiseSums& other) {
    squares += other.squares;
    of_differences += other.of_differences;
    over_means += other.over_means;
    differences += other.differences;
    means.insert(means.end(), other.means.begin(), other.means.end());
  }
  double signal_share(double mean, Index data) const {
    const double variance = squares / static_cast<double>(std::max<Index>(1, data)) - mean * mean;
    if (differences == 0 || !(variance > 0)) return 1;
    const double noise = of_differences / kSquaredWeights / static_cast<double>(differences);
    return std::clamp(1 - noise / variance, 0.0, 1.0);
  }
  double discrepancy(Index data) const {
    if (differences == 0) return 0;
    return over_means / kSquaredWeights / 2 * (static_cast<double>(data) / static_cast<double>(differences));
  }
  double dim_level() {
    if (means.empty()) return 0;
    const auto level = means.begin() + static_cast<std::ptrdiff_t>(means.size() / 20);
    std::nth_element(means.begin(), level, means.end());
    return std::max(0.0, *level);
  }
};

/// What voxels are, with sums for an estimate of their noise.
struct Counted {
  ObservedCounts counts;
  NoiseSums noise;
};

/// The last data of a row, for differences.
class Row {
 public:
  static constexpr Index kReach = 4;

  void begin() { length_ = 0; }
  void skip() { length_ = 0; }
  void push(double value) {
    std::rotate(last_.begin(), last_.begin() + 1, last_.end());
    last_.back() = value;
    ++length_;
  }
  bool has_difference() const { return length_ > kReach; }
  double difference() const { return last_[0] - 4 * last_[1] + 6 * last_[2] - 4 * last_[3] + last_[4]; }
  double mean() const { return (last_[0] + last_[1] + last_[2] + last_[3] + last_[4]) / 5; }

 private:
  std::array<double, kReach + 1> last_{};
  Index length_ = 0;
};

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

void add(const Counted& more, Counted& all) {
  const ObservedCounts& part = more.counts;
  ObservedCounts& total = all.counts;
  all.noise.add(more.noise);
  total.sum += part.sum;
  total.magnitude += part.magnitude;
  total.data += part.data;
  total.non_finite += part.non_finite;
  total.saturated += part.saturated;
  total.negative += part.negative;
  total.negative_sum += part.negative_sum;
  total.first_non_finite = std::min(total.first_non_finite, part.first_non_finite);
}

Counted no_counts() {
  Counted counted;
  counted.counts.first_non_finite = std::numeric_limits<Index>::max();
  return counted;
}

Index step_of_means(const DeconvolutionSpec& spec) { return 1 + num_voxels(spec.image) / kMostMeans; }

void reserve_means(const DeconvolutionSpec& spec, Index voxels, NoiseSums& noise) {
  noise.means.reserve(static_cast<std::size_t>(voxels / step_of_means(spec) + 1));
}

/// Voxels begin to end of dense rows, of which the first is number `first` of the image.
template <class T>
void count_voxels(const DeconvolutionSpec& spec, const T* values, const Masked& masked, Index row, Index begin,
                  Index end, double factor, Index first, Counted& counted) {
  const bool keeps_negative = keeps_negative_data(spec);
  const Index step = step_of_means(spec);
  Row last;
  for (Index i = std::max(begin / row * row, begin - Row::kReach); i < end; ++i) {
    if (i % row == 0) last.begin();
    const double value = factor * static_cast<double>(values[i]);
    const Kind kind = kind_of(values[i], masked(i), spec.saturation);
    const bool is_datum = kind == Kind::datum || kind == Kind::negative;
    if (is_datum) {
      last.push(value);
    } else {
      last.skip();
    }
    if (i < begin) continue;
    count(value, first + i, kind, keeps_negative, counted.counts);
    if (kind == Kind::datum || (is_datum && keeps_negative)) counted.noise.squares += value * value;
    if (!is_datum || !last.has_difference()) continue;
    const double squared = last.difference() * last.difference();
    counted.noise.of_differences += squared;
    if (last.mean() > 0) counted.noise.over_means += squared / last.mean();
    ++counted.noise.differences;
    if ((first + i) % step == 0) counted.noise.means.push_back(last.mean());
  }
}

/// For each window position on a device axis, the image position that it shows.
std::vector<Index> shown_positions(const DeconvolutionPlan& plan, const Plan& layout, int d) {
  const FrameAxis& axis = plan.axes[static_cast<std::size_t>(layout.device_axes[d])];
  return source_positions(Boundary::reflect, axis.window_begin - axis.image_begin, axis.window, axis.image);
}

/// Adds those of dense planes, of which the first voxel is number `first` of the image.
void count_planes(const DeconvolutionSpec& spec, const ImageView& image, const std::optional<ImageView>& mask,
                  double factor, Index first, Counted& total) {
  // Sums of parts of one size, added up in order: the same on every run.
  constexpr Index kPart = 1 << 16;
  const Index voxels = num_voxels(image.shape);
  std::vector<Counted> parts(static_cast<std::size_t>((voxels + kPart - 1) / kPart), no_counts());
  const Masked masked(mask);
  host_workers().for_each(static_cast<Index>(parts.size()), 1, [&](int, Index begin, Index end) {
    with_element(image.element, [&](auto type) {
      const auto* values = static_cast<const decltype(type)*>(image.data);
      for (Index part = begin; part < end; ++part) {
        Counted& counted = parts[static_cast<std::size_t>(part)];
        reserve_means(spec, kPart, counted.noise);
        count_voxels(spec, values, masked, image.shape.x, part * kPart, std::min(voxels, (part + 1) * kPart), factor,
                     first, counted);
      }
    });
  });
  for (const Counted& part : parts) add(part, total);
}

/// Its sums are in units of 1 / factor.
Counted count_image(const DeconvolutionSpec& spec, const Observed& observed, double factor) {
  const Shape shape = observed.image.shape();
  const Index planes = observed.image.planes_at_once();
  std::vector<std::byte> voxels;
  std::vector<std::byte> mask_voxels;
  Counted total = no_counts();
  reserve_means(spec, num_voxels(shape), total.noise);
  for (Index z = 0; z < shape.z; z += planes) {
    const Box box{{z, 0, 0}, {std::min(planes, shape.z - z), shape.y, shape.x}};
    std::optional<ImageView> mask;
    if (observed.mask != nullptr) mask = observed.mask->read(box, mask_voxels);
    count_planes(spec, observed.image.read(box, voxels), mask, factor, z * shape.y * shape.x, total);
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

std::uint64_t bytes_of_dim_sample(const DeconvolutionSpec& spec) {
  return 2 * sizeof(double) * static_cast<std::uint64_t>(num_voxels(spec.image) / step_of_means(spec) + 1);
}

ObservedCounts inspect(const DeconvolutionSpec& spec, const Observed& observed) {
  Counted counted = count_image(spec, observed, 1);
  double summed_in = 1;
  const auto mean_magnitude = [&] {
    return counted.counts.magnitude / static_cast<double>(std::max<Index>(1, counted.counts.data));
  };
  const bool has_usual_squares = mean_magnitude() > 1e-100 && counted.noise.squares < 1e300;
  if (mean_magnitude() > 0 && !has_usual_squares) {  // voxels near the ends of double precision
    summed_in = std::isfinite(counted.counts.magnitude) ? power_of_two_near(mean_magnitude()) : 0x1p1000;
    counted = {};  // its sample of means is memory
    counted = count_image(spec, observed, 1 / summed_in);
  }
  ObservedCounts total = counted.counts;
  const double voxels = static_cast<double>(std::max<Index>(1, total.data));
  total.signal_share = counted.noise.signal_share(total.sum / voxels, total.data);
  total.dim_level = counted.noise.dim_level() * summed_in;
  total.background = spec.estimate_background ? total.dim_level : spec.background;
  total.unit = power_of_two_near(std::max(mean_magnitude() * summed_in, total.background));
  total.discrepancy = counted.noise.discrepancy(total.data) * (summed_in / total.unit);
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

namespace {

/// The same number for the same place, on every device: the finaliser of MurmurHash3 (A. Appleby, public domain).
double random_sign(Index voxel) {
  auto bits = static_cast<std::uint64_t>(voxel) + 0x9e3779b97f4a7c15U;
  bits = (bits ^ (bits >> 33U)) * 0xff51afd7ed558ccdU;
  bits = (bits ^ (bits >> 33U)) * 0xc4ceb9fe1a85ec53U;
  return ((bits ^ (bits >> 33U)) & 1U) == 0 ? 1 : -1;
}

/// Around the voxel, moved into the row where it would reach beyond; 0 if one of the five is no datum.
template <class T>
double noise_at(const DeconvolutionSpec& spec, const T* row, const Masked& masked, Index first, Index at, double factor,
                Index first_of_part) {
  if (spec.image.x <= Row::kReach) return 0;
  const Index begin = std::clamp<Index>(at - Row::kReach / 2, 0, spec.image.x - Row::kReach - 1);
  Row around;
  for (Index x = begin; x <= begin + Row::kReach; ++x) {
    const Kind kind = kind_of(row[x], masked(first + x), spec.saturation);
    if (kind != Kind::datum && kind != Kind::negative) return 0;
    around.push(factor * static_cast<double>(row[x]));
  }
  return random_sign(first_of_part + first + at) * around.difference() / std::sqrt(kSquaredWeights);
}

}  // namespace

template <class Real>
void write_noise(const DeconvolutionPlan& plan, const Plan& layout, const ImageView& image,
                 const std::optional<ImageView>& mask, double unit, Real* port, Index first) {
  const std::array<std::vector<Index>, 3> shown{shown_positions(plan, layout, 0), shown_positions(plan, layout, 1),
                                                shown_positions(plan, layout, 2)};
  const std::array<Index, 3> stride = device_strides(layout, image.shape);
  const auto rows = static_cast<Index>(shown[1].size());
  const Masked masked(mask);
  host_workers().for_each(rows * static_cast<Index>(shown[2].size()), 16, [&](int, Index begin, Index end) {
    with_element(image.element, [&](auto type) {
      const auto* values = static_cast<const decltype(type)*>(image.data);
      for (Index i = begin; i < end; ++i) {
        const Index at = shown[1][static_cast<std::size_t>(i % rows)] * stride[1] +
                         shown[2][static_cast<std::size_t>(i / rows)] * stride[2];
        Real* to = port + i * static_cast<Index>(shown[0].size());
        for (const Index column : shown[0]) {
          const Index voxel = at + column * stride[0];
          const Index x = voxel % image.shape.x;
          *to++ = static_cast<Real>(noise_at(plan.spec, values + (voxel - x), masked, voxel - x, x, 1 / unit, first));
        }
      }
    });
  });
}

std::vector<WindowPart> window_parts(const DeconvolutionPlan& plan, Index most_planes) {
  const FrameAxis& axis = plan.axes[0];
  const std::vector<Index> shown =
      source_positions(Boundary::reflect, axis.window_begin - axis.image_begin, axis.window, axis.image);
  std::vector<WindowPart> parts;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const bool follows =
        !parts.empty() && parts.back().count < most_planes && shown[i] == parts.back().image + parts.back().count;
    if (follows) {
      ++parts.back().count;
    } else {
      parts.push_back({static_cast<Index>(i), shown[i], 1});
    }
  }
  return parts;
}

DeconvolutionPlan plan_of_part(const DeconvolutionPlan& plan, const WindowPart& part) {
  DeconvolutionPlan of_part = plan;
  of_part.axes[0] = {part.count, 0, part.count, 0, part.count, 0};
  return of_part;
}

template void write_noise(const DeconvolutionPlan&, const Plan&, const ImageView&, const std::optional<ImageView>&,
                          double, float*, Index);
template void write_noise(const DeconvolutionPlan&, const Plan&, const ImageView&, const std::optional<ImageView>&,
                          double, double*, Index);
template void write_observed(const DeconvolutionPlan&, const Plan&, const ImageView&, const std::optional<ImageView>&,
                             double, float*);
template void write_observed(const DeconvolutionPlan&, const Plan&, const ImageView&, const std::optional<ImageView>&,
                             double, double*);

}  // namespace convoy::inline v0
