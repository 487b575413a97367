// Deconvolution against Richardson-Lucy in plain double precision, and the guarantees that it gives. Run once per
// device.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>

#include "api/restoring.hpp"

using namespace convoy;
using namespace restoring;
using plain::Volume;

TEST_CASE("25 iterations agree with plain double precision") {
  for (const Problem& problem : problems()) {
    for (const Edges edges : {Edges::noncirculant, Edges::zero}) {
      for (const Start start : {Start::automatic, Start::image, Start::flat, Start::value}) {
        if (plans_are_costly() && (start != Start::automatic || edges == Edges::zero)) continue;
        DeconvolutionSpec spec = problem.spec(edges, 25);
        spec.start = start;
        spec.start_value = 37.5;
        if (start == Start::flat) spec.acceleration = Acceleration::none;
        const plain::Result truth = plain::restore(problem.data(), problem.kernel(), spec);
        const Outcome found = restore(spec, problem.data(), problem.kernel(), true);
        CAPTURE(to_text(spec.image));
        CAPTURE(std::string(name(edges)));
        CHECK(difference(found, truth) <= 1e-4);
        CHECK(found.report.iterations == 25);
        REQUIRE(found.report.curve.size() == 26);
        for (std::size_t i = 0; i < 26; ++i) {
          CHECK(found.report.curve[i].iteration == static_cast<Index>(i));
          CHECK(found.report.curve[i].divergence == doctest::Approx(truth.divergence[i]).epsilon(1e-3));
        }
      }
    }
  }
}

TEST_CASE("double precision agrees to rounding, and single precision with it after 100 iterations") {
  const Problem problem;
  if (!device_under_test().limits().supports_f64 || plans_are_costly()) return;
  for (const Edges edges : kEdges) {
    DeconvolutionSpec spec = problem.spec(edges, 100);
    spec.precision = Precision::f64;
    const Outcome in_double = restore(spec, problem.data(), problem.kernel());
    if (edges != Edges::reflect) {
      const plain::Result truth = plain::restore(problem.data(), problem.kernel(), spec);
      CHECK(difference(in_double, truth) <= 1e-9);
    }
    spec.precision = Precision::f32;
    const Outcome in_single = restore(spec, problem.data(), problem.kernel());
    CHECK(oracle::relative_l2(in_single.image, in_double.image) <= 5e-4);
  }
}

TEST_CASE("never negative, flux kept, likelihood never falls") {
  for (const Problem& problem : problems()) {
    for (const Edges edges : kEdges) {
      if (plans_are_costly() && edges == Edges::zero) continue;
      DeconvolutionSpec spec = problem.spec(edges, 30);
      spec.acceleration = Acceleration::none;
      spec.start = Start::flat;
      const Outcome found = restore(spec, problem.data(), problem.kernel(), true);
      CAPTURE(to_text(problem.image));
      CAPTURE(std::string(name(edges)));
      CHECK(found.smallest() >= 0);
      const auto& curve = found.report.curve;
      REQUIRE(curve.size() == 31);
      for (std::size_t i = 1; i < curve.size(); ++i) {
        CHECK(curve[i].divergence <= curve[i - 1].divergence * (1 + 1e-4));
        CHECK(curve[i].relative_change > 0);
      }
      CHECK(curve.back().divergence < 0.5 * curve.front().divergence);
      if (problem.background == 0 && edges != Edges::reflect) {  // reflect: on the padded image
        for (std::size_t i = 1; i < curve.size(); ++i) {
          CHECK(curve[i].modelled_flux == doctest::Approx(found.report.input_sum).epsilon(2e-5));
        }
      }
    }
  }
}

TEST_CASE("accelerated: never 0 where light can be, flux kept, and a higher likelihood") {
  for (const Problem& problem : problems()) {
    const Volume psf = problem.kernel();
    for (const Acceleration acceleration : {Acceleration::momentum, Acceleration::biggs}) {
      DeconvolutionSpec spec = problem.spec(Edges::zero, 15);
      spec.acceleration = acceleration;
      const Outcome found = restore(spec, problem.data(), problem.kernel(), true);
      CAPTURE(to_text(problem.image));
      CAPTURE(std::string(name(acceleration)));
      CHECK(found.smallest() > 0);
      spec.acceleration = Acceleration::none;
      const Outcome plain = restore(spec, problem.data(), problem.kernel(), true);
      CHECK(found.report.curve.back().divergence < plain.report.curve.back().divergence);
      // What is returned is an iteration's own result, which has the data's flux, not what lies ahead of it.
      Volume result(problem.image);
      result.values = found.image;
      const plain::Blur blur(psf, problem.image, problem.image, {0, 0, 0}, plain::center_of(problem.psf));
      if (problem.background == 0)
        CHECK(blur.apply(result).sum() == doctest::Approx(found.report.input_sum).epsilon(2e-5));
    }
  }
}

