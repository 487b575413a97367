// Deconvolution beyond plain Richardson-Lucy: in tiles, accelerated, regularised, and by other algorithms.
#include <doctest/doctest.h>

#include <cmath>
#include <complex>
#include <numbers>
#include <string>

#include "api/restoring.hpp"
#include "deconvolution/program.hpp"
#include "deconvolution/spec.hpp"

using namespace convoy;
using namespace restoring;
using plain::Volume;

namespace {

using Complex = std::complex<double>;

/// The discrete Fourier transform along one axis, by its definition.
std::vector<Complex> transform(const std::vector<Complex>& values, const Shape& shape, int axis, double sign) {
  const Shape stride{shape.y * shape.x, shape.x, 1};
  const Index length = shape[axis];
  std::vector<Complex> result(values.size());
  plain::for_each(shape, [&](Index z, Index y, Index x) {
    const Index place = z * stride.z + y * stride.y + x;
    const Index at = Shape{z, y, x}[axis];
    Complex sum = 0;
    for (Index i = 0; i < length; ++i) {
      const double turns = sign * static_cast<double>(at * i % length) / static_cast<double>(length);
      sum += values[static_cast<std::size_t>(place + (i - at) * stride[axis])] *
             std::polar(1.0, 2 * std::numbers::pi * turns);
    }
    result[static_cast<std::size_t>(place)] = sum;
  });
  return result;
}

std::vector<Complex> transform(std::vector<Complex> values, const Shape& shape, double sign) {
  for (int axis = 0; axis < 3; ++axis) values = transform(values, shape, axis, sign);
  return values;
}

/// Wiener's filter on the image continued by reflection to the frame.
Volume plain_wiener(const Volume& data, Volume psf, const DeconvolutionPlan& plan) {
  const Shape frame = plan.frame();
  const double sum = plan.spec.normalize_psf ? psf.sum() : 1;
  std::vector<Complex> image(static_cast<std::size_t>(num_voxels(frame))), kernel(image.size());
  const auto at = [&](Index z, Index y, Index x) { return static_cast<std::size_t>((z * frame.y + y) * frame.x + x); };
  const auto reflected = [&](Index place, int axis) {
    const Index n = data.shape[axis];
    const Index period = 2 * n;
    const Index folded = ((place - plan.axes[static_cast<std::size_t>(axis)].image_begin) % period + period) % period;
    return folded < n ? folded : period - 1 - folded;
  };
  plain::for_each(frame, [&](Index z, Index y, Index x) {
    image[at(z, y, x)] = data.at(reflected(z, 0), reflected(y, 1), reflected(x, 2)) - plan.spec.background;
  });
  const Shape c = plain::center_of(psf.shape);
  plain::for_each(psf.shape, [&](Index z, Index y, Index x) {
    const Index pz = (z - c.z + frame.z) % frame.z, py = (y - c.y + frame.y) % frame.y,
                px = (x - c.x + frame.x) % frame.x;
    kernel[at(pz, py, px)] = psf.at(z, y, x) / sum;
  });
  image = transform(image, frame, -1);
  kernel = transform(kernel, frame, -1);
  const double noise = plan.spec.wiener_noise * std::norm(kernel[0]);
  for (std::size_t i = 0; i < image.size(); ++i) {
    image[i] *= std::conj(kernel[i]) / (std::norm(kernel[i]) + noise) / static_cast<double>(image.size());
  }
  image = transform(image, frame, 1);
  Volume result(data.shape);
  plain::for_each(data.shape, [&](Index z, Index y, Index x) {
    result.at(z, y, x) =
        image[at(z + plan.axes[0].image_begin, y + plan.axes[1].image_begin, x + plan.axes[2].image_begin)].real();
  });
  return result;
}

PlanOptions in_tiles(Index least) {
  PlanOptions plan;
  plan.min_tiles = least;
  return plan;
}

}  // namespace

