// Convolution of arrays that lie on the device, with the caller's stream: the same numbers as the direct sum, for every
// boundary, whole and in tiles, and not a byte written beside the output.
#include "backend/resident_runs.hpp"

TEST_CASE("resident: every mode, boundary and operation equals the direct sum") {
  for (const ConvolutionSpec& spec : every_mode({6, 9, 10}, {3, 4, 5})) check(spec);
  if (plans_are_costly()) return;
  for (const ConvolutionSpec& spec : every_mode({1, 13, 8}, {1, 5, 4})) check(spec);
  for (const ConvolutionSpec& spec : every_mode({1, 1, 30}, {1, 1, 7})) check(spec);
  for (const ConvolutionSpec& spec : every_mode({7, 11, 1}, {3, 2, 1})) check(spec);
  for (const ConvolutionSpec& spec : every_mode({1, 1, 1}, {1, 1, 1})) check(spec);
}

TEST_CASE("resident: tiled equals whole, for every boundary and operation") {
  for (ConvolutionSpec spec : every_mode({14, 20, 25}, {3, 4, 5})) {
    check(spec, tiles(10));
    if (plans_are_costly()) continue;
    check(spec, tiles(37));
    spec.precision = Precision::f64;
    check(spec, tiles(5));
  }
}

TEST_CASE("resident: batches of images, whole and in tiles") {
  for (ConvolutionSpec spec : every_mode({5, 9, 10}, {3, 4, 5})) {
    spec.batch = 3;
    check(spec);
    if (plans_are_costly()) return;
    check(spec, tiles(5));
  }
  for (ConvolutionSpec spec : every_mode({1, 13, 8}, {1, 5, 4})) {
    spec.batch = 7;
    check(spec);
    check(spec, tiles(4));
  }
  ConvolutionSpec lines = spec_of({1, 1, 30}, {1, 1, 7}, Mode::same, Boundary::reflect);
  lines.batch = 5;
  check(lines);
}

TEST_CASE("resident: signals in tiles, along any axis, in one launch") {
  for (ConvolutionSpec spec : every_mode({1, 1, 230}, {1, 1, 17})) {
    check(spec, tiles(4));  // an even number of tiles, and an odd one
    if (plans_are_costly()) continue;
    check(spec, tiles(7));
    spec.batch = 3;
    check(spec, tiles(3));
  }
  const ConvolutionSpec along_z = spec_of({230, 1, 1}, {17, 1, 1}, Mode::same, Boundary::mirror);
  check(along_z, tiles(5));
  ConvolutionSpec precise = spec_of({1, 301, 1}, {1, 32, 1}, Mode::full);
  precise.precision = Precision::f64;
  if (device().limits().supports_f64) check(precise, tiles(6));
}

TEST_CASE("resident: tiles of planes in one launch, and planes that no workgroup holds") {
  for (ConvolutionSpec spec : every_mode({1, 37, 41}, {1, 9, 6})) {
    spec.batch = 3;  // a pair, and one alone
    check(spec);
    if (plans_are_costly()) continue;
    check(spec, tiles(4));
    check(spec, tiles(9));
  }
  for (const ConvolutionSpec& spec : every_mode({1, 270, 12}, {1, 5, 4})) check(spec);
  ConvolutionSpec pencils = spec_of({3, 1, 250}, {2, 1, 31}, Mode::same, Boundary::reflect);
  pencils.batch = 2;
  check(pencils, tiles(3));
  ConvolutionSpec precise = spec_of({1, 33, 50}, {1, 8, 7}, Mode::full);
  precise.precision = Precision::f64;
  if (device().limits().supports_f64) check(precise, tiles(6));
}

