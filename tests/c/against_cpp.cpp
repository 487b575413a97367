// convoy.h computes what the C++ classes compute: the same bits on the same device, and the same defaults. On every
// device.
#include <convoy.h>
#include <doctest/doctest.h>

#include <cstring>
#include <limits>

#include "selftest/oracle.hpp"
#include "support/device_under_test.hpp"
#include "support/random_problem.hpp"

using namespace convoy;

namespace {

struct Release {
  void operator()(convoy_device* device) const { convoy_device_release(device); }
};

void require_ok(int status) {
  CAPTURE(convoy_last_error());
  REQUIRE(status == CONVOY_OK);
}

std::unique_ptr<convoy_device, Release> opened_in_c() {
  convoy_device* device = nullptr;
  require_ok(convoy_device_open(device_under_test().info().id.c_str(), &device));
  return std::unique_ptr<convoy_device, Release>(device);
}

void put(const Shape& shape, int64_t* extents) {
  for (int axis = 0; axis < 3; ++axis) extents[axis] = shape[axis];
}

convoy_image image_in_c(void* voxels, int32_t element, const Shape& shape, Index batch = 1) {
  convoy_image image{};
  image.struct_size = sizeof image;
  image.data = voxels;
  image.element = element;
  put(shape, image.shape);
  image.batch = batch;
  return image;
}

/// By numbers, which are those of the enumerations.
convoy_convolution_spec spec_in_c(const ConvolutionSpec& spec) {
  convoy_convolution_spec result;
  require_ok(convoy_convolution_spec_init(&result, sizeof result));
  put(spec.image, result.image);
  put(spec.kernel, result.kernel);
  result.mode = static_cast<int32_t>(spec.mode);
  result.boundary = static_cast<int32_t>(spec.boundary);
  result.constant = spec.constant;
  result.origin = static_cast<int32_t>(spec.origin.rule);
  put(spec.origin.index, result.origin_index);
  result.operation = static_cast<int32_t>(spec.operation);
  result.precision = spec.precision == Precision::f64 ? CONVOY_F64 : CONVOY_F32;
  result.normalize_kernel = spec.normalize_kernel;
  if (spec.region) {
    result.has_region = 1;
    put(spec.region->begin, result.region_begin);
    put(spec.region->size, result.region_size);
  }
  return result;
}

}  // namespace

TEST_CASE("convolution: the same bits as C++, in random problems") {
  const auto device = opened_in_c();
  test::Dice dice(test::number_from("CONVOY_TEST_SEED", 20));
  const int cases = plans_are_costly() ? 2 : 60;
  for (int i = 0; i < cases; ++i) {
    const ConvolutionSpec spec = test::random_spec(dice);
    CAPTURE(oracle::to_text(spec));
    if (spec.precision == Precision::f64 && !device_under_test().limits().supports_f64) continue;
    std::vector<double> image = oracle::random_image(spec.image, 1), kernel = oracle::random_image(spec.kernel, 2);
    const auto count = static_cast<std::size_t>(num_voxels(output_shape(spec)));
    std::vector<double> expected(count), found(count, std::numeric_limits<double>::quiet_NaN());
    Convolver convolver(spec, {kernel, spec.kernel}, device_under_test());
    convolver.run({image, spec.image}, {expected, output_shape(spec)});

    const convoy_convolution_spec c_spec = spec_in_c(spec);
    int64_t shape[3];
    require_ok(convoy_output_shape(&c_spec, shape, nullptr));
    CHECK(Shape{shape[0], shape[1], shape[2]} == output_shape(spec));
    const convoy_image from = image_in_c(image.data(), CONVOY_F64, spec.image);
    const convoy_image taps = image_in_c(kernel.data(), CONVOY_F64, spec.kernel);
    const convoy_image to = image_in_c(found.data(), CONVOY_F64, output_shape(spec));
    const convoy_device* devices[] = {device.get()};
    convoy_convolver* c_convolver = nullptr;
    require_ok(convoy_convolver_create(&c_spec, &taps, devices, 1, nullptr, &c_convolver));
    require_ok(convoy_convolver_run(c_convolver, &from, &to, nullptr));
    convoy_convolver_destroy(c_convolver);
    CHECK(std::memcmp(expected.data(), found.data(), count * sizeof(double)) == 0);
  }
}