TEST_CASE("a start value scales with the data, and starts are told apart") {
  const Problem problem;
  DeconvolutionSpec spec = problem.spec(Edges::noncirculant, 0);
  spec.start = Start::value;
  spec.start_value = 12.5;
  const Outcome flat = restore(spec, problem.data(), problem.kernel());
  CHECK(flat.smallest() == 12.5);
  CHECK(flat.largest() == 12.5);
  spec.start_value = 0;
  CHECK_THROWS_WITH_AS(validate(spec), doctest::Contains("the start value is 0"), Error);
  // Noise alone is not started from: what is left of it is what its estimate misses.
  Volume noise({1, 64, 64});
  std::mt19937 random(3);
  for (double& value : noise.values) value = 100 + std::normal_distribution<double>(0, 10)(random);
  const Problem of_noise{noise.shape, {1, 3, 3}};
  spec = of_noise.spec(Edges::noncirculant, 0);
  const Outcome almost_flat = restore(spec, noise, of_noise.kernel());
  CHECK(almost_flat.largest() - almost_flat.smallest() < 10);
  spec.start = Start::image;
  const Outcome noisy = restore(spec, noise, of_noise.kernel());
  CHECK(noisy.largest() - noisy.smallest() > 50);
}

TEST_CASE("a point source stays where it is, for every parity on every axis") {
  for (int parity = 0; parity < 8; ++parity) {
    if (plans_are_costly() && parity != 5) continue;
    for (const Index extra : {0, 1}) {
      if (plans_are_costly() && extra == 1) continue;
      const Shape psf{2 + (parity & 1), 4 + (parity >> 1 & 1), 4 + (parity >> 2 & 1)};
      const Shape image{7 + extra, 10 + extra, 13 + extra};
      const Shape place{image.z / 2, image.y / 2, image.x / 2};
      Volume truth(image);
      truth.at(place.z, place.y, place.x) = 1000;
      const Problem problem{image, psf};
      const Volume data = plain::observe(truth, problem.kernel(), 0, false, 0);
      for (const Edges edges : kEdges) {
        if (plans_are_costly() && edges != Edges::noncirculant) continue;
        const Outcome found = restore(problem.spec(edges, 20), data, problem.kernel());
        double z = 0, y = 0, x = 0, sum = 0;
        plain::for_each(image, [&](Index a, Index b, Index c) {
          const double value = found.image[static_cast<std::size_t>((a * image.y + b) * image.x + c)];
          sum += value;
          z += value * static_cast<double>(a);
          y += value * static_cast<double>(b);
          x += value * static_cast<double>(c);
        });
        CAPTURE(to_text(psf));
        CAPTURE(std::string(name(edges)));
        const auto peak = std::max_element(found.image.begin(), found.image.end()) - found.image.begin();
        CHECK(peak == (place.z * image.y + place.y) * image.x + place.x);
        CHECK(std::abs(z / sum - static_cast<double>(place.z)) < 0.05);
        CHECK(std::abs(y / sum - static_cast<double>(place.y)) < 0.05);
        CHECK(std::abs(x / sum - static_cast<double>(place.x)) < 0.05);
        CHECK(sum == doctest::Approx(1000).epsilon(1e-3));
      }
    }
  }
}

