// What a process has taken it gives back: plans, runs and destructions over changing shapes, many images through one
// Convolver, and several threads at once. CONVOY_TEST_CYCLES sets the length (scripts/soak: 1000).
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <malloc.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "selftest/oracle.hpp"
#include "support/device_under_test.hpp"
#include "support/random_problem.hpp"

using namespace convoy;
using convoy::test::Dice;

namespace {

Index num_cycles() {
  return static_cast<Index>(test::number_from("CONVOY_TEST_CYCLES", plans_are_costly() ? 12 : 200));
}

Index entries_of(const char* folder) {
  return static_cast<Index>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

/// Of this process, as the system counts them.
struct Possessions {
  std::uint64_t device_bytes = device_under_test().used_bytes();
  Index num_files = entries_of("/proc/self/fd");
  Index num_threads = entries_of("/proc/self/task");
  std::uint64_t resident_bytes = 0;

  Possessions() {
    malloc_trim(0);
    std::ifstream status("/proc/self/statm");
    std::uint64_t pages = 0;
    status >> pages >> pages;
    resident_bytes = pages * 4096;
  }
};

/// What caches, pools and an allocator's arenas may differ by, however many cycles there are.
constexpr std::uint64_t kSlackBytes = 16ULL << 20;

/// Sanitizers keep freed memory back to catch its use, and count leaks themselves.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kFreedMemoryIsGivenBack = false;
#else
constexpr bool kFreedMemoryIsGivenBack = true;
#endif

void compare(const Possessions& before, const Possessions& after) {
  CHECK(after.device_bytes == before.device_bytes);
  CHECK(after.num_files == before.num_files);
  CHECK(after.num_threads == before.num_threads);
  fmt::print("resident: {:.1f} MiB, then {:.1f} MiB\n", static_cast<double>(before.resident_bytes) / (1 << 20),
             static_cast<double>(after.resident_bytes) / (1 << 20));
  // The compiler inside the software Vulkan driver never gives its memory back.
  if (!kFreedMemoryIsGivenBack || device_under_test().info().type == DeviceType::software) return;
  CHECK(after.resident_bytes <= before.resident_bytes + kSlackBytes);
}

template <class To>
std::vector<To> as(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

std::vector<float> run(Convolver& convolver, const std::vector<float>& voxels, const Shape& shape) {
  std::vector<float> output(static_cast<std::size_t>(num_voxels(convolver.output_shape())));
  convolver.run(ImageView(voxels, shape), MutableImageView(output, convolver.output_shape()));
  return output;
}

ConvolutionSpec spec_of(Dice& dice) {
  ConvolutionSpec spec = test::random_spec(dice);
  spec.precision = Precision::f32;
  return spec;
}

std::vector<float> planned_and_run(const ConvolutionSpec& spec, std::uint64_t seed) {
  const auto kernel = as<float>(oracle::random_image(spec.kernel, seed));
  Convolver convolver(spec, ImageView(kernel, spec.kernel), device_under_test());
  return run(convolver, as<float>(oracle::random_image(spec.image, seed + 1)), spec.image);
}

}  // namespace

TEST_CASE("endurance: plans, runs and destructions over changing shapes end where they began") {
  Dice dice(test::the_seed());
  std::vector<ConvolutionSpec> specs;
  for (Index i = 0; i < (plans_are_costly() ? 4 : 50); ++i) specs.push_back(spec_of(dice));
  const auto cycle = [&specs](Index i) {
    planned_and_run(specs[static_cast<std::size_t>(i) % specs.size()], static_cast<std::uint64_t>(i));
  };
  for (Index i = 0; i < static_cast<Index>(specs.size()); ++i) cycle(i);  // caches fill
  const Possessions before;
  for (Index i = 0; i < num_cycles(); ++i) cycle(i);
  compare(before, Possessions());
}

TEST_CASE("endurance: a hundred images through one Convolver give the same result at the end, and nothing piles up") {
  ConvolutionSpec spec;
  spec.image = {20, 60, 70};
  spec.kernel = {5, 7, 9};
  const auto kernel = as<float>(oracle::random_image(spec.kernel, 1));
  const auto image = as<float>(oracle::random_image(spec.image, 2));
  Convolver convolver(spec, ImageView(kernel, spec.kernel), device_under_test());
  const std::vector<float> first = run(convolver, image, spec.image);
  const Possessions before;
  for (std::uint64_t i = 0; i < 98; ++i) run(convolver, as<float>(oracle::random_image(spec.image, i)), spec.image);
  CHECK(run(convolver, image, spec.image) == first);
  compare(before, Possessions());
}

TEST_CASE("endurance: eight threads, each with its own Convolvers, are all right") {
  constexpr std::size_t kThreads = 8;
  Dice dice(test::the_seed() + 1);
  std::vector<ConvolutionSpec> specs;
  std::vector<std::vector<float>> expected;
  for (std::size_t i = 0; i < (plans_are_costly() ? 2 : 10); ++i) {
    specs.push_back(spec_of(dice));
    expected.push_back(planned_and_run(specs.back(), i));
  }
  const Possessions before;
  std::vector<std::string> problems(kThreads);
  std::vector<std::thread> threads;
  for (std::size_t number = 0; number < kThreads; ++number) {
    threads.emplace_back([&, number] {
      try {
        for (std::size_t step = 0; step < specs.size(); ++step) {
          const std::size_t i = (step + number) % specs.size();
          const std::vector<float> output = planned_and_run(specs[i], i);
          if (output != expected[i]) problems[number] += fmt::format("problem {} came out differently; ", i);
        }
      } catch (const std::exception& error) {
        problems[number] += error.what();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& problem : problems) CHECK(problem == "");
  CHECK(Possessions().device_bytes == before.device_bytes);
  CHECK(Possessions().num_threads == before.num_threads);
}