TEST_CASE("every element has its number") {
  const auto device = opened_in_c();
  for (const ElementFacts& facts : kElements) {
    CAPTURE(facts.name);
    if (plans_are_costly() && facts.element != Element::u16) continue;
    std::vector<std::byte> image(4 * facts.bytes), output(image);
    float one = 1;
    ConvolutionSpec spec;
    spec.image = {1, 1, 4};
    const convoy_convolution_spec c_spec = spec_in_c(spec);
    const convoy_image from = image_in_c(image.data(), static_cast<int32_t>(facts.element), spec.image);
    const convoy_image taps = image_in_c(&one, CONVOY_F32, {1, 1, 1});
    const convoy_image to = image_in_c(output.data(), static_cast<int32_t>(facts.element), spec.image);
    require_ok(convoy_convolve(&from, &taps, &c_spec, device.get(), &to));
    CHECK(output == image);
  }
}

namespace {

/// Counts with noise on a camera's offset, and a PSF.
struct Restoration {
  DeconvolutionSpec spec;
  std::vector<double> image;
  std::vector<double> psf;

  Restoration() {
    spec.image = {6, 12, 13};
    spec.psf = {3, 5, 4};
    image = oracle::random_image(spec.image, 3);
    psf = oracle::random_image(spec.psf, 4);
    for (double& voxel : image) voxel = 10 + voxel;
    for (double& voxel : psf) voxel = std::abs(voxel);
  }
  convoy_deconvolution_spec in_c() const {
    convoy_deconvolution_spec result;
    require_ok(convoy_deconvolution_spec_init(&result, sizeof result));
    put(spec.image, result.image);
    put(spec.psf, result.psf);
    return result;
  }
  convoy_image image_in_c() { return ::image_in_c(image.data(), CONVOY_F64, spec.image); }
  convoy_image psf_in_c() { return ::image_in_c(psf.data(), CONVOY_F64, spec.psf); }
};

bool same_bits(const std::vector<float>& one, const std::vector<float>& other) {
  return one.size() == other.size() && std::memcmp(one.data(), other.data(), one.size() * sizeof(float)) == 0;
}

}  // namespace

TEST_CASE("deconvolution: the same bits as C++, with every default and with every stop") {
  const auto device = opened_in_c();
  struct Case {
    Stop stop;
    std::int32_t number;
    bool estimates;
  };
  for (const Case& one : {Case{Stop::none, CONVOY_STOP_NONE, false},
                          {Stop::none, CONVOY_STOP_NONE, true},
                          {Stop::gradient_consensus, CONVOY_STOP_GRADIENT_CONSENSUS, false},
                          {Stop::discrepancy, CONVOY_STOP_DISCREPANCY, false}}) {
    CAPTURE(one.number);
    Restoration problem;
    problem.spec.stop = one.stop;
    problem.spec.estimate_background = one.estimates;
    const DeconvolutionSpec& spec = problem.spec;
    std::vector<float> expected(problem.image.size());
    std::vector<float> found(problem.image.size(), std::numeric_limits<float>::quiet_NaN());
    const DeconvolutionReport report = Deconvolver(spec, {problem.psf, spec.psf}, device_under_test())
                                           .run({problem.image, spec.image}, {expected, spec.image});

    convoy_deconvolution_spec c_spec = problem.in_c();
    c_spec.stop = one.number;
    c_spec.estimate_background = one.estimates ? 1 : 0;
    const convoy_image from = problem.image_in_c();
    const convoy_image light = problem.psf_in_c();
    const convoy_image to = image_in_c(found.data(), CONVOY_F32, spec.image);
    convoy_deconvolver* deconvolver = nullptr;
    const convoy_device* devices[] = {device.get()};
    convoy_deconvolution_report c_report{};
    c_report.struct_size = sizeof c_report;
    require_ok(convoy_deconvolver_create(&c_spec, &light, devices, 1, nullptr, &deconvolver));
    require_ok(convoy_deconvolver_run(deconvolver, &from, nullptr, &to, &c_report));
    convoy_deconvolver_destroy(deconvolver);
    CHECK(same_bits(expected, found));
    CHECK(c_report.iterations == report.iterations);
    CHECK(c_report.background == report.background);
    CHECK(c_report.dim_level == report.dim_level);
    const std::int32_t reasons[] = {CONVOY_STOPPED_BY_ITERATIONS, CONVOY_STOPPED_BY_RELATIVE_CHANGE,
                                    CONVOY_STOPPED_BY_GRADIENT_CONSENSUS, CONVOY_STOPPED_BY_DISCREPANCY};
    CHECK(c_report.stop_reason == reasons[static_cast<int>(report.stop_reason)]);
    if (one.stop != Stop::none) CHECK(c_report.stop_reason != CONVOY_STOPPED_BY_ITERATIONS);
  }
  convoy_deconvolution_spec wrong = Restoration().in_c();
  wrong.stop = 9;
  CHECK(convoy_deconvolution_plan_json(&wrong, device.get(), nullptr, nullptr) == CONVOY_INVALID_ARGUMENT);
}

