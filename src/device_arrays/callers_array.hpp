// An array of the caller as kernels see it: reals at the distances that its strides say, counted from the lowest.
#pragma once

#include <array>
#include <optional>

#include "convoy/image.hpp"
#include "convoy/plan.hpp"
#include "convoy/resident.hpp"
#include "fft/tile_access.hpp"

namespace convoy::inline v0 {

/// `batch` images of the caller at his strides; of complex ones, parts count as images.
class CallersArray {
 public:
  /// Throws Error(unsupported) for what kernels cannot index: more than 2^32 - 1 reals from the first byte to the last,
  /// 2^30 voxels on an axis.
  CallersArray(const char* what, Element element, const Shape& shape, Index batch,
               const std::optional<Strides>& strides = {});

  Element element() const { return part_of(view_.element); }  ///< of a real
  const Shape& shape() const { return view_.shape; }
  Index num_images() const { return view_.batch * parts_; }  ///< of reals
  bool is_dense() const { return view_.is_dense(); }
  std::uint64_t bytes() const;  ///< from the first to the last, gaps included

  /// Distances in reals, by device axis, without their signs; bit d is set where device axis d descends in memory.
  std::array<Index, 3> strides(const Plan& plan) const;
  Index reversed(const Plan& plan) const;
  /// Where voxel 0,0,0 of an image of reals lies.
  Index origin(Index image) const;

  /// What says where voxels lie.
  TileAccess access(const Plan& plan) const;

 private:
  Index in_reals(Index bytes) const { return bytes / static_cast<Index>(size_of(element())); }

  ImageView view_;  // without data
  Strides strides_;
  Index parts_ = 1;
};

/// From the lowest byte of an array to its first voxel.
std::uint64_t bytes_before(const ImageView& array);
/// Of that byte, in the array's memory. Throws Error(invalid_argument) for a negative one.
std::uint64_t lowest_offset(const char* what, const DeviceArray& array, bool handles_are_addresses);

/// What every run is given, for checks before there is memory.
DeviceArray planned_array(Element element, const Shape& shape, Index batch, const std::optional<Strides>& strides);

}  // namespace convoy::inline v0
