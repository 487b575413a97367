// What is chosen: lengths, axis order, tiles.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>

#include "convoy/error.hpp"
#include "convoy/plan.hpp"
#include "plan/devices.hpp"
#include "plan/problems.hpp"
#include "planner/cost.hpp"
#include "planner/layout.hpp"
#include "planner/lengths.hpp"
#include "program/program.hpp"

using namespace convoy;
using namespace convoy::test;

namespace {

Shape tiles_of(const Plan& plan) { return {plan.axes[0].num_tiles, plan.axes[1].num_tiles, plan.axes[2].num_tiles}; }

/// The largest budget that does not hold the whole image.
PlanOptions too_little_for_one_tile(const ConvolutionSpec& spec, const Limits& limits) {
  PlanOptions options;
  std::uint64_t footprint_bytes = make_plan(spec, limits).footprint_bytes;
  while (true) {
    options.memory_limit_bytes = footprint_bytes - 1;
    const Plan plan = make_plan(spec, limits, options);
    if (plan.num_tiles() > 1) return options;
    footprint_bytes = plan.footprint_bytes;
  }
}

}  // namespace

TEST_CASE("lengths that measured fastest are chosen") {
  const auto padded = [](const Shape& image, const Shape& kernel, Mode mode) {
    const Plan plan = make_plan(spec_of(image, kernel, mode), large_gpu());
    CHECK(plan.num_tiles() == 1);
    return plan.padded();
  };
  CHECK(padded({128, 512, 512}, {128, 256, 256}, Mode::circular) == Shape{128, 512, 512});
  CHECK(padded({128, 512, 512}, {128, 256, 256}, Mode::same) == Shape{192, 640, 640});
  CHECK(padded({256, 1024, 1024}, {64, 64, 64}, Mode::same) == Shape{288, 1056, 1056});
  CHECK(padded({512, 512, 512}, {65, 65, 65}, Mode::same) == Shape{576, 576, 576});
  CHECK(padded({512, 512, 512}, {512, 512, 512}, Mode::same) == Shape{768, 768, 768});
}

TEST_CASE("of two strided axes the one that padding stretches most is transformed last") {
  const Plan natural = make_plan(spec_of({128, 512, 512}, {128, 256, 256}), large_gpu());
  CHECK(natural.device_axes == std::array{2, 1, 0});
  const Plan swapped = make_plan(spec_of({512, 128, 512}, {3, 128, 3}), large_gpu());
  CHECK(swapped.device_axes == std::array{2, 0, 1});
  const bool reported = std::any_of(swapped.reasons.begin(), swapped.reasons.end(), [](const std::string& reason) {
    return reason.find("y is transformed last") != std::string::npos;
  });
  CHECK(reported);
}

TEST_CASE("axes of one voxel are squeezed to the end") {
  const auto squeezed = [](const Shape& image, const Shape& kernel) {
    const Plan plan = make_plan(spec_of(image, kernel), large_gpu());
    return std::pair(plan.num_transforms, plan.device_axes);
  };
  CHECK(squeezed({1, 1, 100}, {1, 1, 5}) == std::pair(1, std::array{2, 1, 0}));
  CHECK(squeezed({1, 100, 1}, {1, 5, 1}) == std::pair(1, std::array{1, 2, 0}));
  CHECK(squeezed({100, 1, 1}, {5, 1, 1}) == std::pair(1, std::array{0, 2, 1}));
  CHECK(squeezed({1, 100, 90}, {1, 5, 5}) == std::pair(2, std::array{2, 1, 0}));
  CHECK(squeezed({100, 1, 90}, {5, 1, 5}) == std::pair(2, std::array{2, 0, 1}));
  CHECK(squeezed({100, 90, 1}, {5, 5, 1}) == std::pair(2, std::array{1, 0, 2}));
  CHECK(squeezed({1, 1, 1}, {1, 1, 1}) == std::pair(1, std::array{2, 1, 0}));
  // Only one voxel of the kernel reaches the only voxel of the image on z.
  CHECK(squeezed({1, 100, 90}, {7, 5, 5}) == std::pair(2, std::array{2, 1, 0}));
}

