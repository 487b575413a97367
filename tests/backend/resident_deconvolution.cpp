// Deconvolution of arrays that lie on the device, with the caller's stream: the numbers of a Deconvolver, and not a
// byte written beside the output.
#include <dlfcn.h>

#include <utility>

#include "api/restoring.hpp"
#include "backend/caller_arrays.hpp"

using restoring::Problem;

namespace {

struct Case {
  std::string name;
  std::function<void(DeconvolutionSpec&)> change;
};

std::vector<Case> cases() {
  return {
      {"defaults", [](DeconvolutionSpec&) {}},
      {"flat", [](DeconvolutionSpec& spec) { spec.start = Start::flat, spec.acceleration = Acceleration::none; }},
      {"image", [](DeconvolutionSpec& spec) { spec.start = Start::image, spec.tv = 0.01; }},
      {"value", [](DeconvolutionSpec& spec) { spec.start = Start::value, spec.start_value = 3; }},
      {"biggs", [](DeconvolutionSpec& spec) { spec.acceleration = Acceleration::biggs; }},
      {"landweber", [](DeconvolutionSpec& spec) { spec.algorithm = Algorithm::landweber; }},
      {"wiener", [](DeconvolutionSpec& spec) { spec.algorithm = Algorithm::wiener; }},
      {"psf as given", [](DeconvolutionSpec& spec) { spec.normalize_psf = false; }},
      {"saturated", [](DeconvolutionSpec& spec) { spec.saturation = 60; }},
  };
}

ResidentOptions options_for(const DeconvolutionSpec& spec, Element image, Element output) {
  ResidentOptions options;
  options.image = image;
  options.output = output;
  options.sentinels = true;
  static_cast<void>(spec);
  return options;
}

/// In the element's own values.
std::vector<double> data_of(const Problem& problem, Element element) {
  std::vector<double> data = problem.data().values;
  with_element(element, [&](auto voxel) {
    using T = decltype(voxel);
    for (double& value : data)
      value = static_cast<double>(static_cast<T>(std::is_integral_v<T> ? std::round(value) : value));
  });
  return data;
}

/// What the stand-in of CUDA's and HIP's drivers counts; nothing with real ones, which do not.
std::optional<long> num_synchronizations() {
  for (const char* name : {"libamdhip64.so.5", "libamdhip64.so.6"}) {
    void* const library = dlopen(name, RTLD_NOW | RTLD_NOLOAD);
    if (library == nullptr) continue;
    const auto count = reinterpret_cast<long (*)()>(dlsym(library, "hipemu_num_synchronizations"));
    if (count != nullptr) return count();
  }
  return {};
}

void check(const DeconvolutionSpec& spec, const Problem& problem, Element element, double scale = 1) {
  const Element real = spec.precision == Precision::f32 ? Element::f32 : Element::f64;
  std::vector<double> data = data_of(problem, element);
  for (double& value : data) value *= scale;
  const std::vector<double> psf = problem.kernel().values;
  const ImageView psf_view(psf, spec.psf);

  std::vector<double> expected(data.size());
  Deconvolver deconvolver(spec, psf_view, device());
  deconvolver.run(ImageView(data, spec.image), MutableImageView(expected, spec.image));

  Array image(element, spec.image);
  image.set(data);
  const Array output(real, spec.image);
  ResidentDeconvolver resident(spec, psf_view, device(), options_for(spec, element, real));
  const auto before = num_synchronizations();
  for (int run = 0; run < 2; ++run) resident.run(image.get(), output.get(), memory().stream());
  CHECK(num_synchronizations() == before);  // the host waits for nothing within runs
  resident.wait();
  if (before) CHECK(*num_synchronizations() > *before);
  CHECK(oracle::relative_l2(output.values(), expected) <= 2e-4);
  CHECK(image.values() == data);
}

}  // namespace