TEST_CASE("in tiles, 10 iterations equal the whole") {
  const Problem problem;
  std::vector<DeconvolutionSpec> specs;
  for (const Edges edges : kEdges) specs.push_back(problem.spec(edges, 10));
  if (!plans_are_costly()) {
    for (const Edges edges : kEdges) {
      DeconvolutionSpec spec = problem.spec(edges, 10);
      spec.acceleration = Acceleration::biggs;
      spec.tv = 0.01;
      specs.push_back(spec);
      spec = problem.spec(edges, 10);
      spec.algorithm = Algorithm::landweber;
      specs.push_back(spec);
      spec.precision = Precision::f64;
      specs.push_back(spec);
    }
  } else {
    specs.resize(1);
  }
  for (const DeconvolutionSpec& spec : specs) {
    const Outcome whole = restore(spec, problem.data(), problem.kernel(), true);
    for (const Index tiles : {2, 7}) {
      if (plans_are_costly() && tiles != 2) continue;
      const Outcome tiled = restore(spec, problem.data(), problem.kernel(), true, {}, in_tiles(tiles));
      CAPTURE(std::string(name(spec.edges)));
      CAPTURE(std::string(name(spec.algorithm)));
      CAPTURE(tiles);
      CHECK(oracle::relative_l2(tiled.image, whole.image) <= (spec.precision == Precision::f32 ? 1e-5 : 1e-12));
      REQUIRE(tiled.report.curve.size() == whole.report.curve.size());
      CHECK(tiled.report.curve.back().divergence ==
            doctest::Approx(whole.report.curve.back().divergence).epsilon(1e-3));
      CHECK(tiled.report.curve.back().relative_change ==
            doctest::Approx(whole.report.curve.back().relative_change).epsilon(1e-3));
    }
  }
}

TEST_CASE("a device that is too small is served in tiles, within its memory, masks and all") {
  const Problem problem = plans_are_costly() ? Problem{} : Problem{{12, 30, 40}, {3, 5, 7}};
  const DeconvolutionSpec spec = problem.spec(Edges::noncirculant, 3);
  const Limits limits = device_under_test().limits();
  const DeconvolutionPlan whole = make_plan(spec, limits);
  REQUIRE_FALSE(whole.is_tiled());
  PlanOptions little;
  little.memory_limit_bytes = whole.footprint_bytes * 6 / 10;
  const DeconvolutionPlan tiled = make_plan(spec, limits, little);
  REQUIRE(tiled.is_tiled());
  CHECK(tiled.footprint_bytes <= little.memory_limit_bytes);
  CHECK(tiled.reasons.front().find("at once") != std::string::npos);
  std::vector<std::uint8_t> mask(static_cast<std::size_t>(num_voxels(spec.image)), 1);
  for (std::size_t i = 0; i < mask.size(); i += 11) mask[i] = 0;
  const Outcome expected = restore(spec, problem.data(), problem.kernel(), false, mask);
  const Outcome found = restore(spec, problem.data(), problem.kernel(), false, mask, little);
  CHECK(oracle::relative_l2(found.image, expected.image) <= 1e-5);
  if (!plans_are_costly()) CHECK(found.report.peak_device_bytes <= little.memory_limit_bytes);
  CHECK(found.report.missing_voxels == expected.report.missing_voxels);
}