TEST_CASE("the contiguous axis has its own, longer limit") {
  Limits limits = large_gpu();
  CHECK(make_plan(spec_of({1, 1, 20000}, {1, 1, 65}), limits).num_tiles() == 1);
  CHECK(make_plan(spec_of({1, 20000, 1}, {1, 65, 1}), limits).num_tiles() == 1);
  CHECK(tiles_of(make_plan(spec_of({1, 20000, 20000}, {1, 65, 65}), limits)).y > 1);
}

TEST_CASE("each axis is split when it must be") {
  Limits limits = small_gpu();
  limits.max_binding_bytes = 0;
  PlanOptions fft;
  fft.method = Method::fft;
  CHECK(tiles_of(make_plan(spec_of({600, 16, 16}, {5, 5, 5}), limits, fft)).z > 1);
  CHECK(tiles_of(make_plan(spec_of({16, 600, 16}, {5, 5, 5}), limits, fft)).y > 1);
  CHECK(tiles_of(make_plan(spec_of({16, 16, 6000}, {5, 5, 5}), limits, fft)).x > 1);
  PlanOptions every_voxel;
  every_voxel.min_tiles = 4 * 5 * 6;
  CHECK(tiles_of(make_plan(spec_of({4, 5, 6}, {3, 3, 3}), limits, every_voxel)) == Shape{4, 5, 6});
}

TEST_CASE("a slow axis is split rather than a fast one") {
  const ConvolutionSpec spec = spec_of({256, 256, 256}, {17, 17, 17});
  Limits no_bus = large_gpu();
  no_bus.transfer_bytes_per_second = 0;
  no_bus.shared_memory_bytes = 0;
  const Plan plan = make_plan(spec, no_bus, too_little_for_one_tile(spec, no_bus));
  CHECK(tiles_of(plan).z > 1);
  CHECK(tiles_of(plan).y == 1);
  CHECK(tiles_of(plan).x == 1);
}

TEST_CASE("over a bus, tiles whose rows follow each other in the caller's memory are preferred") {
  const auto runs_of = [](const Shape& image, const Shape& kernel, const PlanOptions& options) {
    const Plan plan = make_plan(spec_of(image, kernel), overlapping_gpu(), options);
    CAPTURE(to_text(plan));
    CHECK(plan.num_tiles() > 1);
    CHECK(tiles_of(plan).x == 1);
    const TileLayout layout = layout_of(plan);
    CHECK(layout.host_run >= image.x * plan.axes[1].tile_output);
    return layout.host_run;
  };
  CHECK(runs_of({512, 512, 512}, {65, 65, 65}, {}) >= Index{235} * 512 * 512);
  runs_of({256, 1024, 1024}, {64, 64, 64}, {});
  runs_of({64, 2048, 2048}, {31, 31, 31}, {});
  const ConvolutionSpec spec = spec_of({256, 256, 256}, {17, 17, 17});
  runs_of(spec.image, spec.kernel, too_little_for_one_tile(spec, overlapping_gpu()));
}

TEST_CASE("a whole image that fits is not cut, and one that does not says why") {
  const ConvolutionSpec spec = spec_of({128, 512, 512}, {128, 256, 256});
  const Plan whole = make_plan(spec, large_gpu());
  CHECK(whole.num_tiles() == 1);
  CHECK(whole.reasons.front().find("one tile") == 0);
  CHECK(whole.reasons.front().find("free device memory") != std::string::npos);
  const Plan cut = make_plan(spec, large_gpu(), with_limit(512 << 20));
  CHECK(cut.num_tiles() > 1);
  CHECK(cut.reasons.front().find("unsplit needs " + bytes_to_text(whole.footprint_bytes)) != std::string::npos);
  CHECK(cut.reasons.front().find("budget 512.00 MiB (memory limit)") != std::string::npos);
  CHECK(cut.predicted_seconds > whole.predicted_seconds);
  CHECK(cut.traffic_bytes > whole.traffic_bytes);
}

