#include "bench_case.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <random>
#include <sstream>

#include "convoy/error.hpp"

namespace convoy::bench {
namespace {

constexpr std::uint64_t kRandomSeed = 20240607;
constexpr Index kMaxRandomVoxels = Index{1} << 20;

Index scaled_extent(Index whole, double scale) {
  return std::max<Index>(1, std::llround(static_cast<double>(whole) * scale));
}

Index scaled_kernel(Index whole, double scale) {
  const Index extent = scaled_extent(whole, scale);
  return whole > 1 && extent % 2 != whole % 2 ? extent + 1 : extent;
}

int number_from_text(const std::string& text) {
  int number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end != text.data() + text.size() || number < 1) {
    throw Error(Errc::invalid_argument, fmt::format("'{}' is no number of random cases; write random:20", text));
  }
  return number;
}

const BenchCase& standard_case(const std::string& name) {
  std::string known;
  for (const auto* cases : {&standard_cases(), &shape_cases()}) {
    for (const BenchCase& one : *cases) {
      if (one.name == name) return one;
      known += one.name + ", ";
    }
  }
  throw Error(Errc::invalid_argument,
              fmt::format("there is no case '{}'; there are {}all, shapes, tiny, random:N", name, known));
}

}  // namespace

const std::vector<BenchCase>& standard_cases() {
  static const std::vector<BenchCase> cases{
      {"S0",
       "a tutorial's problem, wrapped round",
       {128, 512, 512},
       {128, 256, 256},
       Mode::circular,
       Shape{128, 512, 512},
       1,
       0.5},
      {"S1",
       "the same without wrap-around",
       {128, 512, 512},
       {128, 256, 256},
       Mode::same,
       Shape{192, 640, 640},
       1,
       0.5},
      {"M1", "a confocal stack", {256, 1024, 1024}, {64, 64, 64}, Mode::same, Shape{288, 1056, 1056}, 1, 0.25},
      {"C1", "a cube", {512, 512, 512}, {65, 65, 65}, Mode::same, Shape{544, 544, 544}, 1, 0.375},
      {"C2",
       "kernel as large as the image",
       {512, 512, 512},
       {512, 512, 512},
       Mode::same,
       Shape{768, 768, 768},
       1,
       0.25},
      {"W1", "a camera stack", {64, 2048, 2048}, {31, 31, 31}, Mode::same, Shape{80, 2064, 2064}, 1, 0.25},
      {"O1", "odd everything", {127, 509, 511}, {101, 253, 255}, Mode::same, Shape{180, 640, 640}, 1, 0.5},
      {"P2", "a 2-D mosaic", {1, 8192, 8192}, {1, 65, 65}, Mode::same, Shape{1, 8232, 8232}, 1, 0.25},
  };
  return cases;
}

const std::vector<BenchCase>& shape_cases() {
  static const std::vector<BenchCase> cases = [] {
    const auto batch = [](const char* name, const char* seen_as, Index images, const Shape& image,
                          const Shape& kernel) {
      BenchCase one{name, seen_as, image, kernel, Mode::same, {}, 1, 1};
      one.batch = images;
      return one;
    };
    std::vector<BenchCase> list{
        batch("B256", "many small images", 1000, {1, 256, 256}, {1, 31, 31}),
        batch("B512", "many images", 500, {1, 512, 512}, {1, 65, 65}),
        batch("B64", "many small volumes", 500, {32, 64, 64}, {15, 15, 15}),
        batch("L64k", "many signals", 1000, {1, 1, 65536}, {1, 1, 1001}),
        batch("L128M", "one long signal", 1, {1, 1, Index{1} << 27}, {1, 1, 1001}),
        batch("D3", "a small kernel", 1, {1, 4096, 4096}, {1, 3, 3}),
        batch("D7", "a small kernel", 1, {1, 4096, 4096}, {1, 7, 7}),
        batch("V3", "a small kernel", 1, {512, 512, 512}, {3, 3, 3}),
        batch("V5", "a small kernel", 1, {512, 512, 512}, {5, 5, 5}),
        batch("G2", "a Gaussian filter", 1, {512, 512, 512}, {17, 17, 17}),
    };
    list.back().sigma = 2;
    return list;
  }();
  return cases;
}

