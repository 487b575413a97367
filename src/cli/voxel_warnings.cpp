#include "cli/voxel_warnings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace convoy::cli {
namespace {

/// Offsets of so many times the range of the values cost more than 12 of the arithmetic's bits.
constexpr double kLargeOffset = 4096;

/// A ratio of 1e6 in single precision, and what is as bad in double precision.
double most_dynamic_range(Precision precision) { return precision == Precision::f32 ? 1e6 : 1e6 * 0x1p29; }

std::string remedy(Precision precision) {
  return precision == Precision::f32 ? "; --precision f64 makes it 5e8 times smaller" : "";
}

bool offset_is_large(const RunReport& run, Precision precision) {
  const double range = run.highest_voxel - run.lowest_voxel;
  const double largest = std::max(std::abs(run.highest_voxel), std::abs(run.lowest_voxel));
  const double most = precision == Precision::f32 ? kLargeOffset : kLargeOffset * 0x1p29;
  return range > 0 && largest > most * range;
}

std::string saturation_text(const RunReport& run, Element output) {
  if (is_floating(output) || is_complex(output)) {
    return fmt::format("{} output voxels are beyond the range of {} and infinite; --dtype {} keeps them",
                       run.saturated_voxels, name(output),
                       output == Element::f16 ? "f32"
                       : is_complex(output)   ? "c128"
                                              : "f64");
  }
  return fmt::format("{} output voxels are clipped to the range of {}; --dtype f32 keeps them", run.saturated_voxels,
                     name(output));
}

}  // namespace

std::vector<std::string> voxel_warnings(const RunReport& run, Precision precision, NonFinite non_finite,
                                        Element output) {
  std::vector<std::string> warnings;
  const double largest = std::max(std::abs(run.highest_voxel), std::abs(run.lowest_voxel));
  if (run.saturated_voxels > 0) warnings.push_back(saturation_text(run, output));
  if (run.non_finite_voxels > 0) {
    warnings.push_back(fmt::format("{} NaN or infinite image voxels are taken as {}", run.non_finite_voxels,
                                   non_finite == NonFinite::interpolate ? "missing" : "0"));
  }
  if (run.nan_voxels > 0) {
    warnings.push_back(fmt::format("{} output voxels are {}", run.nan_voxels,
                                   is_floating(output) ? "NaN" : "0 for NaN, which integers are not"));
  }
  if (run.no_data_voxels > 0) {
    warnings.push_back(fmt::format("{} image voxels have the value of --no-data and are taken as {}",
                                   run.no_data_voxels, non_finite == NonFinite::interpolate ? "missing" : "0"));
  }
  if (run.inexact_voxels > 0) {
    warnings.push_back(fmt::format(
        "{} image voxels beyond 2^24 (the largest magnitude is {:.9g}) are rounded to the 24 bits of single "
        "precision; --precision f64 keeps them",
        run.inexact_voxels, largest));
  }
  if (offset_is_large(run, precision)) {
    warnings.push_back(fmt::format(
        "the image's voxels differ by no more than {:.3g} and lie near {:.9g}: rounding leaves errors of up to "
        "about {:.2g} in the output{}",
        run.highest_voxel - run.lowest_voxel, run.highest_voxel, run.rounding_error, remedy(precision)));
  }
  if (run.dynamic_range > most_dynamic_range(precision)) {
    warnings.push_back(fmt::format(
        "the largest voxel, of magnitude {:.3g}, is {:.2g} times the typical one of its tile: rounding leaves "
        "errors of up to about {:.2g} everywhere in the tile{}",
        largest, run.dynamic_range, run.rounding_error, remedy(precision)));
  }
  return warnings;
}

}  // namespace convoy::cli