TEST_CASE("fast tiles differ from the whole by no more than they say, and by less the wider their halo") {
  const Problem problem = plans_are_costly() ? Problem{{1, 1, 96}, {1, 1, 5}} : Problem{{10, 40, 50}, {3, 5, 7}};
  DeconvolutionSpec spec = problem.spec(Edges::noncirculant, 10);
  const Outcome whole = restore(spec, problem.data(), problem.kernel());
  spec.tiles = Tiles::fast;
  const std::vector<double> halos = plans_are_costly() ? std::vector<double>{1} : std::vector<double>{0.5, 1, 2};
  double seam_before = 1;
  double error_before = 1;
  for (const double halo : halos) {
    spec.halo = halo;
    const DeconvolutionPlan plan = make_plan(spec, device_under_test().limits(), in_tiles(6));
    REQUIRE(plan.fast);
    CHECK(plan.fast->num_tiles() >= 6);
    const Outcome found = restore(spec, problem.data(), problem.kernel(), false, {}, in_tiles(6));
    const double error = oracle::relative_l2(found.image, whole.image);
    const SeamError seam = found.report.seam;
    CAPTURE(halo);
    CHECK(found.smallest() >= 0);
    CHECK(found.report.output_sum == doctest::Approx(whole.report.output_sum).epsilon(0.01));
    CHECK(seam.voxels > 0);
    CHECK(error < seam.relative_l2);  // far from seams there is less than next to them
    CHECK(error > 0.02 * seam.relative_l2);
    CHECK(seam.largest_difference > 0);
    CHECK(seam.relative_l2 < 0.7 * seam_before);
    CHECK(error < 0.7 * error_before);
    seam_before = seam.relative_l2;
    error_before = error;
  }
  CHECK(error_before < 0.01);
}

TEST_CASE("fast tiles keep within the memory allowed, take masks, and start all from the whole image's mean") {
  if (plans_are_costly()) return;
  const Problem problem{{12, 30, 60}, {3, 5, 7}};
  DeconvolutionSpec spec = problem.spec(Edges::noncirculant, 3);
  spec.tiles = Tiles::fast;
  const DeconvolutionPlan at_once = make_plan(spec, device_under_test().limits());
  REQUIRE_FALSE(at_once.fast);
  PlanOptions little;
  little.memory_limit_bytes = at_once.footprint_bytes * 7 / 10;
  const DeconvolutionPlan plan = make_plan(spec, device_under_test().limits(), little);
  REQUIRE(plan.fast);
  CHECK(plan.footprint_bytes <= little.memory_limit_bytes);
  std::vector<std::uint8_t> mask(static_cast<std::size_t>(num_voxels(spec.image)), 1);
  for (std::size_t i = 0; i < mask.size(); i += 11) mask[i] = 0;
  const Outcome whole = restore(spec, problem.data(), problem.kernel(), false, mask);
  const Outcome found = restore(spec, problem.data(), problem.kernel(), false, mask, little);
  CHECK(oracle::relative_l2(found.image, whole.image) < 0.05);
  CHECK(found.report.missing_voxels == whole.report.missing_voxels);
  CHECK(found.report.input_sum == whole.report.input_sum);
  CHECK(found.report.peak_device_bytes <= little.memory_limit_bytes);

  spec.iterations = 0;  // what remains is the start
  spec.start = Start::flat;
  const Outcome start = restore(spec, problem.data(), problem.kernel(), false, {}, little);
  CHECK(start.smallest() == start.largest());
  little.memory_limit_bytes = 3000;
  CHECK_THROWS_AS(make_plan(spec, device_under_test().limits(), little), OutOfMemory);
}

TEST_CASE("accelerated iterations agree with plain double precision, and are worth several") {
  const Problem problem;
  DeconvolutionSpec spec = problem.spec(Edges::noncirculant, 12);
  spec.acceleration = Acceleration::biggs;
  spec.start = Start::flat;
  const Outcome found = restore(spec, problem.data(), problem.kernel(), true);
  const plain::Result truth = plain::restore(problem.data(), problem.kernel(), spec);
  CHECK(difference(found, truth) <= 1e-3);
  CHECK(found.smallest() >= 0);
  DeconvolutionSpec plainly = problem.spec(Edges::noncirculant, 30);
  plainly.acceleration = Acceleration::none;
  plainly.start = Start::flat;
  const plain::Result slow = plain::restore(problem.data(), problem.kernel(), plainly);
  CHECK(found.report.curve.back().divergence < slow.divergence.back());
  if (plans_are_costly()) return;
  spec.precision = Precision::f64;
  CHECK(difference(restore(spec, problem.data(), problem.kernel()), truth) <= 1e-9);
}

