// Pictures of what a run read and wrote.
#pragma once

#include <string>
#include <vector>

#include "convoy/image.hpp"
#include "convoy/io.hpp"

namespace convoy::cli {

/// Maximum projections of a file's first image, faint light shown (gamma 0.5), z as long as its voxels are.
Image projections_of(const std::string& path, const OpenOptions& options, Index max_extent);

/// Before and after side by side, each on a grey scale of its own; below them, where there are values, their curve.
void write_run_picture(const std::string& path, const Image& before, const Image& after,
                       const std::vector<double>& curve);

}  // namespace convoy::cli