TEST_CASE("masked, saturated, NaN and infinite voxels are restored from their neighbours") {
  const Problem problem;
  const Volume data = problem.data();
  std::vector<bool> missing(data.values.size());
  std::vector<std::uint8_t> mask(data.values.size(), 1);
  Volume spoilt = data;
  for (std::size_t i = 3; i < missing.size(); i += 17) {
    missing[i] = true;
    switch (i % 4) {
      case 0:
        mask[i] = 0;
        spoilt.values[i] = kNan;  // a masked voxel may hold anything
        break;
      case 1:
        spoilt.values[i] = 1e6;
        break;
      case 2:
        spoilt.values[i] = kNan;
        break;
      default:
        spoilt.values[i] = -std::numeric_limits<float>::infinity();
    }
  }
  for (const Edges edges : {Edges::noncirculant, Edges::zero}) {
    if (plans_are_costly() && edges == Edges::zero) continue;
    DeconvolutionSpec spec = problem.spec(edges, 15);
    const plain::Result truth = plain::restore(data, problem.kernel(), spec, missing);
    CHECK_THROWS_WITH_AS(restore(spec, spoilt, problem.kernel(), false, mask), doctest::Contains("NaN or infinite"),
                         Error);
    spec.non_finite = NonFinite::zero;
    spec.saturation = 65535;
    const Outcome found = restore(spec, spoilt, problem.kernel(), false, mask);
    CHECK(difference(found, truth) <= 1e-4);
    const auto& report = found.report;
    CHECK(report.missing_voxels == std::count(missing.begin(), missing.end(), true));
    CHECK(report.non_finite_voxels > 0);
    CHECK(report.saturated_input_voxels > 0);
    CHECK(report.missing_voxels > report.non_finite_voxels + report.saturated_input_voxels);
  }
}

TEST_CASE("darkness, denormal numbers and hot pixels give finite results") {
  const Problem problem;
  const DeconvolutionSpec spec = problem.spec(Edges::noncirculant, 20);
  const auto finite = [](const Outcome& outcome) {
    return std::all_of(outcome.image.begin(), outcome.image.end(), [](double v) { return std::isfinite(v) && v >= 0; });
  };
  Volume data(problem.image);
  const Outcome dark = restore(spec, data, problem.kernel(), true);
  CHECK(finite(dark));
  CHECK(dark.largest() == 0);
  data.at(3, 5, 6) = 1e4;  // one bright voxel in the dark: nothing is divided by zero
  const Outcome lonely = restore(spec, data, problem.kernel());
  CHECK(finite(lonely));
  CHECK(lonely.largest() < 1e6);
  for (double& value : data.values) value += 1e-39;
  CHECK(finite(restore(spec, data, problem.kernel())));
  data = problem.data();
  data.at(0, 0, 0) = 1e9;
  data.at(6, 9, 12) = -50;
  const Outcome hot = restore(spec, data, problem.kernel());
  CHECK(finite(hot));
  CHECK(hot.largest() < 1e12);
  CHECK(hot.report.negative_voxels == 1);
}

TEST_CASE("the device holds what the ledger says, and nothing afterwards") {
  const Problem problem = plans_are_costly() ? Problem{} : Problem{{12, 30, 40}, {5, 9, 11}};
  Device device = device_under_test();
  const std::uint64_t before = device.used_bytes();
  {
    const std::vector<float> psf = to_f32(problem.kernel());
    Deconvolver deconvolver(problem.spec(Edges::noncirculant, 3), ImageView(psf, problem.psf), device);
    const std::uint64_t held = device.used_bytes() - before;
    const DeconvolutionPlan& plan = deconvolver.plan();
    const auto planned = static_cast<double>(plan.footprint_bytes);
    CHECK(static_cast<double>(held) <= 1.05 * planned + 512 * 1024);
    CHECK(static_cast<double>(held) >= 0.5 * planned);
    std::uint64_t sum = 0;
    for (const LedgerLine& line : plan.ledger) sum += line.bytes;
    CHECK(sum == plan.footprint_bytes);
    const std::vector<float> image = to_f32(problem.data());
    std::vector<float> output(image.size());
    for (int time = 0; time < 2; ++time) {  // the second run allocates nothing
      deconvolver.run(ImageView(image, problem.image), MutableImageView(output, problem.image));
      CHECK(device.used_bytes() - before == held);
    }
  }
  CHECK(device.used_bytes() == before);
}

