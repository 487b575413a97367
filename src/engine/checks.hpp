// What callers hand in, checked at the door: shapes and memory, and which voxels a convolution's arithmetic can take.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "convoy/image.hpp"
#include "convoy/plan.hpp"
#include "convoy/stream.hpp"
#include "engine/voxel_sums.hpp"

namespace convoy::inline v0 {

struct RunReport;

std::string to_text(const Strides& strides);

/// Each throws Error(invalid_argument).
void require_data(const char* what, const void* data);
void require_shape(const char* what, const Shape& given, const Shape& expected);
/// Data, shape and number of images, and that their voxels are aligned.
void require_images(const char* what, const ImageView& given, const Shape& shape, Index batch);
/// The same, and that no voxels overlap.
void require_writable_images(const char* what, const MutableImageView& given, const Shape& shape, Index batch);
/// As many readers as writers, at least one, of the shapes that the spec says and one element each.
void require_streams(const ImageReaders& images, const ImageWriters& outputs, const ConvolutionSpec& spec);
/// The bytes from the first to the last that images take up, gaps included.
std::span<const std::byte> bytes_of(const ImageView& images);
/// Throws Error(unsupported) for complex voxels.
void require_real(const char* what, Element element);
void require_apart(const ImageView& image, const MutableImageView& output);
/// No voxel is too large (VoxelRules::largest) and, unless the spec takes those as 0, none is NaN or infinite. `met`:
/// of the image.
void require_usable(const ConvolutionSpec& spec, const InputSums& met);
bool is_usable(const ConvolutionSpec& spec, const InputSums& met);

/// `kernel_magnitude`: sum of the magnitudes of the kernel's voxels, as the device is given them. No sum or product in
/// the transforms of voxels up to VoxelRules::largest overflows. Throws Error(invalid_argument) for a boundary constant
/// beyond it.
VoxelRules voxel_rules(const Plan& plan, double kernel_magnitude);

/// The largest finite number of the arithmetic.
double largest_number(Precision precision);

/// The largest error of an output voxel to expect from rounding: transforms spread it over the whole tile.
double rounding_error(Precision precision, double largest_voxel, double kernel_magnitude);

/// What the voxels of a run revealed.
void set_sums(const TileSums& sums, RunReport& report);

}  // namespace convoy::inline v0