TEST_CASE("resident: an image that is not finite leaves the others of its batch alone") {
  for (ConvolutionSpec spec : {spec_of({1, 1, 90}, {1, 1, 9}), spec_of({1, 9, 10}, {1, 3, 3})}) {
    spec.batch = 5;
    for (const int num_tiles : {1, 3}) {
      const std::vector<double> clean = image_of(spec, Element::f32);
      std::vector<double> dirty = clean;
      dirty[90 + 40] = NAN;
      dirty[3 * 90 + 20] = -INFINITY;
      const std::vector<double> truth = truth_of(spec, clean);
      Array image(Element::f32, spec.image, spec.batch);
      image.set(dirty);
      const Array output(Element::f32, spec.image, spec.batch);
      ResidentConvolver convolver = convolver_of(spec, options_for(spec, by(Method::fft, num_tiles)));
      convolver.run(image.get(), output.get(), memory().stream());
      const std::vector<double> got = output.values();
      for (const std::size_t i : {0, 2, 4}) {
        for (std::size_t x = 90 * i; x < 90 * (i + 1); ++x) REQUIRE(std::abs(got[x] - truth[x]) < 1e-4);
      }
      CHECK(std::isnan(got[90 + 40]));
      CHECK(!std::isfinite(got[3 * 90 + 20]));
    }
  }
}

TEST_CASE("resident: kernels that reach over the image more than once") {
  for (const Boundary boundary : kAllBoundaries) {
    if (boundary == Boundary::zero || boundary == Boundary::constant) continue;
    for (const Operation operation : {Operation::convolve, Operation::correlate}) {
      if (plans_are_costly() && boundary == Boundary::wrap) continue;
      check(spec_of({1, 5, 4}, {1, 14, 13}, Mode::same, boundary, operation));
      if (!plans_are_costly()) check(spec_of({1, 1, 2}, {3, 4, 9}, Mode::same, boundary, operation));
      if (!plans_are_costly()) check(spec_of({3, 2, 4}, {5, 9, 13}, Mode::same, boundary, operation), tiles(4));
    }
  }
}

TEST_CASE("resident: the staged path and double precision") {
  PlanOptions staged;
  staged.path = Path::staged;
  ConvolutionSpec spec = spec_of({6, 9, 10}, {3, 4, 5}, Mode::same, Boundary::reflect);
  check(spec, staged);
  if (!device().limits().supports_f64) return;
  spec.precision = Precision::f64;
  check(spec);
  spec.boundary = Boundary::constant;
  spec.constant = 0.1;
  check(spec);
}

TEST_CASE("resident: bfloat16 is rounded once from either precision") {
  // Ties, what is none although its float is one, the largest that is finite, and the smallest.
  const std::vector<double> values{1 + 0x1p-8,
                                   1 + 0x3p-8,
                                   1 + 0x1p-8 + 0x1p-40,
                                   1 + 0x1p-8 - 0x1p-40,
                                   -1 - 0x1p-8 - 0x1p-40,
                                   0x1.FEp127,
                                   0x1.FFp127,
                                   0x1.FEFFFp127,
                                   3.140625,
                                   -0x1p-100 - 0x1p-108};
  const ConvolutionSpec spec =
      spec_of({1, 1, static_cast<Index>(values.size())}, {1, 1, 1}, Mode::same, Boundary::zero);
  const std::vector<float> kernel{1};
  for (const Precision precision : {Precision::f32, Precision::f64}) {
    if (precision == Precision::f64 && !device().limits().supports_f64) continue;
    const bool single = precision == Precision::f32;
    ResidentOptions options = options_for(spec);
    options.image = single ? Element::f32 : Element::f64;
    options.output = Element::bf16;
    options.plan.method = Method::direct;
    ConvolutionSpec as = spec;
    as.precision = precision;
    Array image(options.image, spec.image);
    image.set(values);
    const Array output(Element::bf16, spec.image);
    ResidentConvolver convolver(as, ImageView(kernel, spec.kernel), device(), options);
    convolver.run(image.get(), output.get(), memory().stream());
    const std::vector<double> got = output.values();
    for (std::size_t i = 0; i < values.size(); ++i) {
      CAPTURE(i);
      const double read = single ? static_cast<double>(static_cast<float>(values[i])) : values[i];
      CHECK(got[i] == static_cast<double>(static_cast<float>(BFloat16(read))));
    }
  }
}