TEST_CASE("iterations can stop by themselves or be stopped, and the deconvolver can be used again") {
  const Problem problem;
  const std::vector<float> psf = to_f32(problem.kernel());
  const std::vector<float> image = to_f32(problem.data());
  std::vector<float> output(image.size());
  DeconvolutionSpec spec = problem.spec(Edges::noncirculant, 200);
  spec.stop_relative_change = 0.01;
  Index stop_after = 4;
  DeconvolverOptions options;
  options.progress = [&](const DeconvolutionProgress& progress) {
    CHECK(progress.num_iterations == 200);
    CHECK(progress.relative_change > 0);
    return progress.iterations_done != stop_after;
  };
  Deconvolver deconvolver(spec, ImageView(psf, problem.psf), device_under_test(), options);
  const auto run = [&] {
    return deconvolver.run(ImageView(image, problem.image), MutableImageView(output, problem.image));
  };
  CHECK_THROWS_WITH_AS(run(), doctest::Contains("after iteration 4 of 200"), Error);
  stop_after = -1;
  const DeconvolutionReport report = run();
  CHECK(report.stop_reason == StopReason::relative_change);
  CHECK(report.iterations > 4);
  CHECK(report.iterations < 200);
  spec.iterations = report.iterations;
  const plain::Result truth = plain::restore(problem.data(), problem.kernel(), spec);
  CHECK(oracle::relative_l2(output, truth.image.values) <= 1e-4);
}

TEST_CASE("the last axes may be swapped, voxels may be integers") {
  const Problem problem = plans_are_costly() ? Problem{} : Problem{{4, 40, 12}, {3, 3, 9}};
  const DeconvolutionSpec spec = problem.spec(Edges::noncirculant, 10);
  const plain::Result truth = plain::restore(problem.data(), problem.kernel(), spec);
  CHECK(difference(restore(spec, problem.data(), problem.kernel()), truth) <= 1e-4);

  const Volume data = problem.data();
  const std::vector<std::uint16_t> image(data.values.begin(), data.values.end());
  const std::vector<float> psf = to_f32(problem.kernel());
  std::vector<std::uint16_t> output(image.size());
  Deconvolver deconvolver(spec, ImageView(psf, spec.psf), device_under_test());
  const auto report = deconvolver.run(ImageView(image, spec.image), MutableImageView(output, spec.image));
  CHECK(report.saturated_voxels == 0);
  double worst = 0;
  for (std::size_t i = 0; i < output.size(); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(output[i]) - truth.image.values[i]));
  }
  CHECK(worst <= 0.6);
}

TEST_CASE("what cannot be done is refused with numbers, before anything is done") {
  const Problem problem;
  const Volume psf = problem.kernel();
  const Volume data = problem.data();
  const auto refused = [&](DeconvolutionSpec spec, const char* message) {
    CHECK_THROWS_WITH_AS(restore(spec, data, psf), doctest::Contains(message), Error);
  };
  const DeconvolutionSpec good = problem.spec(Edges::noncirculant, 1);
  DeconvolutionSpec spec = good;
  spec.iterations = -2;
  refused(spec, "-2 iterations");
  spec = good;
  spec.background = -3;
  refused(spec, "background is -3");
  spec = good;
  spec.origin = Origin::at({3, 0, 0});
  refused(spec, "outside kernel");
  spec = good;
  spec.saturation = 0;
  refused(spec, "every voxel");
  Volume zero(problem.psf);
  CHECK_THROWS_WITH_AS(restore(good, data, zero), doctest::Contains("sum is 0"), Error);

  const std::vector<float> weights = to_f32(psf);
  DeconvolverOptions options;
  options.plan.memory_limit_bytes = 1000;
  const std::uint64_t before = device_under_test().used_bytes();
  CHECK_THROWS_AS(Deconvolver(good, ImageView(weights, problem.psf), device_under_test(), options), OutOfMemory);
  CHECK(device_under_test().used_bytes() == before);
  Deconvolver deconvolver(good, ImageView(weights, problem.psf), device_under_test());
  std::vector<float> image = to_f32(data);
  CHECK_THROWS_WITH_AS(deconvolver.run(ImageView(image, problem.image), MutableImageView(image, problem.image)),
                       doctest::Contains("overlaps"), Error);
  std::vector<float> output(image.size());
  CHECK_THROWS_WITH_AS(deconvolver.run(ImageView(image, {1, 1, 910}), MutableImageView(output, problem.image)),
                       doctest::Contains("planned for 7x10x13"), Error);
}