TEST_CASE("an image is cut where that is predicted to be faster") {
  const Plan stack_of_planes = make_plan(spec_of({500, 1024, 1024}, {1, 31, 31}), cpu());
  CHECK(tiles_of(stack_of_planes).z == 500);
  CHECK(stack_of_planes.num_transforms == 2);
  CHECK(stack_of_planes.reasons.front().find("% longer") != std::string::npos);
}

TEST_CASE("own passes, then VkFFT's fused ones are taken unless a path is asked for") {
  const ConvolutionSpec spec = spec_of({60, 60, 60}, {9, 9, 9});
  CHECK(make_plan(spec, large_gpu()).path == Path::native);
  CHECK(make_plan(spec, cpu()).path == Path::fused);
  CHECK(make_plan(spec_of({1, 1, 600}, {1, 1, 90}), large_gpu()).path == Path::fused);
  PlanOptions options;
  options.path = Path::fused;
  const Plan fused = make_plan(spec, large_gpu(), options);
  CHECK(fused.path == Path::fused);
  CHECK(fused.row_pitch >= fused.axes[2].padded / 2 + 1);
  options.path = Path::staged;
  const Plan staged = make_plan(spec, large_gpu(), options);
  CHECK(staged.path == Path::staged);
  CHECK(is_smooth(staged.row_pitch));
  CHECK(staged.row_pitch >= staged.axes[2].padded / 2 + 1);
  CHECK(staged.footprint_bytes > fused.footprint_bytes);
  CHECK(staged.traffic_bytes > fused.traffic_bytes);
}

TEST_CASE("a path that is asked for is taken, or refused with the reason") {
  const ConvolutionSpec spec = spec_of({60, 60, 60}, {9, 9, 9});
  PlanOptions options;
  for (const Path path : {Path::native, Path::fused, Path::staged}) {
    options.path = path;
    CHECK(make_plan(spec, large_gpu(), options).path == path);
    CHECK(path_from_text(name(path)) == path);
  }
  CHECK_FALSE(path_from_text("auto").has_value());
  CHECK_THROWS_WITH_AS(path_from_text("Native"), "'Native' is none of auto, native, fused and staged", Error);
  options.path = Path::native;
  CHECK(make_plan(spec, large_gpu(), options).path == Path::native);
  CHECK_THROWS_WITH_AS(make_plan(spec, cpu(), options),
                       doctest::Contains("the device has no kernels with shared memory"), Error);
  CHECK_THROWS_WITH_AS(
      make_plan(spec_of({1, 1, 600}, {1, 1, 90}), large_gpu(), options),
      doctest::Contains("there is no native path: signals, of one axis, have it in arrays on the device only"), Error);
}

TEST_CASE("traffic is what the passes must move") {
  ConvolutionSpec spec = spec_of({128, 512, 512}, {128, 256, 256});
  const Plan plan = make_plan(spec, large_gpu());
  // 2 s V + 4 C h ny nz + 4 C h py nz + C h py pz
  const std::uint64_t h = 321;
  CHECK(plan.traffic_bytes == 8 * 512 * 512 * 128ull + 32 * h * (512 * 128 + 640 * 128) + 8 * h * 640 * 192);
  CHECK(plan.transfer_bytes == 2 * 4 * 512 * 512 * 128ull);

  spec = spec_of({1, 2048, 2048}, {1, 101, 101});
  const Plan flat = make_plan(spec, large_gpu());
  const auto row = static_cast<std::uint64_t>(flat.axes[2].padded / 2 + 1);
  const auto py = static_cast<std::uint64_t>(flat.axes[1].padded);
  CHECK(flat.traffic_bytes == 8 * 2048 * 2048ull + 32 * row * 2048 + 8 * row * py);

  PlanOptions compact;
  compact.tuning.filter_storage = FilterStorage::compact;
  const Plan few = make_plan(spec_of({1, 500, 2048}, {1, 61, 101}), caching_gpu(), compact);
  const auto few_row = static_cast<std::uint64_t>(few.axes[2].padded / 2 + 1);
  CHECK(few.traffic_bytes == 8 * 500 * 2048ull + 32 * few_row * 500 + 8 * few_row * 61);
}

