// Which of the axes time, channel, z, y, x a file's dimensions are.
#pragma once

#include <string>
#include <vector>

#include "convoy/io.hpp"

namespace convoy::io {

/// A dimension of a file, by the letter of its axis: T, C, Z, Y or X; '?' where it is not known. An extent of 0 is not
/// known.
struct FileAxis {
  char name = '?';
  Index extent = 1;
  bool operator==(const FileAxis&) const = default;
};

/// "T 3, Z 10, C 2", for messages.
std::string to_text(const std::vector<FileAxis>& axes);

/// Throws Error(invalid_argument) unless `axes` is empty or what OpenOptions::axes may be.
void require_axes(const std::string& axes);

/// What OpenOptions::axes says: "ZC3YX" are Z, C of extent 3, Y and X. Empty for text that require_axes refuses.
std::vector<FileAxis> axes_from_text(const std::string& axes);

/// A file's dimensions under the names in OpenOptions::axes, given in order. Throws Error(io), naming the file, if
/// their number or an extent differs.
std::vector<FileAxis> name_all_axes(const std::string& path, std::vector<FileAxis> axes, const std::string& names);

/// The axes of `num_planes` planes that follow one another, of which the file says that they are `described`: under the
/// names `wanted`, without Y and X. If the description fits and all of its dimensions of more than one element are
/// among `wanted`, they stay as they are. Else `wanted` are the dimensions, in that order; extents that are not named
/// are the described ones, or follow from the number of planes. Throws Error(io), naming the file, if they cannot be.
std::vector<FileAxis> name_axes(const std::string& path, const std::vector<FileAxis>& described,
                                const std::vector<FileAxis>& wanted, Index num_planes);

/// Extent of an axis, 1 if it is not there.
Index extent_of(const std::vector<FileAxis>& axes, char name);

/// Product of the extents, at most the largest Index.
Index num_planes_of(const std::vector<FileAxis>& axes);

/// Whether formats without an order of their own write the axes in the order of metadata.axes: it ends in Y and X, or
/// names no Y.
bool keeps_axes_order(const ImageMetadata& metadata);

/// Sets the extents of time and channel, where the file has them.
void set_images(const std::vector<FileAxis>& axes, ImageMetadata& metadata);

}  // namespace convoy::io
