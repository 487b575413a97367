// The contract every backend keeps: the same numbers as the direct double-precision sum, for every mode, boundary,
// origin, parity, dimension and precision, whole or in tiles. Device memory starts as NaN, guard bytes lie behind it.
#include "backend/contract_runs.hpp"

using namespace convoy;
using namespace convoy::contract;

TEST_CASE("every mode, boundary, origin and operation equals the direct sum (float32)") {
  for (const Sizes& size : sizes()) {
    for (const ConvolutionSpec& spec : every_mode(size)) check({spec, {}});
  }
}

TEST_CASE("every mode, boundary, origin and operation equals the direct sum (float64)") {
  if (!device_under_test().limits().supports_f64) {
    MESSAGE("this device has no double precision");
    return;
  }
  for (const Sizes& size : sizes()) {
    if (plans_are_costly() && &size != &sizes().front()) continue;
    for (ConvolutionSpec spec : every_mode(size)) {
      if (plans_are_costly() && spec.operation == Operation::correlate) continue;
      spec.precision = Precision::f64;
      check({spec, {}});
    }
  }
}

TEST_CASE("the fused path gives the same numbers as the direct sum") {
  PlanOptions fused;
  fused.path = Path::fused;
  int num_checked = 0;
  for (const Sizes& size : sizes()) {
    if (plans_are_costly() && ++num_checked > 2) return;
    ConvolutionSpec spec = spec_of(size);
    check({spec, fused});
    spec.mode = Mode::full;
    check({spec, fused});
    spec.mode = Mode::circular;
    check({spec, fused});
  }
}

TEST_CASE("the staged path gives the same numbers as the direct sum") {
  PlanOptions staged;
  staged.path = Path::staged;
  for (const Sizes& size : sizes()) {
    ConvolutionSpec spec = spec_of(size);
    check_precisions(spec, staged);
    if (plans_are_costly()) continue;
    for (const Mode mode : {Mode::full, Mode::circular}) {
      spec.mode = mode;
      check_precisions(spec, staged);
    }
  }
}

TEST_CASE("rows long enough to be aligned in memory") {
  for (const Sizes& size : {Sizes{{3, 4, 250}, {2, 3, 9}}, Sizes{{1, 5, 281}, {1, 3, 12}}}) {
    check_precisions(spec_of(size));
  }
}

TEST_CASE("planes of more rows than a workgroup takes at a time") {
  check_precisions(spec_of({{3, 130, 28}, {2, 7, 3}}));
  if (plans_are_costly()) return;
  check_precisions(spec_of({{2, 610, 20}, {2, 9, 4}}));
  check_precisions(spec_of({{3, 133, 30}, {2, 4, 2}}));
}

TEST_CASE("a kernel kept as its spectrum and one that is transformed on the way give the same") {
  std::vector<Sizes> sizes{{{40, 9, 10}, {5, 4, 5}}};
  if (!plans_are_costly()) sizes.insert(sizes.end(), {{{70, 8, 9}, {19, 3, 4}}, {{1, 90, 12}, {1, 11, 3}}});
  std::vector<Origin> origins{Origin{}};
  if (!plans_are_costly()) origins.insert(origins.end(), {{Origin::Rule::first, {0, 0, 0}}, Origin::at({0, 2, 1})});
  for (const Sizes& size : sizes) {
    ConvolutionSpec spec = spec_of(size);
    for (const Operation operation : {Operation::convolve, Operation::correlate}) {
      spec.operation = operation;
      for (const Origin& origin : origins) {
        spec.origin = origin;
        for (const FilterStorage storage : {FilterStorage::spectrum, FilterStorage::compact}) {
          PlanOptions plan;
          plan.tuning.filter_storage = storage;
          check_precisions(spec, plan);
        }
      }
    }
  }
}