TEST_CASE("predictions need rates that the device reports") {
  const ConvolutionSpec spec = spec_of({60, 60, 60}, {9, 9, 9});
  CHECK(make_plan(spec, large_gpu()).predicted_seconds > 0);
  CHECK(make_plan(spec, small_gpu()).predicted_seconds == 0);
  CHECK(make_plan(spec, cpu()).transfer_bytes == 0);
}

TEST_CASE("the method that is predicted to be the fastest is chosen") {
  const auto method = [](const Shape& image, const Shape& kernel, std::optional<int> terms = {}) {
    PlanOptions options;
    options.separable_terms = terms;
    Limits two_threads = cpu();
    two_threads.num_host_threads = 2;
    two_threads.memory_bytes_per_second = 6e9;
    return make_plan(spec_of(image, kernel), two_threads, options).method();
  };
  CHECK(method({1, 2048, 2048}, {1, 3, 3}) == Method::direct);
  CHECK(method({128, 128, 128}, {3, 3, 3}) == Method::direct);
  CHECK(method({128, 128, 128}, {17, 17, 17}) == Method::fft);
  CHECK(method({1, 2048, 2048}, {1, 65, 65}) == Method::fft);
  CHECK(method({128, 128, 128}, {17, 17, 17}, 1) == Method::separable);
  CHECK(method({128, 128, 128}, {17, 17, 17}, 0) == Method::fft);
}

TEST_CASE("a method that is asked for is taken, or the plan says why not") {
  PlanOptions options;
  const ConvolutionSpec spec = spec_of({40, 50, 60}, {9, 9, 9});
  for (const Method method : {Method::fft, Method::direct, Method::separable}) {
    options.method = method;
    const Plan plan = make_plan(spec, cpu(), options);
    CHECK(plan.method() == method);
    CHECK(to_json(plan).find(std::string("\"method\": \"") + name(method)) != std::string::npos);
  }
  CHECK(make_plan(spec, cpu(), options).reasons.front().find("not known") != std::string::npos);
  options.separable_terms = 0;
  CHECK_THROWS_AS(make_plan(spec, cpu(), options), Error);
  options.method = Method::direct;
  options.path = Path::staged;
  CHECK_THROWS_AS(make_plan(spec, cpu(), options), Error);
  CHECK_THROWS_AS(method_from_text("quick"), Error);
  CHECK(method_from_text("separable") == Method::separable);
}

TEST_CASE("what a device cannot transform at all is unsupported") {
  Limits limits = small_gpu();
  PlanOptions fft;
  fft.method = Method::fft;
  CHECK(make_plan(spec_of({2000, 8, 8}, {1000, 1, 1}), limits).method() == Method::direct);
  try {
    make_plan(spec_of({2000, 8, 8}, {1000, 1, 1}), limits, fft);
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.code() == Errc::unsupported);
    const std::string text = error.what();
    CHECK(text.find("axis z") != std::string::npos);
    CHECK(text.find("1000") != std::string::npos);
    CHECK(text.find("512") != std::string::npos);
  }
  limits.supports_f64 = false;
  ConvolutionSpec spec = spec_of({8, 8, 8}, {3, 3, 3});
  CHECK_NOTHROW(make_plan(spec, limits));
  spec.precision = Precision::f64;
  try {
    make_plan(spec, limits);
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.code() == Errc::unsupported);
  }
}

