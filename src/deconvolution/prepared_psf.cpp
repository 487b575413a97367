#include "deconvolution/prepared_psf.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/refuse.hpp"
#include "base/voxel_rows.hpp"
#include "deconvolution/program.hpp"
#include "deconvolution/spec.hpp"
#include "engine/filter.hpp"

namespace convoy::inline v0 {
namespace {

/// Calls body(value, z, y, x) for each voxel.
template <class Body>
void for_each_voxel(const ImageView& image, const Body& body) {
  with_element(image.element, [&](auto type) {
    const auto* voxel = static_cast<const decltype(type)*>(image.data);
    for (Index z = 0; z < image.shape.z; ++z) {
      for (Index y = 0; y < image.shape.y; ++y) {
        for (Index x = 0; x < image.shape.x; ++x) body(static_cast<double>(*voxel++), z, y, x);
      }
    }
  });
}

/// Sums are in units of `unit`, a power of two, so that none overflows.
struct PsfSums {
  double unit = 1;
  double positive = 0;
  double negative = 0;  // below 0
  double reaching = 0;  // of magnitudes of what light may take from one voxel of the frame to another
  Index num_negative = 0;
  Shape first_negative;
};

/// 1, unless the largest voxel is near the ends of double precision.
double unit_of(const ImageView& psf) {
  double largest = 0;
  for_each_voxel(psf, [&](double value, Index, Index, Index) { largest = std::max(largest, std::abs(value)); });
  const bool is_usual = largest == 0 || (largest > 1e-200 && largest < 1e200);
  return is_usual ? 1 : std::ldexp(1.0, std::clamp(std::ilogb(largest), -1000, 1000));
}

PsfSums sums_of(const DeconvolutionSpec& spec, const ImageView& psf) {
  const bool keeps_negative = spec.compatibility == Compatibility::skimage;
  const Shape frame{frame_axis(spec, 0).frame, frame_axis(spec, 1).frame, frame_axis(spec, 2).frame};
  const Shape origin = psf_origin(spec);
  const auto reaches = [&](Index at, int axis) {
    return spec.edges != Edges::zero || std::abs(at - origin[axis]) < frame[axis];
  };
  PsfSums sums;
  sums.unit = unit_of(psf);
  for_each_voxel(psf, [&](double value, Index z, Index y, Index x) {
    const double in_unit = value / sums.unit;
    if (value < 0) {
      if (sums.num_negative++ == 0) sums.first_negative = {z, y, x};
      sums.negative += in_unit;
    } else {
      sums.positive += in_unit;
    }
    if ((value > 0 || keeps_negative) && reaches(z, 0) && reaches(y, 1) && reaches(x, 2)) {
      sums.reaching += std::abs(in_unit);
    }
  });
  return sums;
}

void require_usable(const DeconvolutionSpec& spec, const PsfSums& sums) {
  if (sums.num_negative > 0 && spec.psf_negative == NegativePsf::error) {
    const Shape& first = sums.first_negative;
    refuse(fmt::format(
        "the PSF has {} negative voxel(s), the first at z,y,x = {},{},{}, of sum {:.3g} beside {:.3g} of "
        "the others; light cannot be negative: subtract less background from the PSF, or have them "
        "taken as 0 (--psf-negative clip)",
        sums.num_negative, first.z, first.y, first.x, sums.negative * sums.unit, sums.positive * sums.unit));
  }
  if (sums.positive > 0) return;
  refuse(
      sums.num_negative > 0
          ? fmt::format("the PSF's sum is 0 once its {} negative voxels are taken as 0: it has no positive voxel, so "
                        "there is nothing to restore with; subtract less background from it",
                        sums.num_negative)
          : "the PSF's sum is 0: every voxel of it is 0, so there is nothing to restore with; look whether it is the "
            "right file");
}

void require_reach(const DeconvolutionSpec& spec, double reach) {
  if (reach > static_cast<double>(kLeastWeight)) return;
  const Shape origin = psf_origin(spec);
  refuse(
      fmt::format("{} of the PSF's light reaches the image: PSF voxels count that lie less than the image's extent, "
                  "{}, from the PSF's origin, z,y,x = {},{},{}; take another origin (--origin peak or center), crop "
                  "the PSF round its brightest voxel, or let light come from beyond the image (--edges "
                  "noncirculant)",
                  reach > 0 ? fmt::format("only {:.2g} %", 100 * reach) : std::string("nothing"), to_text(spec.image),
                  origin.z, origin.y, origin.x));
}

/// scikit-image takes the PSF as it is, which single precision has room for only up to a magnitude.
void require_usable_by_skimage(double magnitude) {
  constexpr double kHighest = 1e12;
  if (magnitude <= kHighest) return;
  refuse(
      fmt::format("the PSF's voxels add up to {:.3g}, beyond the {:g} that compatibility with scikit-image, which "
                  "does not normalise the PSF, has room for; divide the PSF by its sum",
                  magnitude, kHighest));
}

bool is_on_border(const Shape& shape, const Shape& at) {
  for (int axis = 0; axis < 3; ++axis) {
    if (shape[axis] > 1 && (at[axis] == 0 || at[axis] == shape[axis] - 1)) return true;
  }
  return false;
}

/// A level that four fifths of the border's voxels are not below, times all voxels, over the sum. 0 for PSFs that have
/// little but a border, and for those which hardly rise above it: boxes.
double pedestal_part(const ImageView& psf, const PsfSums& sums) {
  constexpr Index kFewVoxels = 5;
  constexpr Index kMostSamples = 1 << 16;
  const Shape& shape = psf.shape;
  for (int axis = 0; axis < 3; ++axis) {
    if (shape[axis] > 1 && shape[axis] < kFewVoxels) return 0;
  }
  const Index step = 1 + num_voxels(shape) / kMostSamples;
  std::vector<double> border;
  double largest = 0;
  Index seen = 0;
  for_each_voxel(psf, [&](double value, Index z, Index y, Index x) {
    const double in_unit = std::max(0.0, value / sums.unit);
    largest = std::max(largest, in_unit);
    if (is_on_border(shape, {z, y, x}) && seen++ % step == 0) border.push_back(in_unit);
  });
  if (border.empty()) return 0;
  const auto level = border.begin() + static_cast<std::ptrdiff_t>(border.size() / 5);
  std::nth_element(border.begin(), level, border.end());
  if (largest < 2 * *level) return 0;
  return *level * static_cast<double>(num_voxels(shape)) / sums.positive;
}

/// The PSF without negative voxels, in units of `unit`.
ImageView clipped_copy(const ImageView& psf, double unit, std::vector<std::byte>& storage) {
  storage.resize(size_of(psf.element) * static_cast<std::size_t>(num_voxels(psf.shape)));
  with_element(psf.element, [&](auto type) {
    using T = decltype(type);
    const auto* from = static_cast<const T*>(psf.data);
    std::transform(from, from + num_voxels(psf.shape), reinterpret_cast<T*>(storage.data()),
                   [unit](T value) { return value > T{0} ? static_cast<T>(static_cast<double>(value) / unit) : T{0}; });
  });
  return {storage.data(), psf.element, psf.shape};
}

}  // namespace

PreparedPsf prepare_psf(const DeconvolutionSpec& spec, const ImageView& psf) {
  require_finite_filter("PSF", psf);
  const PsfSums sums = sums_of(spec, psf);
  PreparedPsf prepared;
  prepared.view = psf;
  if (spec.compatibility == Compatibility::skimage) {
    const double magnitude_in_unit = sums.positive - sums.negative;
    prepared.magnitude = magnitude_in_unit * sums.unit;
    if (!(magnitude_in_unit > 0)) require_usable(spec, {});
    require_usable_by_skimage(prepared.magnitude);
    require_reach(spec, sums.reaching / magnitude_in_unit);
    return prepared;
  }
  require_usable(spec, sums);
  prepared.reach = std::min(1.0, sums.reaching / sums.positive);
  require_reach(spec, prepared.reach);
  if (!spec.normalize_psf) prepared.sum = std::min(sums.positive * sums.unit, std::numeric_limits<double>::max());
  const bool takes_copy = sums.num_negative > 0 || sums.unit != 1;
  if (takes_copy) prepared.view = clipped_copy(psf, sums.unit, prepared.storage);
  prepared.scale = 1 / sums.positive;
  if (spec.normalize_psf) prepared.report.factor = 1 / sums.positive / sums.unit;
  prepared.report.negative_voxels = sums.num_negative;
  prepared.report.negative_part = -sums.negative / sums.positive;
  prepared.report.pedestal_part = pedestal_part(psf, sums);
  return prepared;
}

}  // namespace convoy::inline v0
