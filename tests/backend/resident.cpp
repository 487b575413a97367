// Convolution of arrays that lie on the device, with the caller's stream: the same numbers as the direct sum, for every
// boundary, whole and in tiles, and not a byte written beside the output.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <numeric>

#include "base/voxel_rows.hpp"
#include "selftest/oracle.hpp"
#include "selftest/tolerances.hpp"
#include "support/caller_memory.hpp"
#include "support/device_under_test.hpp"
#include "support/differences.hpp"

using namespace convoy;

namespace {

constexpr std::size_t kMargin = 4096;
constexpr auto kMarginByte = std::byte{0xA5};

CallerMemory& memory() {
  static const std::unique_ptr<CallerMemory> made = caller_memory();
  return *made;
}

Device device() {
  static const Device opened = memory().device();
  return opened;
}

/// An array between margins.
class Array {
 public:
  Array(Element element, const Shape& shape, Index batch = 1)
      : bytes_(static_cast<std::size_t>(num_voxels(shape) * batch) * size_of(element)),
        array_(memory().allocate(bytes_ + 2 * kMargin), element, shape) {
    array_.offset_bytes = kMargin;
    array_.batch = batch;
    fill(std::byte{0xFF});  // NaN: a voxel that nobody writes cannot pass
  }

  const DeviceArray& get() const { return array_; }

  void fill(std::byte value) {
    std::vector<std::byte> all(bytes_ + 2 * kMargin, kMarginByte);
    std::fill_n(all.begin() + kMargin, bytes_, value);
    memory().write(array_.handle, all);
  }
  void set(const std::vector<double>& values) {
    std::vector<std::byte> all(bytes_ + 2 * kMargin, kMarginByte);
    with_element(array_.element, [&](auto voxel) {
      using T = decltype(voxel);
      for (std::size_t i = 0; i < values.size(); ++i) {
        const auto value = static_cast<T>(values[i]);
        std::memcpy(all.data() + kMargin + i * sizeof value, &value, sizeof value);
      }
    });
    memory().write(array_.handle, all);
  }
  /// Fails if a margin was written.
  std::vector<double> values() const {
    std::vector<std::byte> all(bytes_ + 2 * kMargin);
    memory().read(array_.handle, all);
    const auto untouched = [](std::byte byte) { return byte == kMarginByte; };
    CHECK(std::all_of(all.begin(), all.begin() + kMargin, untouched));
    CHECK(std::all_of(all.end() - kMargin, all.end(), untouched));
    std::vector<double> values;
    with_element(array_.element, [&](auto voxel) {
      for (std::size_t i = 0; i < bytes_ / sizeof voxel; ++i) {
        std::memcpy(&voxel, all.data() + kMargin + i * sizeof voxel, sizeof voxel);
        values.push_back(static_cast<double>(voxel));
      }
    });
    return values;
  }

