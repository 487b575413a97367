// Which of the axes time, channel, z, y, x a file's dimensions are.
#pragma once

#include <string>
#include <vector>

#include "convoy/io.hpp"

namespace convoy::io {

/// A dimension of a file, by the letter of its axis: T, C, Z, Y or X; '?' where nobody has told.
struct FileAxis {
  char name = '?';
  Index extent = 1;
  bool operator==(const FileAxis&) const = default;
};

/// "T3 Z10 C2", for messages.
std::string to_text(const std::vector<FileAxis>& axes);

/// Throws Error(invalid_argument) unless `axes` is empty or what OpenOptions::axes may be.
void require_axes(const std::string& axes);

/// The file's dimensions under the names asked for. If all that have more than one element bear names that are asked
/// for, they keep them; else the names are given in order. Throws Error(io), naming the file, if the numbers differ.
std::vector<FileAxis> name_axes(const std::string& path, std::vector<FileAxis> axes, const std::string& names);

/// The same for dimensions that nobody has named: the names are given in order. Throws likewise.
std::vector<FileAxis> name_all_axes(const std::string& path, std::vector<FileAxis> axes, const std::string& names);

/// Extent of an axis, 1 if it is not there.
Index extent_of(const std::vector<FileAxis>& axes, char name);

/// Sets the extents of time and channel, where the file has them.
void set_images(const std::vector<FileAxis>& axes, ImageMetadata& metadata);

}  // namespace convoy::io