TEST_CASE("resident: voxels of every kind are read as they are, rounded to even and clipped") {
  const ConvolutionSpec spec = spec_of({1, 13, 8}, {1, 1, 2}, Mode::same, Boundary::nearest);
  const std::vector<float> kernel{0.5f, 1.0f};
  for (const ElementFacts& facts : kRealElements) {
    const Element element = facts.element;
    CAPTURE(facts.name);
    if (element == Element::f64 && !device().limits().supports_f64) continue;
    // Of wide integers, what the transform in single precision leaves exact.
    const double highest = std::min(facts.highest, 65535.0);
    std::vector<double> voxels = image_of(spec, element);
    voxels[9] = voxels[10] = highest;
    if (element == Element::bf16) {  // as the image holds them
      for (double& value : voxels) value = BFloat16(value);
    }
    std::vector<double> expected =
        oracle::direct(spec, voxels, std::vector<double>(kernel.begin(), kernel.end()));  // exact: halves of integers
    if (!is_floating(element)) {
      for (double& value : expected) value = std::min(std::nearbyint(value), facts.highest);
    }
    ResidentOptions options = options_for(spec);
    options.image = options.output = element;
    Array image(element, spec.image);
    image.set(voxels);
    const Array output(element, spec.image);
    options.plan.method = Method::direct;
    {
      const Array summed(element, spec.image);
      ResidentConvolver sums(spec, ImageView(kernel, spec.kernel), device(), options);
      sums.run(image.get(), summed.get(), memory().stream());
      const std::vector<double> exact = summed.values();
      for (std::size_t i = 0; i < exact.size(); ++i) {
        if (!is_floating(element)) CHECK(exact[i] == expected[i]);
        if (element == Element::f32 && std::isfinite(exact[i])) CHECK(exact[i] == doctest::Approx(expected[i]));
      }
    }
    options.plan.method = Method::fft;
    ResidentConvolver convolver(spec, ImageView(kernel, spec.kernel), device(), options);
    convolver.run(image.get(), output.get(), memory().stream());
    const std::vector<double> got = output.values();
    if (element == Element::f16) CHECK(std::isinf(got[9]));  // 1.5 times the largest
    if (is_floating(element)) {
      // Rounding in the transform, and of f16 and bf16 in the voxel.
      const double step = element == Element::f16 ? 0x1p-11 : element == Element::bf16 ? 0x1p-9 : 0;
      for (std::size_t i = 0; i < got.size(); ++i) {
        if (std::isfinite(got[i])) CHECK(std::abs(got[i] - expected[i]) <= 0.02 + step * std::abs(expected[i]));
      }
      continue;
    }
    // The transform's rounding may tip a half to either side; everything else is exact.
    for (std::size_t i = 0; i < got.size(); ++i) CHECK(std::abs(got[i] - expected[i]) <= 1);
    if (size_of(element) < 4) CHECK(got[9] == highest);
    const auto differing = std::inner_product(got.begin(), got.end(), expected.begin(), 0, std::plus<>(),
                                              [](double a, double b) { return a == b ? 0 : 1; });
    CHECK(differing <= static_cast<int>(got.size()) / 2);
    options.output = Element::f32;
    CHECK(oracle::relative_l2(run(spec, options, voxels).voxels, oracle::direct(spec, voxels, kernel_of(spec))) <=
          tolerances::convolution(spec.precision));
  }
}

TEST_CASE("resident: NaN is taken as zero where the spec says so") {
  ConvolutionSpec spec = spec_of({6, 9, 10}, {3, 4, 5});
  spec.non_finite = NonFinite::zero;
  std::vector<double> clean = image_of(spec, Element::f32);
  clean[100] = clean[200] = clean[300] = 0;
  std::vector<double> dirty = clean;
  dirty[100] = NAN;
  dirty[200] = INFINITY;
  dirty[300] = -INFINITY;
  Array image(Element::f32, spec.image);
  image.set(dirty);
  const Array output(Element::f32, spec.image);
  for (const Method method : {Method::fft, Method::direct, Method::separable}) {
    ResidentConvolver convolver = convolver_of(spec, options_for(spec, by(method)));
    convolver.run(image.get(), output.get());
    convolver.wait();
    CHECK(oracle::relative_l2(output.values(), oracle::direct(spec, clean, kernel_of(spec, method))) <=
          tolerances::convolution(spec.precision));
  }
}