TEST_CASE("impossible numbers of tiles are refused") {
  const ConvolutionSpec spec = spec_of({4, 4, 4}, {3, 3, 3});
  for (const Index tiles : {Index{0}, Index{-1}, Index{65}}) {
    PlanOptions options;
    options.min_tiles = tiles;
    try {
      make_plan(spec, {}, options);
      FAIL("no error");
    } catch (const Error& error) {
      CHECK(error.code() == Errc::invalid_argument);
    }
  }
}

TEST_CASE("plans are the same every time") {
  const ConvolutionSpec spec = spec_of({301, 203, 401}, {31, 17, 63});
  const std::string first = to_json(make_plan(spec, large_gpu(), with_limit(20 << 20)));
  for (int repeat = 0; repeat < 3; ++repeat) {
    CHECK(to_json(make_plan(spec, large_gpu(), with_limit(20 << 20))) == first);
  }
}

TEST_CASE("nine copies are the tutorial's") {
  CHECK(nine_copy_bytes(spec_of({128, 512, 512}, {128, 256, 256}, Mode::circular)) == 9ull * 4 * 128 * 512 * 512);
  CHECK(nine_copy_bytes(spec_of({128, 512, 512}, {128, 256, 256})) == 9ull * 4 * 256 * 768 * 768);
  CHECK(nine_copy_bytes(spec_of({1, 512, 512}, {1, 256, 256}, Mode::full)) == 9ull * 4 * 768 * 768);
  ConvolutionSpec twice = spec_of({128, 512, 512}, {128, 256, 256});
  twice.precision = Precision::f64;
  CHECK(nine_copy_bytes(twice) == 9ull * 8 * 256 * 768 * 768);
}

TEST_CASE("tiles overlap where the device can, there is room and it saves time") {
  const ConvolutionSpec stack = spec_of({256, 1024, 1024}, {64, 64, 64});
  const Plan plan = make_plan(stack, overlapping_gpu());
  const Plan serial = make_plan(stack, large_gpu());
  CHECK(serial.num_tiles() == 1);
  CHECK(serial.num_in_flight == 1);
  CHECK(plan.num_tiles() > 1);
  CHECK(plan.num_in_flight > 1);
  CHECK(plan.predicted_seconds < 0.8 * serial.predicted_seconds);
  CHECK(plan.ledger.front().bytes ==
        static_cast<std::uint64_t>(plan.num_in_flight) * (make_program(plan).slots.front().bytes));

  PlanOptions alone;
  alone.max_sets = 1;
  CHECK(make_plan(stack, overlapping_gpu(), alone).num_in_flight == 1);
  const Plan least = make_plan(stack, overlapping_gpu(), with_limit(plan.smallest_footprint_bytes));
  CHECK(least.num_in_flight == 1);
  CHECK(least.footprint_bytes == plan.smallest_footprint_bytes);

  PlanOptions three;
  three.min_sets = 3;
  CHECK(make_plan(stack, large_gpu(), three).num_in_flight == 3);
  CHECK(make_plan(stack, cpu()).num_in_flight == 1);
  // A kernel of half the image's size: every tile would be uploaded nearly whole.
  CHECK(make_plan(spec_of({128, 512, 512}, {128, 256, 256}), overlapping_gpu()).num_tiles() == 1);
}

TEST_CASE("time of overlapping tiles is that of the slowest lane") {
  TileCost tile;
  tile.upload_seconds = 3;
  tile.compute_seconds = 1;
  tile.download_seconds = 2;
  CHECK(run_seconds(tile, 10, 1) == doctest::Approx(60));
  CHECK(run_seconds(tile, 10, 2) == doctest::Approx(6 + 9 * 3));
  tile.compute_seconds = 3;
  CHECK(run_seconds(tile, 10, 2) == doctest::Approx(8 + 9 * 4));
  CHECK(run_seconds(tile, 10, 3) == doctest::Approx(8 + 9 * 3));
  CHECK(run_seconds(tile, 1, 3) == doctest::Approx(8));
}
