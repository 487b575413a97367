#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "convoy/error.hpp"
#include "convoy/plan.hpp"

namespace convoy::inline v0 {
namespace {

/// Voxels that all parts of an axis read together, surroundings included.
double voxels_read(Index output, Index kernel, Index parts) {
  return static_cast<double>(output + parts * (kernel - 1));
}

struct Grid {
  Shape parts;
  double voxels_read = 0;
};

/// Of all grids with so many cells, the one that reads least; of equals, the one that cuts slow axes.
std::optional<Grid> best_grid(const Shape& output, const Shape& kernel, Index num_regions) {
  std::optional<Grid> best;
  for (Index z = std::min(num_regions, output.z); z >= 1; --z) {
    if (num_regions % z != 0) continue;
    for (Index y = std::min(num_regions / z, output.y); y >= 1; --y) {
      if (num_regions / z % y != 0) continue;
      const Index x = num_regions / z / y;
      if (x > output.x) continue;
      const double read =
          voxels_read(output.z, kernel.z, z) * voxels_read(output.y, kernel.y, y) * voxels_read(output.x, kernel.x, x);
      if (!best || read < best->voxels_read) best = Grid{{z, y, x}, read};
    }
  }
  return best;
}

}  // namespace

std::vector<Box> split_output(const ConvolutionSpec& spec, Index num_regions) {
  const Shape output = output_shape(spec);
  const Shape first = spec.region ? spec.region->begin : Shape{0, 0, 0};
  const auto grid = num_regions < 1 ? std::nullopt : best_grid(output, spec.kernel, num_regions);
  if (!grid) {
    throw Error(Errc::invalid_argument,
                fmt::format("an output of {} zyx cannot be cut into {} boxes of like size; take a number with smaller "
                            "factors, such as a power of two",
                            to_text(output), num_regions));
  }
  std::vector<Box> boxes;
  for (Index z = 0; z < grid->parts.z; ++z) {
    for (Index y = 0; y < grid->parts.y; ++y) {
      for (Index x = 0; x < grid->parts.x; ++x) {
        const Shape at{z, y, x};
        Box box;
        for (int axis = 0; axis < 3; ++axis) {
          const Index begin = at[axis] * output[axis] / grid->parts[axis];
          const Index end = (at[axis] + 1) * output[axis] / grid->parts[axis];
          box.begin[axis] = first[axis] + begin;
          box.size[axis] = end - begin;
        }
        boxes.push_back(box);
      }
    }
  }
  return boxes;
}

}  // namespace convoy::inline v0