const std::vector<BenchCase>& tiny_cases() {
  static const std::vector<BenchCase> cases{
      {"tiny-circular", "", {16, 32, 32}, {8, 16, 16}, Mode::circular, {}, 1, 1},
      {"tiny-same", "", {16, 32, 32}, {8, 16, 16}, Mode::same, {}, 1, 1},
      {"tiny-odd", "", {15, 31, 33}, {7, 13, 17}, Mode::same, {}, 1, 1},
      {"tiny-full", "", {9, 20, 23}, {4, 7, 6}, Mode::full, {}, 1, 1},
      {"tiny-valid", "", {12, 25, 30}, {5, 6, 7}, Mode::valid, {}, 1, 1},
      {"tiny-kernel", "", {10, 12, 14}, {21, 25, 30}, Mode::same, {}, 1, 1},
      {"tiny-wrapped", "", {10, 12, 14}, {21, 25, 30}, Mode::circular, {}, 1, 1},
      {"tiny-2d", "", {1, 60, 70}, {1, 9, 12}, Mode::same, {}, 1, 1},
      {"tiny-1d", "", {1, 1, 1000}, {1, 1, 65}, Mode::same, {}, 1, 1},
  };
  return cases;
}

std::vector<BenchCase> random_cases(int count, std::uint64_t seed) {
  std::mt19937_64 engine(seed);
  // Not std::uniform_int_distribution: it differs from one standard library to the next.
  const auto pick = [&](Index low, Index high) { return low + static_cast<Index>(engine() % (high - low + 1)); };
  std::vector<BenchCase> cases;
  for (int i = 0; i < count; ++i) {
    const int dimensions = static_cast<int>(pick(1, 3));
    const Index longest = dimensions == 3 ? 150 : dimensions == 2 ? 1500 : 4000;
    BenchCase one;
    one.name = fmt::format("random-{}", i);
    do {
      for (int axis = 3 - dimensions; axis < 3; ++axis) one.image[axis] = pick(1, longest);
    } while (num_voxels(one.image) > kMaxRandomVoxels);
    one.mode = static_cast<Mode>(pick(0, 3));
    for (int axis = 3 - dimensions; axis < 3; ++axis) {
      one.kernel[axis] =
          pick(1, one.mode == Mode::valid ? one.image[axis] : std::min<Index>(longest, 2 * one.image[axis]));
    }
    cases.push_back(one);
  }
  return cases;
}

BenchCase scaled(BenchCase whole, double scale) {
  if (scale == 1) return whole;
  if (!(scale > 0 && scale <= 16)) {
    throw Error(Errc::invalid_argument, fmt::format("a scale of {} makes no sense; take one in (0, 16]", scale));
  }
  for (int axis = 0; axis < 3; ++axis) {
    whole.image[axis] = whole.image[axis] == 1 ? 1 : scaled_extent(whole.image[axis], scale);
    whole.kernel[axis] = whole.kernel[axis] == 1 ? 1 : scaled_kernel(whole.kernel[axis], scale);
  }
  whole.scale *= scale;
  whole.reference_padded.reset();
  return whole;
}

std::vector<BenchCase> cases_from_text(const std::string& text) {
  std::vector<BenchCase> cases;
  std::stringstream names(text);
  for (std::string name; std::getline(names, name, ',');) {
    if (name == "all") {
      cases.insert(cases.end(), standard_cases().begin(), standard_cases().end());
    } else if (name == "shapes") {
      cases.insert(cases.end(), shape_cases().begin(), shape_cases().end());
    } else if (name == "tiny") {
      cases.insert(cases.end(), tiny_cases().begin(), tiny_cases().end());
    } else if (name.starts_with("random:")) {
      const auto random = random_cases(number_from_text(name.substr(7)), kRandomSeed);
      cases.insert(cases.end(), random.begin(), random.end());
    } else {
      cases.push_back(standard_case(name));
    }
  }
  if (cases.empty()) throw Error(Errc::invalid_argument, "no case is named; --list shows them");
  return cases;
}

}  // namespace convoy::bench
