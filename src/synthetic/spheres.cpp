#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/voxel_rows.hpp"
#include "convoy/error.hpp"
#include "convoy/synthetic.hpp"

namespace convoy::inline v0 {
namespace {

void require_drawable(Element element, const Sphere& sphere, double value) {
  const Position& c = sphere.center;
  if (!(sphere.radius >= 0) || !std::isfinite(sphere.radius + c.z + c.y + c.x)) {
    throw Error(Errc::invalid_argument,
                fmt::format("a sphere of radius {} at {},{},{} cannot be drawn", sphere.radius, c.z, c.y, c.x));
  }
  const ElementFacts& facts = facts_of(element);
  if (is_floating(element)) return;
  if (!(value >= facts.lowest && value <= facts.highest && value == std::floor(value))) {
    throw Error(Errc::invalid_argument, fmt::format("value {} is no {}: it must be a whole number from {} to {}", value,
                                                    facts.name, facts.lowest, facts.highest));
  }
}

/// The voxels of one row that lie in the sphere, as [begin, end), counted from the row's first.
struct Run {
  Index begin = 0;
  Index end = 0;
};

Run run_in_row(const Sphere& sphere, Index z, Index y, Index row_begin, Index row_length) {
  const double dz = static_cast<double>(z) - sphere.center.z;
  const double dy = static_cast<double>(y) - sphere.center.y;
  const double rest = sphere.radius * sphere.radius - dz * dz - dy * dy;
  if (rest < 0) return {};
  const double half = std::sqrt(rest);
  const auto first = static_cast<double>(row_begin);
  const auto last = static_cast<double>(row_begin + row_length);
  return {static_cast<Index>(std::clamp(std::ceil(sphere.center.x - half), first, last)) - row_begin,
          static_cast<Index>(std::clamp(std::floor(sphere.center.x + half) + 1, first, last)) - row_begin};
}

}  // namespace

void draw_sphere(const MutableImageView& image, const Sphere& sphere, double value, const Shape& begin) {
  num_voxels(image.shape);
  require_drawable(image.element, sphere, value);
  with_element(image.element, [&]<class T>(T) {
    const VoxelRows<T> rows(image);
    for (Index z = 0; z < image.shape.z; ++z) {
      for (Index y = 0; y < image.shape.y; ++y) {
        const Run run = run_in_row(sphere, begin.z + z, begin.y + y, begin.x, image.shape.x);
        T* const row = rows.mutable_row(z * image.shape.y + y);
        for (Index x = run.begin; x < run.end; ++x) row[x * rows.stride()] = static_cast<T>(value);
      }
    }
  });
}

std::vector<Sphere> three_spheres(const Shape& size) {
  const double radius = 50.0 / 512 * static_cast<double>(size.x);
  const auto at = [&](double z, double y, double x) {
    return Position{std::round(z * static_cast<double>(size.z)), std::round(y * static_cast<double>(size.y)),
                    std::round(x * static_cast<double>(size.x))};
  };
  return {{at(0.5, 0.04, 0.35), radius}, {at(0.08, 0.55, 0.7), radius}, {at(0.9, 0.95, 0.97), radius}};
}

}  // namespace convoy::inline v0