TEST_CASE("kernels larger than the image are legal in every mode") {
  std::vector<Sizes> larger{{{4, 5, 6}, {9, 3, 14}}};
  if (!plans_are_costly())
    larger.insert(larger.end(), {{{5, 5, 5}, {16, 16, 16}}, {{1, 1, 3}, {1, 1, 50}}, {{2, 7, 3}, {5, 1, 9}}});
  for (const Sizes& size : larger) {
    for (const ConvolutionSpec& spec : every_mode(size)) {
      const bool contained =
          (size.image.z >= size.kernel.z && size.image.y >= size.kernel.y && size.image.x >= size.kernel.x) ||
          (size.image.z <= size.kernel.z && size.image.y <= size.kernel.y && size.image.x <= size.kernel.x);
      if (spec.mode == Mode::valid && !contained) continue;
      if (plans_are_costly() && (spec.origin.rule != Origin::Rule::center || spec.operation == Operation::correlate))
        continue;
      check({spec, {}});
    }
  }
}

TEST_CASE("tiled equals whole, for every boundary and operation") {
  std::vector<Index> counts{2, 10};
  if (!plans_are_costly()) counts.insert(counts.end(), {5, 37, 100});
  for (const ConvolutionSpec& spec : every_mode({{14, 20, 25}, {3, 4, 5}})) {
    if (spec.origin.rule != Origin::Rule::center) continue;
    for (const Index tiles : counts) {
      if (plans_are_costly() && tiles != 10 && (spec.operation == Operation::correlate || spec.mode != Mode::same))
        continue;
      PlanOptions plan;
      plan.min_tiles = tiles;
      CAPTURE(tiles);
      check({spec, plan}, "in tiles");
    }
  }
}

TEST_CASE("the adjoint law <A x, y> = <x, A' y> holds for every boundary and parity") {
  std::vector<Sizes> parities;
  for (int bits = 0; bits < 8; ++bits) {
    if (plans_are_costly() && bits != 0 && bits != 5) continue;
    parities.push_back({{6 + bits % 2, 7, 8}, {2 + (bits & 1), 4 + (bits >> 1 & 1), 5 + (bits >> 2 & 1)}});
  }
  for (const Sizes& size : parities) {
    for (const Boundary boundary : kAllBoundaries) {
      if (boundary == Boundary::constant) continue;  // with a constant of 0 it is zero, with another affine
      Case forward;
      forward.spec.image = size.image;
      forward.spec.kernel = size.kernel;
      forward.spec.boundary = boundary;
      Case adjoint = forward;
      adjoint.spec.operation = Operation::correlate;
      const auto x = oracle::random_image(size.image, 5);
      const auto y = oracle::random_image(size.image, 6);
      const auto kernel = oracle::random_image(size.kernel, 7);
      const auto ax = run<float>(forward, x, kernel);
      const auto aty = run<float>(adjoint, y, kernel);
      double left = 0, right = 0, scale = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        left += static_cast<double>(ax.voxels[i]) * y[i];
        right += x[i] * static_cast<double>(aty.voxels[i]);
        scale += std::abs(static_cast<double>(ax.voxels[i]) * y[i]);
      }
      CAPTURE(oracle::to_text(forward.spec));
      test::check_difference({"adjoint law", ax.path}, std::abs(left - right) / scale, tolerances::kAdjoint);
    }
  }
}

TEST_CASE("a delta stays where it is, for every parity of image and kernel") {
  for (Index n : {7, 8}) {
    for (Index k : {2, 3, 4, 5}) {
      if (plans_are_costly() && (n != 7 || k > 3)) continue;
      ConvolutionSpec spec;
      spec.image = {n, n, n};
      spec.kernel = {k, k, k};
      std::vector<float> image(static_cast<std::size_t>(n * n * n)), kernel(static_cast<std::size_t>(k * k * k));
      const auto at = [](Index side, Index i) { return static_cast<std::size_t>((i * side + i) * side + i); };
      image[at(n, n / 2)] = 1;
      kernel[at(k, k / 2)] = 1;
      const auto output =
          floats_of(convolve(ImageView(image, spec.image), ImageView(kernel, spec.kernel), spec, device_under_test()));
      CAPTURE(n);
      CAPTURE(k);
      CHECK(oracle::relative_l2(output, {image.begin(), image.end()}) <= tolerances::kFewVoxels);
    }
  }
}