 private:
  std::size_t bytes_;
  DeviceArray array_;
};

Element real_of(const ConvolutionSpec& spec) { return spec.precision == Precision::f32 ? Element::f32 : Element::f64; }

ResidentOptions options_for(const ConvolutionSpec& spec, const PlanOptions& plan = {}) {
  ResidentOptions options;
  options.plan = plan;
  options.image = options.output = real_of(spec);
  options.sentinels = true;
  return options;
}

/// In the element's own values, so that both sides see the same.
std::vector<double> image_of(const ConvolutionSpec& spec, Element element) {
  std::vector<double> image;
  for (Index i = 0; i < spec.batch; ++i) {
    const std::vector<double> one = oracle::random_image(spec.image, static_cast<unsigned>(i + 1));
    image.insert(image.end(), one.begin(), one.end());
  }
  with_element(element, [&](auto voxel) {
    using T = decltype(voxel);
    for (double& value : image) {
      if (std::is_integral_v<T>) value = std::min(std::abs(value) * 50, 200.0);
      value = static_cast<double>(static_cast<T>(value));
    }
  });
  return image;
}

/// For Method::separable the sum of two products of functions of one axis each, in the precision's own numbers.
std::vector<double> kernel_of(const ConvolutionSpec& spec, Method method = Method::fft) {
  if (method != Method::separable) return oracle::random_image(spec.kernel, 1001);
  const Shape& shape = spec.kernel;
  std::vector<double> kernel(static_cast<std::size_t>(num_voxels(shape)));
  for (unsigned term = 0; term < 2; ++term) {
    const std::vector<double> z = oracle::random_image({1, 1, shape.z}, 3 * term + 1001);
    const std::vector<double> y = oracle::random_image({1, 1, shape.y}, 3 * term + 1002);
    const std::vector<double> x = oracle::random_image({1, 1, shape.x}, 3 * term + 1003);
    for (std::size_t i = 0; i < kernel.size(); ++i) {
      const auto place = static_cast<Index>(i);
      kernel[i] += z[static_cast<std::size_t>(place / (shape.y * shape.x))] *
                   y[static_cast<std::size_t>(place / shape.x % shape.y)] *
                   x[static_cast<std::size_t>(place % shape.x)];
    }
  }
  return kernel;
}

ResidentConvolver convolver_of(const ConvolutionSpec& spec, const ResidentOptions& options) {
  const std::vector<double> kernel = kernel_of(spec, options.plan.method);
  return ResidentConvolver(spec, ImageView(kernel, spec.kernel), device(), options);
}

struct Answer {
  std::vector<double> voxels;
  Path path;
};

Answer run(const ConvolutionSpec& spec, const ResidentOptions& options, const std::vector<double>& voxels) {
  Array image(options.image, spec.image, spec.batch);
  image.set(voxels);
  const Array output(options.output, output_shape(spec), spec.batch);
  ResidentConvolver convolver = convolver_of(spec, options);
  convolver.run(image.get(), output.get(), memory().stream());
  convolver.wait();
  CHECK(image.values() == voxels);
  return {output.values(), convolver.plan().path};
}

template <class Real>
void check_from_cpu(const test::DifferenceKind& kind, const ConvolutionSpec& spec, const PlanOptions& plan,
                    const std::vector<double>& image, const std::vector<double>& output) {
  const std::vector<double> kernel = kernel_of(spec, plan.method);
  test::check_difference_from_cpu<Real>(kind, spec, plan, {image.begin(), image.end()}, {kernel.begin(), kernel.end()},
                                        {output.begin(), output.end()});
}

/// Image by image.
std::vector<double> truth_of(ConvolutionSpec spec, const std::vector<double>& images, Method method = Method::fft) {
  const auto step = static_cast<std::ptrdiff_t>(num_voxels(spec.image));
  std::vector<double> truth;
  for (Index i = 0; i < spec.batch; ++i) {
    const auto begin = images.begin() + i * step;
    const std::vector<double> one = oracle::direct(spec, {begin, begin + step}, kernel_of(spec, method));
    truth.insert(truth.end(), one.begin(), one.end());
  }
  return truth;
}

void check_method(const ConvolutionSpec& spec, const PlanOptions& plan) {
  CAPTURE(oracle::to_text(spec));
  CAPTURE(name(plan.method));
  CAPTURE(plan.min_tiles);
  const std::vector<double> image = image_of(spec, real_of(spec));
  const std::vector<double> truth = truth_of(spec, image, plan.method);
  const Answer answer = run(spec, options_for(spec, plan), image);
  const test::DifferenceKind kind{"resident", answer.path, spec.precision};
  test::check_difference(kind, oracle::relative_l2(answer.voxels, truth), tolerances::convolution(spec.precision));
  if (spec.batch > 1) return;
  spec.precision == Precision::f32 ? check_from_cpu<float>(kind, spec, plan, image, answer.voxels)
                                   : check_from_cpu<double>(kind, spec, plan, image, answer.voxels);
}

/// By transforms, or by the method that the options name.
void check(const ConvolutionSpec& spec, PlanOptions plan = {}) {
  if (plan.method == Method::automatic) plan.method = Method::fft;
  check_method(spec, plan);
}

ConvolutionSpec spec_of(const Shape& image, const Shape& kernel, Mode mode = Mode::same,
                        Boundary boundary = Boundary::zero, Operation operation = Operation::convolve) {
  ConvolutionSpec spec;
  spec.image = image;
  spec.kernel = kernel;
  spec.mode = mode;
  spec.boundary = boundary;
  spec.constant = boundary == Boundary::constant && operation != Operation::correlate ? 1.3 : 0;
  spec.operation = operation;
  return spec;
}

std::vector<ConvolutionSpec> every_mode(const Shape& image, const Shape& kernel) {
  std::vector<ConvolutionSpec> specs{spec_of(image, kernel, Mode::same, Boundary::reflect, Operation::flip)};
  for (const Operation operation : {Operation::convolve, Operation::correlate}) {
    for (const Mode mode : {Mode::full, Mode::valid, Mode::circular}) {
      if (!plans_are_costly()) specs.push_back(spec_of(image, kernel, mode, Boundary::zero, operation));
    }
    for (const Boundary boundary : kAllBoundaries) {
      const bool folds = boundary != Boundary::zero && boundary != Boundary::constant && boundary != Boundary::wrap;
      if (plans_are_costly() && operation == Operation::correlate && !folds) continue;
      specs.push_back(spec_of(image, kernel, Mode::same, boundary, operation));
    }
  }
  return specs;
}

PlanOptions tiles(Index at_least) {
  PlanOptions plan;
  plan.min_tiles = at_least;
  return plan;
}

PlanOptions by(Method method, Index at_least = 1) {
  PlanOptions plan = tiles(at_least);
  plan.method = method;
  return plan;
}

}  // namespace

