// Images at any distances as dense ones, for code that goes through voxels one behind the other.
#pragma once

#include "base/private_export.hpp"
#include "convoy/image.hpp"

namespace convoy::inline v0 {

/// Copies voxels of one shape, element and batch from wherever they lie to wherever they belong.
void copy_voxels(const ImageView& from, const MutableImageView& to);

/// The given images where they lie if they are dense and their voxels aligned, else a copy that is. Without data it is
/// the view as it is. Throws OutOfMemory, and what num_voxels() throws.
class CONVOY_PRIVATE DenseView {
 public:
  explicit DenseView(const ImageView& given);

  const ImageView& view() const { return view_; }

 private:
  Image copy_;
  ImageView view_;
};

}  // namespace convoy::inline v0