TEST_CASE("deconvolution on the device: the same bits as C++") {
  const auto device = opened_in_c();
  Restoration problem;
  problem.spec.iterations = 3;
  const DeconvolutionSpec& spec = problem.spec;
  const std::vector<float> voxels(problem.image.begin(), problem.image.end());
  const std::uint64_t bytes = voxels.size() * sizeof(float);
  std::vector<float> expected(voxels.size()), found(voxels.size());
  DeviceBuffer image(device_under_test(), bytes), output(device_under_test(), bytes);
  image.write(std::as_bytes(std::span(voxels)));
  ResidentDeconvolver resident(spec, {problem.psf, spec.psf}, device_under_test());
  resident.run(image.array(Element::f32, spec.image), output.array(Element::f32, spec.image));
  resident.wait();
  output.read(std::as_writable_bytes(std::span(expected)));

  convoy_deconvolution_spec c_spec = problem.in_c();
  c_spec.iterations = 3;
  const convoy_image light = problem.psf_in_c();
  const auto array = [&](const DeviceBuffer& buffer) {
    convoy_device_array result{};
    result.struct_size = sizeof result;
    result.handle = buffer.array(Element::f32, spec.image).handle;
    result.element = CONVOY_F32;
    put(spec.image, result.shape);
    return result;
  };
  const convoy_device_array from = array(image), to = array(output);
  output.write(std::as_bytes(std::span(found)));
  convoy_resident_deconvolver* deconvolver = nullptr;
  require_ok(
      convoy_resident_deconvolver_create(&c_spec, &light, device.get(), CONVOY_F32, CONVOY_F32, nullptr, &deconvolver));
  require_ok(convoy_resident_deconvolver_run(deconvolver, &from, &to, 0));
  require_ok(convoy_resident_deconvolver_wait(deconvolver));
  convoy_resident_deconvolver_destroy(deconvolver);
  output.read(std::as_writable_bytes(std::span(found)));
  CHECK(same_bits(expected, found));
}

TEST_CASE("the self-test from C") {
  if (plans_are_costly()) return;
  const auto device = opened_in_c();
  int32_t passed = 0;
  char* json = nullptr;
  require_ok(convoy_selftest_json(device.get(), &passed, &json));
  CHECK(passed == 1);
  CHECK(std::string(json).find("\"passed\": true") != std::string::npos);
  convoy_string_free(json);
}

TEST_CASE("where libraries were looked for, from C") {
  opened_in_c();
  char* json = nullptr;
  require_ok(convoy_libraries_json(&json));
  CHECK(std::string(json) == to_json(list_libraries()));
  CHECK(std::string(json).find("\"place\": ") != std::string::npos);
  convoy_string_free(json);
}