TEST_CASE("resident deconvolution: equals a Deconvolver, for every algorithm, start and edge") {
  const Problem problem{plans_are_costly() ? Problem{{4, 6, 9}, {3, 3, 4}} : Problem{{7, 10, 13}, {3, 4, 5}}};
  for (const Case& one : cases()) {
    CAPTURE(one.name);
    for (const Edges edges : {Edges::noncirculant, Edges::zero, Edges::reflect}) {
      if (plans_are_costly() && edges != Edges::noncirculant && one.name != "defaults") continue;
      CAPTURE(name(edges));
      DeconvolutionSpec spec = problem.spec(edges, 4);
      one.change(spec);
      check(spec, problem, Element::f32);
    }
  }
}

TEST_CASE("resident deconvolution: elements, precision, scale and background") {
  Problem problem{{6, 9, 16}, {3, 4, 5}};
  problem.background = 7;
  DeconvolutionSpec spec = problem.spec(Edges::noncirculant, 3);
  check(spec, problem, Element::u16);
  if (plans_are_costly()) return;
  check(spec, problem, Element::u8);
  check(spec, problem, Element::f64);
  for (const double scale : {0x1p-40, 0x1p40}) {
    spec.background = 7 * scale;
    check(spec, problem, Element::f32, scale);
  }
  spec.background = 7;
  if (!device().limits().supports_f64) return;
  spec.precision = Precision::f64;
  check(spec, problem, Element::f64);
}

TEST_CASE("resident deconvolution: arrays at strides, and a PSF for each channel") {
  const Problem problem{{4, 6, 9}, {3, 3, 4}};
  DeconvolutionSpec spec = problem.spec(Edges::noncirculant, 3);
  spec.num_psfs = 2;
  std::vector<double> psfs = problem.kernel().values;
  std::vector<double> other = psfs;
  std::reverse(other.begin(), other.end());
  psfs.insert(psfs.end(), other.begin(), other.end());
  ImageView psf_view(psfs.data(), Element::f64, spec.psf, 2);
  constexpr Index kImages = 4;
  const std::vector<double> data = data_of(problem, Element::f32);
  std::vector<double> all;
  for (Index i = 0; i < kImages; ++i) {
    for (const double value : data) all.push_back(value * static_cast<double>(i + 1));
  }
  std::vector<double> expected(all.size());
  Deconvolver(spec, psf_view, device())
      .run(ImageView(all.data(), Element::f64, spec.image, kImages),
           MutableImageView(expected.data(), Element::f64, spec.image, kImages));

  // Every other plane and voxel of a larger array, along x from behind.
  const Shape storage{8, 8, 64};
  const auto place = [&](Index image, Index z, Index y, Index x) {
    const Index row = (image * storage.z + 2 * z) * storage.y + y;
    return static_cast<std::size_t>(row * storage.x + 2 * (spec.image.x - 1 - x));
  };
  const auto for_each_voxel = [&](const auto& function) {
    std::size_t voxel = 0;
    for (Index i = 0; i < kImages; ++i) {
      for (Index z = 0; z < spec.image.z; ++z) {
        for (Index y = 0; y < spec.image.y; ++y) {
          for (Index x = 0; x < spec.image.x; ++x) function(voxel++, place(i, z, y, x));
        }
      }
    }
  };
  const auto strided = [&](const Array& array) {
    DeviceArray view = array.get();
    const Index row = storage.x * 4;
    view.shape = spec.image;
    view.offset_bytes += static_cast<std::uint64_t>(2 * (spec.image.x - 1) * 4);
    view.strides = Strides{.z = 2 * storage.y * row, .y = row, .x = -8, .image = storage.z * storage.y * row};
    return view;
  };
  constexpr double kGap = -7;
  std::vector<double> placed(static_cast<std::size_t>(num_voxels(storage) * kImages), kGap);
  Array image(Element::f32, storage, kImages);
  Array output(Element::f32, storage, kImages);
  output.set(placed);
  for_each_voxel([&](std::size_t voxel, std::size_t where) { placed[where] = all[voxel]; });
  image.set(placed);
  ResidentOptions options = options_for(spec, Element::f32, Element::f32);
  options.image_strides = strided(image).strides;
  options.output_strides = strided(output).strides;
  ResidentDeconvolver resident(spec, psf_view, device(), options);
  resident.run(strided(image), strided(output), memory().stream());
  resident.wait();
  std::vector<double> written = output.values();
  std::vector<double> found(expected.size());
  for_each_voxel([&](std::size_t voxel, std::size_t where) { found[voxel] = std::exchange(written[where], kGap); });
  CHECK(oracle::relative_l2(found, expected) <= 2e-4);
  CHECK(std::all_of(written.begin(), written.end(), [](double value) { return value == kGap; }));
  CHECK(image.values() == placed);

  DeviceArray three = strided(image);
  three.batch = 3;
  CHECK_THROWS_WITH_AS(resident.run(three, strided(output)), doctest::Contains("3 image(s) for 2 PSFs"), Error);
  CHECK_THROWS_WITH_AS(resident.run(image.get(), output.get()), doctest::Contains("planned for"), Error);
}

