#include "backends/vkfft/self_test.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <optional>
#include <random>

#include "base/disk_cache.hpp"
#include "base/log.hpp"
#include "convoy/error.hpp"
#include "convoy/version.hpp"
#include "kernels/kernel_files.hpp"

namespace convoy::inline v0 {
namespace {

using Place = std::array<Index, 3>;

struct PlacedImpulse {
  Place place;
  double value;
};

/// The first and last place, two more corners and four places inside: +-1.0 to 1.9, all different.
std::vector<PlacedImpulse> make_pattern(const std::array<Index, 3>& box, unsigned seed) {
  std::mt19937 random(seed);
  const auto last = [&](int axis) { return box[static_cast<std::size_t>(axis)] - 1; };
  std::vector<Place> places{{0, 0, 0}, {last(0), last(1), last(2)}, {last(0), 0, last(2)}, {0, last(1), 0}};
  for (int i = 0; i < 4; ++i) {
    Place place{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
      place[axis] = static_cast<Index>(random() % static_cast<std::uint64_t>(box[axis]));
    }
    places.push_back(place);
  }
  std::vector<PlacedImpulse> pattern;
  for (const Place& place : places) {
    const bool taken = std::any_of(pattern.begin(), pattern.end(), [&](const auto& one) { return one.place == place; });
    if (taken) continue;
    const double size = 1.0 + 0.125 * static_cast<double>(pattern.size());
    pattern.push_back({place, random() % 2 == 0 ? size : -size});
  }
  return pattern;
}

std::uint64_t linear_index(const Place& place, Index row, Index rows) {
  return static_cast<std::uint64_t>((place[2] * rows + place[1]) * row + place[0]);
}

std::vector<Impulse> lay_out(const std::vector<PlacedImpulse>& pattern, Index row, Index rows) {
  std::vector<Impulse> impulses;
  for (const auto& [place, value] : pattern) impulses.push_back({linear_index(place, row, rows), value});
  return impulses;
}

/// Index in the image and value of every voxel that is not zero, in order.
std::map<std::uint64_t, double> expected_voxels(const FftGeometry& g, bool conjugate,
                                                const std::vector<PlacedImpulse>& image,
                                                const std::vector<PlacedImpulse>& kernel) {
  std::map<std::uint64_t, double> expected;
  for (const PlacedImpulse& a : image) {
    for (const PlacedImpulse& b : kernel) {
      Place place{};
      bool inside = true;
      for (std::size_t axis = 0; axis < 3; ++axis) {
        const Index moved_by = conjugate ? g.padded[axis] - b.place[axis] : b.place[axis];
        place[axis] = (a.place[axis] + moved_by) % g.padded[axis];
        inside = inside && place[axis] < g.extent[axis];
      }
      if (inside) expected[linear_index(place, g.extent[0], g.extent[1])] += a.value * b.value;
    }
  }
  return expected;
}

struct Comparison {
  double largest_error = 0;  ///< infinity once a voxel is not a number
  std::uint64_t worst_index = 0;
  std::uint64_t num_wrong = 0;
};

template <class Real>
void compare(std::span<const Real> voxels, std::uint64_t first, const std::map<std::uint64_t, double>& expected,
             double tolerance, Comparison& result) {
  auto next = expected.lower_bound(first);
  for (std::size_t i = 0; i < voxels.size(); ++i) {
    double error = static_cast<double>(voxels[i]);
    if (next != expected.end() && next->first == first + i) error -= (next++)->second;
    error = std::isfinite(error) ? std::abs(error) : HUGE_VAL;
    if (error > tolerance) ++result.num_wrong;
    if (error > result.largest_error) {
      result.largest_error = error;
      result.worst_index = first + i;
    }
  }
}

template <class Real>
Comparison compare_image(const FftGeometry& g, const std::map<std::uint64_t, double>& expected, double tolerance,
                         const SelfTestActions& actions) {
  constexpr std::uint64_t kChunkVoxels = (16u << 20) / sizeof(Real);
  const std::uint64_t num_voxels = g.image_bytes() / sizeof(Real);
  std::vector<Real> chunk(static_cast<std::size_t>(std::min(kChunkVoxels, num_voxels)));
  Comparison result;
  for (std::uint64_t first = 0; first < num_voxels; first += kChunkVoxels) {
    const std::span voxels(chunk.data(), static_cast<std::size_t>(std::min(kChunkVoxels, num_voxels - first)));
    actions.read_image(first * sizeof(Real), std::as_writable_bytes(voxels));
    compare<Real>(voxels, first, expected, tolerance, result);
  }
  return result;
}

const char* direction(bool conjugate) { return conjugate ? ", conjugate" : ""; }

/// Empty when all is right, else what was wrong.
std::string run_self_test(const FftGeometry& g, bool conjugate, const SelfTestActions& actions) {
  const auto image = make_pattern(g.extent, 1);
  const auto kernel = make_pattern(g.padded, 2);
  const auto expected = expected_voxels(g, conjugate, image, kernel);
  actions.set_image(lay_out(image, g.extent[0], g.extent[1]));
  actions.set_spectrum(lay_out(kernel, 2 * g.row_pitch, g.padded[1]));
  actions.poison_work();
  actions.transform_kernel();
  actions.convolve();

  // Spectra reach 12 x 12. Rounding leaves below 1e-5 and 1e-14; the known faults leave 1e-3 and more.
  const bool single = g.precision == Precision::f32;
  const double tolerance = single ? 1e-4 : 1e-12;
  const Comparison result = single ? compare_image<float>(g, expected, tolerance, actions)
                                   : compare_image<double>(g, expected, tolerance, actions);
  if (result.num_wrong == 0) {
    log("plan", "self-test passed: {}{}, largest error {:.2g}", to_text(g), direction(conjugate), result.largest_error);
    return {};
  }
  return fmt::format("self-test failed: {}{}: {} of {} voxels are wrong by more than {:g}, at worst voxel {} by {:g}",
                     to_text(g), direction(conjugate), result.num_wrong, g.image_bytes() / g.real_bytes(), tolerance,
                     result.worst_index, result.largest_error);
}

}  // namespace

std::string to_text(const FftGeometry& g) {
  return fmt::format("{} {} convolution, {}x{}x{} in {}x{}x{}, row pitch {} (device order), access {} B, {} threads",
                     g.precision == Precision::f32 ? "f32" : "f64", name(g.path), g.extent[0], g.extent[1], g.extent[2],
                     g.padded[0], g.padded[1], g.padded[2], g.row_pitch, g.tuning.coalesced_bytes,
                     g.tuning.aim_threads);
}

void require_self_test(const std::string& device, const FftGeometry& geometry, bool conjugate,
                       const SelfTestActions& actions) {
  const std::string key =
      fmt::format("self-test of convoy {} {}\n{}: {} axes, {}{}", CONVOY_VERSION, CONVOY_VKFFT_LAYER, device,
                  geometry.num_axes, to_text(geometry), direction(conjugate));
  const bool is_kept = !wants_kernel_files();  // edited texts are tested each time
  std::optional<std::string> verdict = is_kept ? plan_cache().find(key) : std::nullopt;
  if (!verdict) {
    verdict = run_self_test(geometry, conjugate, actions);
    if (is_kept) plan_cache().store(key, *verdict);
  }
  if (!verdict->empty()) throw Error(Errc::unsupported, device + ": " + *verdict);
}

}  // namespace convoy::v0