TEST_CASE("gradient consensus agrees with plain double precision, in tiles too, and ends by itself") {
  for (const Problem& problem : problems()) {
    DeconvolutionSpec spec = problem.spec(Edges::noncirculant, 12);
    spec.stop = Stop::gradient_consensus;
    spec.precision = device_under_test().limits().supports_f64 ? Precision::f64 : Precision::f32;
    const plain::Result truth = plain::restore(problem.data(), problem.kernel(), spec);
    const Outcome found = restore(spec, problem.data(), problem.kernel(), true);
    CAPTURE(to_text(problem.image));
    if (spec.precision == Precision::f64) CHECK(difference(found, truth) <= 1e-9);
    CHECK(found.smallest() >= 0);
    DeconvolutionSpec all = spec;
    all.stop = Stop::none;
    CHECK(oracle::relative_l2(found.image, restore(all, problem.data(), problem.kernel()).image) > 1e-3);
    if (plans_are_costly() || num_voxels(problem.image) < 500) continue;
    const Outcome tiled = restore(spec, problem.data(), problem.kernel(), true, {}, in_tiles(2));
    CHECK(oracle::relative_l2(tiled.image, found.image) <= 1e-9);
    spec.iterations = kDefaultIterations;
    spec.precision = Precision::f32;
    const Outcome ended = restore(spec, problem.data(), problem.kernel());
    CHECK(ended.report.stop_reason == StopReason::gradient_consensus);
    CHECK(ended.report.iterations < 200);
  }
}

TEST_CASE("discrepancy ends where noise explains the rest") {
  const Problem problem{{12, 30, 30}, {3, 5, 5}};
  DeconvolutionSpec spec = problem.spec(Edges::noncirculant, kDefaultIterations);
  spec.stop = Stop::discrepancy;
  const Outcome found = restore(spec, problem.data(), problem.kernel(), true);
  CHECK(found.report.stop_reason == StopReason::discrepancy);
  CHECK(found.report.iterations > 1);
  // Counts have a variance of their mean: half a unit of divergence a voxel. Fourth differences see the scene, too.
  const auto& curve = found.report.curve;
  const auto voxels = static_cast<double>(num_voxels(problem.image));
  CHECK(curve[curve.size() - 2].divergence > 0.4 * voxels);
  CHECK(curve[curve.size() - 2].divergence < 2 * voxels);
  CHECK(curve[curve.size() - 3].divergence > curve[curve.size() - 2].divergence);
}

TEST_CASE("a background can be estimated") {
  const Problem problem{{4, 40, 50}, {1, 3, 3}};
  Volume data = problem.data();
  const double none = restore(problem.spec(Edges::noncirculant, 1), data, problem.kernel()).report.dim_level;
  for (double& value : data.values) value += 100;
  DeconvolutionSpec spec = problem.spec(Edges::noncirculant, 5);
  spec.estimate_background = true;
  const Outcome found = restore(spec, data, problem.kernel());
  CHECK(found.report.background == doctest::Approx(100 + none).epsilon(1e-6));
  CHECK(found.report.background == found.report.dim_level);
  spec.estimate_background = false;
  spec.background = found.report.background;
  const Outcome given = restore(spec, data, problem.kernel());
  CHECK(given.image == found.image);
}