TEST_CASE("resident deconvolution: missing voxels, batches, integers, and what it refuses") {
  const Problem problem{{5, 8, 11}, {3, 3, 5}};
  DeconvolutionSpec spec = problem.spec(Edges::noncirculant, 3);
  spec.non_finite = NonFinite::zero;
  const std::vector<double> psf = problem.kernel().values;
  const ImageView psf_view(psf, spec.psf);
  std::vector<double> data = data_of(problem, Element::f32);
  data[17] = NAN;
  data[40] = INFINITY;
  std::vector<double> both = data;
  std::vector<double> second = data;
  std::reverse(second.begin(), second.end());
  both.insert(both.end(), second.begin(), second.end());
  std::vector<double> expected;
  for (const auto& one : {data, second}) {
    std::vector<double> restored(one.size());
    Deconvolver(spec, psf_view, device()).run(ImageView(one, spec.image), MutableImageView(restored, spec.image));
    expected.insert(expected.end(), restored.begin(), restored.end());
  }
  Array image(Element::f32, spec.image, 2);
  image.set(both);
  const Array output(Element::f32, spec.image, 2);
  const Array counts(Element::u16, spec.image, 2);
  ResidentDeconvolver resident(spec, psf_view, device(), options_for(spec, Element::f32, Element::f32));
  if (spec.image.z > 0 && memory().device().info().id.find("vulkan") != 0) {  // whose offsets must be aligned
    resident.run(image.get(), output.get(), memory().stream());
    resident.wait();
    CHECK(oracle::relative_l2(output.values(), expected) <= 2e-4);
    ResidentDeconvolver rounding(spec, psf_view, device(), options_for(spec, Element::f32, Element::u16));
    rounding.run(image.get(), counts.get(), memory().stream());
    rounding.wait();
    const std::vector<double> rounded = counts.values();
    for (std::size_t i = 0; i < rounded.size(); ++i)
      REQUIRE(std::abs(rounded[i] - expected[i]) < 0.51 + 1e-3 * expected[i]);
  }
  CHECK(resident.plan().footprint_bytes > 0);
  CHECK(resident.psf().factor > 0);
  const auto refuses = [&](const char* text, const std::function<void(DeconvolutionSpec&)>& change) {
    DeconvolutionSpec other = spec;
    change(other);
    CHECK_THROWS_WITH_AS(ResidentDeconvolver(other, psf_view, device(), {}), doctest::Contains(text), Error);
  };
  refuses("scikit-image", [](DeconvolutionSpec& other) { other.compatibility = Compatibility::skimage; });
  refuses("relative change", [](DeconvolutionSpec& other) { other.stop_relative_change = 0.1; });
  refuses("iterations", [](DeconvolutionSpec& other) { other.iterations = 1'000'000; });
  const Array small(Element::f32, {1, 8, 11});
  CHECK_THROWS_WITH_AS(resident.run(small.get(), output.get()), doctest::Contains("planned for"), Error);
  CHECK_THROWS_WITH_AS(resident.run(image.get(), image.get()), doctest::Contains("overlaps"), Error);
  ResidentOptions little = options_for(spec, Element::f32, Element::f32);
  little.plan.memory_limit_bytes = 4096;
  CHECK_THROWS_AS(ResidentDeconvolver(spec, psf_view, device(), little), OutOfMemory);
}
