// Tune::measure: measured once, remembered, and never trusted blindly.
#include "engine/tuning.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/disk_cache.hpp"
#include "convoy/convoy.hpp"

namespace fs = std::filesystem;
using namespace convoy;

namespace {

/// A cache folder of the test's own. What this process remembers is forgotten by changing the problem.
struct Folder {
  fs::path path = fs::temp_directory_path() / ("convoy-tuning-" + std::to_string(std::rand()));
  Folder() { setenv("CONVOY_CACHE_DIR", path.c_str(), 1); }
  ~Folder() {
    fs::remove_all(path);
    unsetenv("CONVOY_CACHE_DIR");
  }
};

ConvolutionSpec problem(const Shape& image) {
  ConvolutionSpec spec;
  spec.image = image;
  spec.kernel = {3, 7, 9};
  return spec;
}

PlanOptions measuring() {
  PlanOptions options;
  options.tune = Tune::measure;
  options.method = Method::fft;
  return options;
}

std::string key_of(const ConvolutionSpec& spec, const Device& device) {
  return wisdom_key(spec, device.info(), measuring());
}

PlanChoice choice_of(const Plan& plan) {
  const auto& [z, y, x] = plan.axes;
  return {{z.padded, y.padded, x.padded}, {z.num_tiles, y.num_tiles, x.num_tiles}, plan.tuning};
}

}  // namespace

TEST_CASE("a choice survives its text, and other text is no choice") {
  PlanChoice choice{{12, 40, 48}, {1, 2, 3}, {}};
  choice.tuning.filter_storage = FilterStorage::compact;
  choice.tuning.coalesced_bytes = 64;
  choice.tuning.swap_strided_axes = true;
  CHECK(choice_from_text(to_text(choice)) == choice);
  for (const std::string text : {"", "{}", "[1,2,3]", "null", "\"padded_zyx\"", R"({"padded_zyx":[1,2]})"}) {
    CAPTURE(text);
    CHECK_FALSE(choice_from_text(text));
  }
  std::string damaged = to_text(choice);
  damaged.replace(damaged.find("true"), 4, "\"ja\"");
  CHECK_FALSE(choice_from_text(damaged));
}

TEST_CASE("what was measured is remembered, and right") {
  const Folder folder;
  Device device = open_device("cpu");
  ConvolutionSpec spec = problem({8, 30, 50});
  spec.origin = Origin::at({1, 3, 4});
  const Plan measured = make_plan(spec, device, measuring());
  CHECK(measured.tuning.measure_transforms);
  CHECK(measured.reasons != make_plan(spec, device).reasons);

  const auto next_process = make_wisdom();
  const auto text = next_process->find(key_of(spec, device));
  REQUIRE(text);
  PlanChoice expected = choice_of(measured);
  const auto remembered = choice_from_text(*text);
  REQUIRE(remembered);
  CHECK(remembered->padded == expected.padded);
  CHECK(remembered->num_tiles == expected.num_tiles);
  CHECK(choice_of(make_plan(spec, device, measuring())).padded == expected.padded);

  std::vector<float> image(8 * 30 * 50), kernel(3 * 7 * 9), tuned_output(image.size()), output(image.size());
  for (std::size_t i = 0; i < image.size(); ++i) image[i] = static_cast<float>(i % 37) - 18;
  for (std::size_t i = 0; i < kernel.size(); ++i) kernel[i] = static_cast<float>(i % 11) - 5;
  ConvolverOptions options;
  options.plan = measuring();
  Convolver(spec, ImageView(kernel, spec.kernel), device, options)
      .run(ImageView(image, spec.image), MutableImageView(tuned_output, spec.image));
  Convolver(spec, ImageView(kernel, spec.kernel), device)
      .run(ImageView(image, spec.image), MutableImageView(output, spec.image));
  double difference = 0, scale = 0;
  for (std::size_t i = 0; i < output.size(); ++i) {
    difference = std::max(difference, std::abs(static_cast<double>(output[i]) - tuned_output[i]));
    scale = std::max(scale, std::abs(static_cast<double>(output[i])));
  }
  CHECK(difference < 2e-6 * scale);
}

TEST_CASE("wisdom that is damaged or of another problem is measured anew") {
  const Folder folder;
  Device device = open_device("cpu");
  int voxels = 20;
  for (const std::string& foreign : {std::string("nonsense"), to_text(PlanChoice{{7, 7, 7}, {1, 1, 1}, {}})}) {
    ConvolutionSpec spec = problem({6, voxels++, 33});
    spec.origin = Origin::at({1, 3, 4});
    wisdom().store(key_of(spec, device), foreign);
    const Plan plan = make_plan(spec, device, measuring());
    const auto mended = wisdom().find(key_of(spec, device));
    REQUIRE(mended);
    CHECK(*mended != foreign);
    CHECK(choice_from_text(*mended)->padded == choice_of(plan).padded);
  }
}

TEST_CASE("what was measured with one kernel is not taken for several, nor for another pairing") {
  const Device device = open_device("cpu");
  ConvolutionSpec spec = problem({6, 30, 33});
  std::vector<std::string> keys{key_of(spec, device)};
  spec.batch = spec.num_kernels = 3;
  for (const Pairing pairing : kAllPairings) {
    spec.pairing = pairing;
    keys.push_back(key_of(spec, device));
  }
  for (std::size_t i = 0; i < keys.size(); ++i) CHECK(std::count(keys.begin(), keys.end(), keys[i]) == 1);
}

TEST_CASE("a plan takes the choice it is given, or says that it is none") {
  const Device device = open_device("cpu");
  const ConvolutionSpec spec = problem({6, 30, 33});
  PlanOptions options;
  options.method = Method::fft;
  options.min_tiles = 4;
  const Plan tiled = make_plan(spec, device.limits(), options);
  options.min_tiles = 1;
  options.choice = choice_of(make_plan(spec, device.limits(), options));
  CHECK(choice_of(make_plan(spec, device.limits(), options)).padded == options.choice->padded);
  options.choice->padded.x += 1;
  CHECK_THROWS_AS(make_plan(spec, device.limits(), options), Error);

  options = {};
  options.tune = Tune::off;
  const Plan off = make_plan(spec, device.limits(), options);
  CHECK(off.num_tiles() == 1);
  CHECK(off.footprint_bytes <= make_plan(spec, device.limits()).footprint_bytes);
  CHECK(off.footprint_bytes < tiled.footprint_bytes * 4);
}
