#include "problem.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/worker_pool.hpp"

namespace convoy::bench {
namespace {

constexpr std::uint64_t kImageSeed = 1;
constexpr std::uint64_t kKernelSeed = 2;

/// splitmix64's mixing: neighbouring counters give unrelated bits.
std::uint64_t mixed(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

void scale_to_square_sum(std::vector<float>& values, double wanted) {
  double sum = 0;
  for (const float value : values) sum += static_cast<double>(value) * value;
  const double factor = sum > 0 ? std::sqrt(wanted / sum) : 0;
  for (float& value : values) value = static_cast<float>(value * factor);
}

void fill_with_noise(std::span<float> values, std::uint64_t seed) {
  const std::size_t count = values.size();
  const std::int64_t num_pairs = static_cast<std::int64_t>((count + 1) / 2);
  host_workers().for_each(num_pairs, 1 << 16, [&](int, std::int64_t begin, std::int64_t end) {
    for (std::int64_t pair = begin; pair < end; ++pair) {
      // Box-Muller: 24 bits each for radius and angle.
      const std::uint64_t bits =
          mixed(seed * 0xd1342543de82ef95 + static_cast<std::uint64_t>(pair) * 0x9e3779b97f4a7c15);
      const float first = (static_cast<float>(bits >> 40) + 0.5f) * 0x1p-24f;
      const float second = static_cast<float>((bits >> 8) & 0xffffff) * 0x1p-24f;
      const float radius = std::sqrt(-2.0f * std::log(first));
      const float angle = 2.0f * std::numbers::pi_v<float> * second;
      const auto at = static_cast<std::size_t>(2 * pair);
      values[at] = radius * std::cos(angle);
      if (at + 1 < count) values[at + 1] = radius * std::sin(angle);
    }
  });
}

/// As a camera gives it: an eighth of the range above a quarter of it.
float quantised(float value, Element element) {
  const auto highest = static_cast<float>(std::min(facts_of(element).highest, 32767.0));
  return std::clamp(std::round(highest * (0.25f + 0.03f * value)), 0.0f, highest / 2);
}

std::vector<float> gaussian(const Shape& shape, double sigma) {
  std::vector<float> kernel;
  const Shape center = center_of(shape);
  const auto squared = [](Index distance) { return static_cast<double>(distance * distance); };
  for (Index z = 0; z < shape.z; ++z) {
    for (Index y = 0; y < shape.y; ++y) {
      for (Index x = 0; x < shape.x; ++x) {
        const double distance = squared(z - center.z) + squared(y - center.y) + squared(x - center.x);
        kernel.push_back(static_cast<float>(std::exp(-distance / (2 * sigma * sigma))));
      }
    }
  }
  return kernel;
}

}  // namespace

std::vector<float> normal_noise(std::size_t count, std::uint64_t seed) {
  std::vector<float> values(count);
  fill_with_noise(values, seed);
  return values;
}

void fill_with_image(std::span<float> voxels) { fill_with_noise(voxels, kImageSeed); }

Shape center_of(const Shape& kernel) { return {kernel.z / 2, kernel.y / 2, kernel.x / 2}; }

Problem make_problem(const BenchCase& which, Precision precision) {
  Problem problem = make_problem_without_image(which, precision);
  problem.image = normal_noise(static_cast<std::size_t>(num_voxels(which.image)), kImageSeed);
  if (!is_floating(which.element)) {
    for (float& voxel : problem.image) voxel = quantised(voxel, which.element);
  }
  return problem;
}

Problem make_problem_without_image(const BenchCase& which, Precision precision) {
  Problem problem;
  problem.which = which;
  problem.spec.image = which.image;
  problem.spec.kernel = which.kernel;
  problem.spec.mode = which.mode;
  problem.spec.precision = precision;
  validate(problem.spec);
  problem.kernel = normal_noise(static_cast<std::size_t>(num_voxels(which.kernel)), kKernelSeed);
  if (which.sigma > 0) problem.kernel = gaussian(which.kernel, which.sigma);
  scale_to_square_sum(problem.kernel, 1);
  return problem;
}

}  // namespace convoy::bench