TEST_CASE("resident: runs are queued one behind the other, on changing arrays") {
  const ConvolutionSpec spec = spec_of({6, 9, 10}, {3, 4, 5}, Mode::circular);
  const std::vector<double> kernel = kernel_of(spec);
  const std::vector<double> voxels = image_of(spec, Element::f32);
  Array first(Element::f32, spec.image), second(Element::f32, spec.image), third(Element::f32, spec.image);
  first.set(voxels);
  ResidentConvolver convolver = convolver_of(spec, options_for(spec));
  for (int round = 0; round < 3; ++round) convolver.run(first.get(), second.get(), memory().stream());
  convolver.run(second.get(), third.get(), memory().stream());
  const std::vector<double> twice = third.values();  // waits for the caller's stream alone
  const std::vector<double> once = oracle::direct(spec, voxels, kernel);
  CHECK(oracle::relative_l2(twice, oracle::direct(spec, once, kernel)) <= tolerances::in_a_row(2, spec.precision));
}

TEST_CASE("resident: the device holds what the ledger says, no transfers, and nothing afterwards") {
  const ConvolutionSpec spec = spec_of({14, 20, 25}, {3, 4, 5}, Mode::same, Boundary::reflect);
  const std::uint64_t before = device().used_bytes();
  {
    const ResidentConvolver convolver =
        convolver_of(spec, {.plan = tiles(10), .image = {}, .output = {}, .trace_memory = {}, .sentinels = false});
    CHECK(convolver.plan().transfer_bytes == 0);
    CHECK(convolver.plan().resident);
    const auto held = static_cast<double>(device().used_bytes() - before);
    const auto planned = static_cast<double>(convolver.plan().footprint_bytes);
    CHECK(held <= 1.05 * planned + (1 << 19));  // drivers round allocations up
    CHECK(held > 0);
  }
  CHECK(device().used_bytes() == before);
}

TEST_CASE("resident: what cannot be run is refused with the reason") {
  const ConvolutionSpec spec = spec_of({6, 9, 10}, {3, 4, 5});
  const Array image(Element::f32, spec.image), output(Element::f32, spec.image);
  ResidentConvolver convolver = convolver_of(spec, options_for(spec));
  const auto refuses = [&](const DeviceArray& in, const DeviceArray& out, const char* words) {
    CHECK_THROWS_WITH_AS(convolver.run(in, out, memory().stream()), doctest::Contains(words), Error);
  };
  DeviceArray wrong = image.get();
  wrong.shape = {9, 6, 10};
  refuses(wrong, output.get(), "9x6x10");
  wrong = image.get();
  wrong.element = Element::u16;
  refuses(wrong, output.get(), "u16");
  wrong.handle = 0;
  refuses(wrong, output.get(), "null handle");
  refuses(image.get(), image.get(), "overlaps");

  const ConvolutionSpec adjoint = spec_of({6, 9, 10}, {3, 4, 5}, Mode::same, Boundary::reflect, Operation::correlate);
  ResidentOptions options = options_for(adjoint);
  options.output = Element::u8;
  CHECK_THROWS_WITH_AS(convolver_of(adjoint, options), doctest::Contains("must be f32"), Error);
  if (const std::uint64_t most = device().limits().max_binding_bytes; most > 0) {
    const ConvolutionSpec wide = spec_of({1, static_cast<Index>(most / 4096) + 1, 1024}, {1, 1, 3});
    CHECK_THROWS_WITH_AS(convolver_of(wide, options_for(wide)), doctest::Contains("run it in parts"), Error);
  }
  const ConvolutionSpec large = spec_of({2000, 2000, 2000}, {1, 1, 3});
  CHECK_THROWS_WITH_AS(convolver_of(large, options_for(large, tiles(4000))), doctest::Contains("2^32"), Error);
}