TEST_CASE("total variation agrees with plain double precision, leaves flat images alone and knows no favourite axis") {
  const Problem problem{{6, 7, 8}, {3, 3, 3}};
  DeconvolutionSpec spec = problem.spec(Edges::zero, 10);
  spec.tv = 0.05;
  spec.voxel_size = {2, 1, 0.5};
  const Volume data = problem.data();
  CHECK(difference(restore(spec, data, problem.kernel()), plain::restore(data, problem.kernel(), spec)) <= 1e-4);
  if (plans_are_costly()) return;

  spec.edges = Edges::reflect;
  const Volume flat(problem.image, 70);
  const Outcome still_flat = restore(spec, flat, problem.kernel());
  CHECK(still_flat.largest() - still_flat.smallest() < 1e-2);

  // The same scene with axes exchanged: z for x. Noise is estimated along x, so that no start depends on it here.
  spec.start = Start::flat;
  spec.edges = Edges::noncirculant;
  const auto turned = [](const Volume& volume) {
    Volume result({volume.shape.x, volume.shape.y, volume.shape.z});
    plain::for_each(volume.shape, [&](Index z, Index y, Index x) { result.at(x, y, z) = volume.at(z, y, x); });
    return result;
  };
  const Outcome straight = restore(spec, data, problem.kernel());
  DeconvolutionSpec other = spec;
  std::swap(other.image.z, other.image.x);
  std::swap(other.psf.z, other.psf.x);
  std::swap(other.voxel_size[0], other.voxel_size[2]);
  Volume turned_result(other.image);
  turned_result.values = restore(other, turned(data), turned(problem.kernel())).image;
  CHECK(oracle::relative_l2(turned(turned_result).values, straight.image) <= 1e-4);
  // And flat patches are flatter than without.
  const auto roughness = [&](const std::vector<double>& image) {
    double total = 0;
    for (std::size_t i = 1; i < image.size(); ++i) total += std::abs(image[i] - image[i - 1]);
    return total;
  };
  spec.tv = 0;
  CHECK(roughness(straight.image) < 0.98 * roughness(restore(spec, data, problem.kernel()).image));
}

TEST_CASE("Landweber's iterations agree with plain double precision and approach the data") {
  for (const Problem& problem : problems()) {
    for (const Edges edges : {Edges::noncirculant, Edges::zero}) {
      if (plans_are_costly() && edges == Edges::zero) continue;
      DeconvolutionSpec spec = problem.spec(edges, 20);
      spec.algorithm = Algorithm::landweber;
      const Outcome found = restore(spec, problem.data(), problem.kernel(), true);
      const plain::Result truth = plain::restore(problem.data(), problem.kernel(), spec);
      CAPTURE(to_text(problem.image));
      CHECK(difference(found, truth) <= 1e-4);
      CHECK(found.smallest() >= 0);
      CHECK(found.report.curve.back().divergence < found.report.curve.front().divergence);
    }
  }
}

TEST_CASE("Wiener's filter agrees with the discrete Fourier transform's definition") {
  const std::vector<Problem> few{{{5, 8, 9}, {3, 4, 5}, 4}};
  const std::vector<Problem> many{few.front(), {{1, 11, 12}, {1, 4, 5}}, {{1, 1, 30}, {1, 1, 6}}};
  for (const Problem& problem : plans_are_costly() ? few : many) {
    for (const std::optional<Path> path : {std::optional<Path>(), std::optional(Path::staged)}) {
      if (plans_are_costly() && path) continue;
      DeconvolutionSpec spec = problem.spec(Edges::noncirculant, 25);
      spec.algorithm = Algorithm::wiener;
      spec.wiener_noise = 0.01;
      PlanOptions options;
      options.path = path;
      const DeconvolutionPlan plan = make_plan(spec, device_under_test().limits(), options);
      CHECK(plan.spec.edges == Edges::reflect);
      const Volume truth = plain_wiener(problem.data(), problem.kernel(), plan);
      const Outcome found = restore(spec, problem.data(), problem.kernel(), true, {}, options);
      CHECK(oracle::relative_l2(found.image, truth.values) <= 1e-4);
      CHECK(found.report.iterations == 0);
      CHECK(found.report.curve.empty());
      Volume twice = problem.kernel();
      for (double& value : twice.values) value *= 2;
      spec.normalize_psf = false;
      const Outcome half = restore(spec, problem.data(), twice, false, {}, options);
      for (std::size_t i = 0; i < half.image.size(); i += 7) {
        CHECK(2 * half.image[i] == doctest::Approx(found.image[i]).epsilon(1e-3));
      }
    }
  }
}

