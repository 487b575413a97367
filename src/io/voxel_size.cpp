#include "io/voxel_size.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include "convoy/error.hpp"
#include "io/units.hpp"

namespace convoy::io {
namespace {

std::array<double*, 3> lengths_of(VoxelSize& size) { return {&size.z, &size.y, &size.x}; }

void require_lengths(VoxelSize size) {
  const auto lengths = lengths_of(size);
  if (std::all_of(lengths.begin(), lengths.end(),
                  [](const double* length) { return std::isfinite(*length) && *length >= 0; })) {
    return;
  }
  throw Error(Errc::invalid_argument,
              fmt::format("a voxel size of {},{},{} (z, y, x) is not possible; lengths are above "
                          "0, or 0 where they are not known",
                          size.z, size.y, size.x));
}

}  // namespace

double given_length(double length) { return length == 0 ? std::numeric_limits<double>::quiet_NaN() : length; }

VoxelSize voxel_size_in_one_unit(const std::array<double, 3>& lengths, const std::array<std::string, 3>& units,
                                 std::vector<std::string>& warnings) {
  VoxelSize size{0, 0, 0, ""};
  const auto converted = lengths_of(size);
  bool has_unit = false;
  for (const std::size_t axis : {2U, 1U, 0U}) {
    if (lengths[axis] == 0) continue;
    if (!has_unit) size.unit = units[axis];
    has_unit = true;
    if (const auto length = converted_length(lengths[axis], units[axis], size.unit)) {
      *converted[axis] = *length;
    } else {
      warnings.push_back(
          fmt::format("the voxel size along {} is {} '{}', which cannot be converted to the '{}' of the "
                      "other axes, and is left out; --voxel-size gives it",
                      "zyx"[axis], lengths[axis], units[axis], size.unit));
    }
  }
  return size;
}

void settle_voxel_size(const Shape& shape, ImageMetadata& metadata, const std::optional<VoxelSize>& instead) {
  if (instead) {
    require_lengths(*instead);
    const std::string unit = metadata.voxel_size ? metadata.voxel_size->unit : "";
    metadata.voxel_size = instead;
    metadata.voxel_size->unit = instead->unit.empty() ? unit : unit_from(instead->unit);
  }
  if (!metadata.voxel_size) return;
  const auto lengths = lengths_of(*metadata.voxel_size);
  for (std::size_t axis = 0; axis < 3; ++axis) {
    double& length = *lengths[axis];
    if (std::isfinite(length) && length >= 0) continue;
    const bool negative = std::isfinite(length);
    const double given = std::exchange(length, negative ? -length : 0);
    if (shape[static_cast<int>(axis)] == 1) continue;
    metadata.warnings.push_back(
        negative
            ? fmt::format("the voxel size along {} is {}; its absolute value is taken", "zyx"[axis], given)
            : fmt::format("the voxel size along {} is 0 or no number, and is taken as not known; --voxel-size gives "
                          "it",
                          "zyx"[axis]));
  }
  if (std::all_of(lengths.begin(), lengths.end(), [](const double* length) { return *length == 0; })) {
    metadata.voxel_size.reset();
  }
}

}  // namespace convoy::io

convoy::VoxelSize convoy::voxel_size_from_text(const std::string& text) {
  VoxelSize size;
  std::string_view rest = text;
  bool good = true;
  for (double* length : io::lengths_of(size)) {
    const std::string_view part = rest.substr(0, rest.find(','));
    const auto [end, problem] = std::from_chars(part.data(), part.data() + part.size(), *length);
    good = good && problem == std::errc() && end == part.data() + part.size() && std::isfinite(*length) && *length >= 0;
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
  }
  size.unit = io::unit_from(rest);
  if (good && std::count(text.begin(), text.end(), ',') <= 3) return size;
  throw Error(Errc::invalid_argument,
              fmt::format("'{}' is no voxel size; write z,y,x[,unit] with lengths above 0, or 0 for one that is not "
                          "known, as in 0.3,0.1,0.1,um",
                          text));
}

std::array<double, 3> convoy::voxel_size_ratio(const VoxelSize& size, const VoxelSize& other) {
  const auto ratio = [&](double length, double unit_length) {
    const auto converted = io::converted_length(length, size.unit, other.unit);
    const bool known = converted && *converted > 0 && unit_length > 0;
    return known ? *converted / unit_length : std::numeric_limits<double>::quiet_NaN();
  };
  return {ratio(size.z, other.z), ratio(size.y, other.y), ratio(size.x, other.x)};
}
