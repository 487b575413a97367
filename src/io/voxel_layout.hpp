// Where the voxels of uncompressed files lie.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "convoy/io.hpp"
#include "io/sample.hpp"

namespace convoy::io {

/// Sample of voxel z, y, x of an image: at plane_offset(image, z) + y * strides[1] + x * strides[2]. Offsets and
/// strides are bytes.
struct VoxelLayout {
  Sample sample = Sample::f32;
  bool big_endian = false;
  Index num_channels = 1;
  std::uint64_t offset = 0;
  std::uint64_t time_stride = 0;
  std::uint64_t channel_stride = 0;
  std::array<std::uint64_t, 3> strides{};  ///< z, y, x
  /// Where planes lie anyhow: the offset of each, images one behind the other, instead of the strides of time, channel
  /// and z.
  std::vector<std::uint64_t> planes;
  Index planes_per_image = 1;

  std::uint64_t plane_offset(Index image, Index z) const {
    if (!planes.empty()) return planes[static_cast<std::size_t>(image * planes_per_image + z)];
    const auto time = static_cast<std::uint64_t>(image / num_channels);
    const auto channel = static_cast<std::uint64_t>(image % num_channels);
    return offset + time * time_stride + channel * channel_stride + static_cast<std::uint64_t>(z) * strides[0];
  }
};

/// Strides of rows and planes without gaps. Planes, channels and time points follow one another.
inline VoxelLayout dense_layout(const Shape& shape, Sample sample, Index num_channels, std::uint64_t offset) {
  VoxelLayout layout;
  layout.sample = sample;
  layout.num_channels = num_channels;
  layout.offset = offset;
  layout.strides[2] = size_of(sample);
  layout.strides[1] = layout.strides[2] * static_cast<std::uint64_t>(shape.x);
  layout.strides[0] = layout.strides[1] * static_cast<std::uint64_t>(shape.y);
  layout.channel_stride = layout.strides[0] * static_cast<std::uint64_t>(shape.z);
  layout.time_stride = layout.channel_stride * static_cast<std::uint64_t>(num_channels);
  return layout;
}

}  // namespace convoy::io