TEST_CASE("the ledger is the program's slots, for every method") {
  const Limits limits = device_under_test().limits();
  const Problem problem;
  for (const Edges edges : kEdges) {
    for (const bool wiener : {false, true}) {
      for (const Acceleration acceleration : {Acceleration::none, Acceleration::momentum, Acceleration::biggs}) {
        if (wiener && acceleration != Acceleration::none) continue;
        DeconvolutionSpec spec = problem.spec(edges, 5);
        spec.algorithm = wiener ? Algorithm::wiener : Algorithm::richardson_lucy;
        spec.acceleration = acceleration;
        const DeconvolutionPlan plan = make_plan(spec, limits);
        std::uint64_t slots = 0;
        for (const LedgerLine& line : plan.ledger) {
          const bool in_program = line.name != "FFT tables" || plan.convolution.path == Path::native;
          slots += in_program ? line.bytes : 0;
        }
        CHECK(slots == make_program(plan).footprint_bytes());
        const std::size_t frames = wiener ? 1 : 3 + num_acceleration_images(acceleration);
        const auto frame_bytes = static_cast<std::uint64_t>(4 * num_voxels(plan.frame()));
        std::size_t found = 0;
        for (const LedgerLine& line : plan.ledger) found += line.bytes == frame_bytes ? 1 : 0;
        CHECK(found >= frames);
      }
    }
  }
}

TEST_CASE("methods that do not go together are refused") {
  const Problem problem;
  const auto refused = [&](DeconvolutionSpec spec, const char* message) {
    CHECK_THROWS_WITH_AS(validate(spec), doctest::Contains(message), Error);
  };
  DeconvolutionSpec spec = problem.spec(Edges::zero, 5);
  spec.algorithm = Algorithm::landweber;
  spec.acceleration = Acceleration::biggs;
  refused(spec, "acceleration belongs to Richardson-Lucy, but the algorithm is landweber");
  spec.acceleration = Acceleration::none;
  spec.tv = 0.1;
  refused(spec, "total variation belongs");
  spec.tv = 0;
  spec.damping = 2;
  refused(spec, "damping belongs");
  spec.damping = 0;
  for (const double relaxation : {0.0, 2.0}) {
    spec.relaxation = relaxation;
    refused(spec, "it must be above 0 and below 2");
  }
  spec.relaxation = 1;
  spec.algorithm = Algorithm::richardson_lucy;
  spec.clip = false;
  refused(spec, "relaxation and clip belong to Landweber");
  spec.clip = true;
  spec.algorithm = Algorithm::landweber;
  spec.stop = Stop::discrepancy;
  refused(spec, "discrepancy belongs");
  spec.algorithm = Algorithm::richardson_lucy;
  spec.stop = Stop::gradient_consensus;
  spec.acceleration = Acceleration::biggs;
  refused(spec, "not with Biggs' acceleration");
  spec.stop = Stop::none;
  spec.acceleration = Acceleration::none;
  spec.tv = 0.1;
  spec.algorithm = Algorithm::richardson_lucy;
  spec.tv = 1;
  refused(spec, "below 1");
  spec.tv = 0.1;
  spec.compatibility = Compatibility::skimage;
  refused(spec, "neither acceleration nor total variation");
  spec = problem.spec(Edges::zero, 5);
  spec.tiles = Tiles::fast;
  refused(spec, "fast tiles do not go together with other edges");
  spec.edges = Edges::noncirculant;
  spec.stop_relative_change = 0.1;
  refused(spec, "a relative change to stop at; choose exact tiles");
  spec = problem.spec(Edges::zero, 5);
  spec.voxel_size = {1, 0, 1};
  refused(spec, "voxel size is 0");
  spec.algorithm = Algorithm::wiener;
  PlanOptions little;
  little.memory_limit_bytes = 2000;
  spec.voxel_size = {1, 1, 1};
  CHECK_THROWS_AS(make_plan(spec, device_under_test().limits(), little), OutOfMemory);
}