TEST_CASE("resident: every mode, boundary and operation equals the direct sum") {
  for (const ConvolutionSpec& spec : every_mode({6, 9, 10}, {3, 4, 5})) check(spec);
  if (plans_are_costly()) return;
  for (const ConvolutionSpec& spec : every_mode({1, 13, 8}, {1, 5, 4})) check(spec);
  for (const ConvolutionSpec& spec : every_mode({1, 1, 30}, {1, 1, 7})) check(spec);
  for (const ConvolutionSpec& spec : every_mode({7, 11, 1}, {3, 2, 1})) check(spec);
  for (const ConvolutionSpec& spec : every_mode({1, 1, 1}, {1, 1, 1})) check(spec);
}

TEST_CASE("resident: sums without transforms equal the direct sum, in every mode, boundary and operation") {
  for (const Method method : {Method::direct, Method::separable}) {
    for (ConvolutionSpec spec : every_mode({6, 9, 10}, {3, 4, 5})) {
      check(spec, by(method));
      if (plans_are_costly()) continue;
      check(spec, by(method, 5));
      spec.batch = 3;
      check(spec, by(method));
      spec.precision = Precision::f64;
      check(spec, by(method));
    }
    for (const ConvolutionSpec& spec : every_mode({1, 13, 8}, {1, 5, 4})) check(spec, by(method));
    if (plans_are_costly()) continue;
    for (const ConvolutionSpec& spec : every_mode({1, 1, 30}, {1, 1, 7})) check(spec, by(method));
    for (const ConvolutionSpec& spec : every_mode({7, 11, 1}, {3, 2, 1})) check(spec, by(method));
    for (const ConvolutionSpec& spec : every_mode({1, 1, 1}, {1, 1, 1})) check(spec, by(method));
    for (const ConvolutionSpec& spec : every_mode({5, 4, 6}, {1, 3, 1})) check(spec, by(method));
    for (const ConvolutionSpec& spec : every_mode({5, 4, 6}, {3, 1, 1})) check(spec, by(method));
  }
}

