#include "problem.hpp"

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
  scale_to_square_sum(problem.kernel, 1);
  return problem;
}

std::vector<float> repeatable_kernel(const ConvolutionSpec& spec) {
  const Shape& k = spec.kernel;
  std::vector<float> kernel = normal_noise(static_cast<std::size_t>(num_voxels(k)), kKernelSeed);
  scale_to_square_sum(kernel, 1e-6);
  const Shape origin = center_of(k);
  kernel[static_cast<std::size_t>((origin.z * k.y + origin.y) * k.x + origin.x)] += 1;
  return kernel;
}

}  // namespace convoy::bench