TEST_CASE("scipy's documented cases") {
  const auto line = [](std::vector<float> a, std::vector<float> b, Mode mode,
                       Origin origin = {Origin::Rule::scipy, {}}) {
    ConvolutionSpec spec;
    spec.mode = mode;
    spec.origin = mode == Mode::same ? origin : Origin{};
    return floats_of(convolve(ImageView(a, {1, 1, static_cast<Index>(a.size())}),
                              ImageView(b, {1, 1, static_cast<Index>(b.size())}), spec, device_under_test()));
  };
  const auto expect = [](const std::vector<float>& got, const std::vector<double>& wanted) {
    CHECK(oracle::relative_l2(got, wanted) <= tolerances::kFewVoxels);
  };
  expect(line({1, 2, 3}, {1, 2, 3}, Mode::full), {1, 4, 10, 12, 9});
  expect(line({3, 4, 5}, {1, 2, 3, 4}, Mode::same), {10, 22, 34});
  const std::vector<float> a{1, 2, 3}, b{3, 3, 5, 6, 8, 7, 9, 0, 1};
  expect(line(a, b, Mode::same), {35, 41, 47});
  expect(line(b, a, Mode::same), {9, 20, 25, 35, 41, 47, 39, 28, 2});
  expect(line(b, {3, 2, 1}, Mode::valid), {24, 31, 41, 43, 49, 25, 12});
  expect(line({3, 2, 1}, b, Mode::valid), {24, 31, 41, 43, 49, 25, 12});
  // The two camps of even kernels, one voxel apart (delta at 3 of 7).
  expect(line({0, 0, 0, 1, 0, 0, 0}, {1, 2, 3, 4}, Mode::same), {0, 0, 1, 2, 3, 4, 0});
  expect(line({0, 0, 0, 1, 0, 0, 0}, {1, 2, 3, 4}, Mode::same, {}), {0, 1, 2, 3, 4, 0, 0});

  const auto square = [](std::vector<float> image, std::vector<float> kernel, Mode mode, Boundary boundary,
                         double constant) {
    ConvolutionSpec spec;
    spec.mode = mode;
    spec.boundary = boundary;
    spec.constant = constant;
    if (mode == Mode::same) spec.origin.rule = Origin::Rule::scipy;
    return floats_of(convolve(ImageView(image, {1, 2, 3}), ImageView(kernel, {1, 2, 3}), spec, device_under_test()));
  };
  expect(square({1, 2, 3, 4, 5, 6}, {1, 2, 3, 4, 5, 6}, Mode::full, Boundary::zero, 0),
         {1, 4, 10, 12, 9, 8, 26, 56, 54, 36, 16, 40, 73, 60, 36});
  expect(square({1, 2, 3, 3, 4, 5}, {2, 3, 4, 4, 5, 6}, Mode::full, Boundary::zero, 0),
         {2, 7, 16, 17, 12, 10, 30, 62, 58, 38, 12, 31, 58, 49, 30});
  // convolve2d's boundaries, full mode: the middle 2 x 3 of its documented results are what mode same gives.
  expect(square({1, 2, 3, 3, 4, 5}, {2, 3, 4, 4, 5, 6}, Mode::same, Boundary::constant, 1), {26, 31, 34, 40, 62, 64});
  expect(square({1, 2, 3, 3, 4, 5}, {2, 3, 4, 4, 5, 6}, Mode::same, Boundary::reflect, 0), {30, 44, 62, 48, 62, 80});
  expect(square({1, 2, 3, 3, 4, 5}, {2, 3, 4, 4, 5, 6}, Mode::same, Boundary::wrap, 0), {80, 74, 80, 68, 62, 68});
}