TEST_CASE("resident: sums of images of several workgroups, with filters of many sizes") {
  for (const Method method : {Method::direct, Method::separable}) {
    check(spec_of({1, 150, 141}, {1, 7, 7}, Mode::same, Boundary::reflect), by(method));
    check(spec_of({40, 70, 130}, {3, 3, 3}, Mode::same, Boundary::nearest), by(method));
    if (plans_are_costly()) continue;
    check(spec_of({1, 140, 200}, {1, 3, 3}, Mode::same, Boundary::mirror), by(method));
    check(spec_of({1, 3, 3000}, {1, 2, 31}, Mode::full), by(method));
    check(spec_of({30, 40, 65}, {5, 5, 5}, Mode::same, Boundary::wrap), by(method));
    check(spec_of({9, 75, 68}, {1, 9, 9}, Mode::valid), by(method));
    check(spec_of({30, 40, 66}, {9, 9, 9}, Mode::same, Boundary::zero, Operation::correlate), by(method));
    check(spec_of({1, 1, 5000}, {1, 1, 101}, Mode::same, Boundary::reflect), by(method));
  }
  check(spec_of({30, 40, 70}, {17, 17, 17}, Mode::same, Boundary::reflect), by(Method::separable));
  if (plans_are_costly()) return;
  check(spec_of({90, 20, 30}, {41, 3, 5}, Mode::same, Boundary::nearest), by(Method::separable));
  check(spec_of({10, 70, 90}, {3, 41, 5}, Mode::same, Boundary::wrap), by(Method::separable));
  check(spec_of({10, 30, 150}, {3, 5, 41}, Mode::same, Boundary::reflect), by(Method::separable));
  check(spec_of({100, 10, 70}, {81, 5, 9}, Mode::same, Boundary::mirror), by(Method::separable));
  check(spec_of({1, 200, 70}, {1, 200, 3}, Mode::valid), by(Method::separable));
  check(spec_of({1, 5, 900}, {1, 5, 101}, Mode::valid), by(Method::direct));
}

TEST_CASE("resident: sums with every choice of workgroups") {
  if (plans_are_costly()) return;
  for (const Method method : {Method::direct, Method::separable}) {
    for (const Index threads_y : {4, 16}) {
      for (const Index rows : {1, 2}) {
        PlanOptions plan = by(method);
        plan.sum_tuning = {.threads_y = threads_y, .rows = rows, .planes = 7, .run = 2 * threads_y};
        check(spec_of({30, 40, 65}, {5, 3, 4}, Mode::same, Boundary::reflect), plan);
      }
    }
  }
}

TEST_CASE("resident: small filters are summed up where that is predicted to be faster") {
  const ConvolutionSpec spec = spec_of({1, 600, 500}, {1, 3, 3}, Mode::same, Boundary::reflect);
  const Answer answer = run(spec, options_for(spec), image_of(spec, Element::f32));
  CHECK(answer.path == Path::direct);
  CHECK(oracle::relative_l2(answer.voxels, oracle::direct(spec, image_of(spec, Element::f32), kernel_of(spec))) <=
        tolerances::convolution(spec.precision));
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

TEST_CASE("resident: a signal that is not finite leaves the others of its batch alone") {
  ConvolutionSpec spec = spec_of({1, 1, 90}, {1, 1, 9});
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

TEST_CASE("resident: voxels of every kind are read as they are, rounded to even and clipped") {
  const ConvolutionSpec spec = spec_of({1, 13, 8}, {1, 1, 2}, Mode::same, Boundary::nearest);
  const std::vector<float> kernel{0.5f, 1.0f};
  for (const ElementFacts& facts : kElements) {
    const Element element = facts.element;
    CAPTURE(facts.name);
    if (element == Element::f64 && !device().limits().supports_f64) continue;
    // Of wide integers, what the transform in single precision leaves exact.
    const double highest = std::min(facts.highest, 65535.0);
    std::vector<double> voxels = image_of(spec, element);
    voxels[9] = voxels[10] = highest;
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
      // Rounding in the transform, and of f16 in the voxel.
      const double step = element == Element::f16 ? 0x1p-11 : 0;
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
