#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "base/voxel_rows.hpp"
#include "convoy/device_buffer.hpp"
#include "laws/law.hpp"
#include "selftest/oracle.hpp"
#include "selftest/tolerances.hpp"
#include "support/device_under_test.hpp"
#include "support/several_kernels.hpp"

namespace convoy::laws {
namespace {

using test::Dice;
using Values = std::vector<double>;

PlanOptions options_of(const Case& one) {
  PlanOptions options;
  options.min_tiles = std::min(one.min_tiles, num_voxels(output_shape(one.spec)));
  options.min_sets = one.min_sets;
  options.method = one.method;
  options.path = one.path;
  if (one.memory_share < 0) return options;
  const Plan whole = make_plan(one.spec, device_under_test().limits(), options);
  const auto range = static_cast<double>(whole.footprint_bytes - whole.smallest_footprint_bytes);
  options.memory_limit_bytes = whole.smallest_footprint_bytes + static_cast<std::uint64_t>(one.memory_share * range);
  return options;
}

/// The case's method, and nothing else.
PlanOptions by_method(const Case& one) {
  PlanOptions options;
  options.method = one.method;
  return options;
}

template <class Real>
Values run_as(const ConvolutionSpec& spec, const PlanOptions& plan, const Values& image, const Values& kernel) {
  const std::vector<Real> voxels(image.begin(), image.end());
  const std::vector<Real> weights(kernel.begin(), kernel.end());
  ConvolverOptions options;
  options.plan = plan;
  options.sentinels = true;
  options.sums = true;
  Convolver convolver(spec, ImageView(weights, spec.kernel), device_under_test(), options);
  std::vector<Real> output(static_cast<std::size_t>(num_voxels(convolver.output_shape())),
                           std::numeric_limits<Real>::quiet_NaN());
  const RunReport report =
      convolver.run(ImageView(voxels, spec.image), MutableImageView(output, convolver.output_shape()));
  if (!spec.region) {  // however many tiles read a voxel, it is summed up once
    double sum = 0, magnitude = 1e-300;
    for (const Real voxel : voxels) {
      sum += static_cast<double>(voxel);
      magnitude += std::abs(static_cast<double>(voxel));
    }
    if (std::abs(report.input_sum - sum) > 1e-12 * magnitude) {
      throw Broken{fmt::format("the report's input sum is {}, not {}", report.input_sum, sum)};
    }
  }
  return {output.begin(), output.end()};
}

Values run(const ConvolutionSpec& spec, const PlanOptions& plan, const Values& image, const Values& kernel) {
  return spec.precision == Precision::f32 ? run_as<float>(spec, plan, image, kernel)
                                          : run_as<double>(spec, plan, image, kernel);
}

Values image_of(const Case& one) { return oracle::random_image(one.spec.image, 3 * one.voxels_seed); }
/// For Method::separable a product of functions of z, y and x.
Values kernel_of(const Case& one) {
  const std::uint64_t seed = 3 * one.voxels_seed + 1;
  if (one.method != Method::separable) return oracle::random_image(one.spec.kernel, seed);
  const auto& [z, y, x] = one.spec.kernel;
  const Values planes = oracle::random_image({1, 1, z}, seed),
               rows = oracle::random_image({1, 1, y}, seed + 1000000007),
               columns = oracle::random_image({1, 1, x}, seed + 2000000011);
  Values kernel;
  for (const double of_z : planes) {
    for (const double of_y : rows) {
      for (const double of_x : columns) kernel.push_back(of_z * of_y * of_x);
    }
  }
  return kernel;
}
Values other_image_of(const Case& one) { return oracle::random_image(one.spec.image, 3 * one.voxels_seed + 2); }

double norm_of(const Values& values) {
  double squares = 0;
  for (const double value : values) squares += value * value;
  return std::sqrt(squares);
}

/// The norm that an output of random values has when its terms do not happen to cancel one another.
double usual_norm(const Case& one, const Values& image, const Values& kernel, std::size_t num_outputs) {
  const auto terms = static_cast<double>(std::max(num_voxels(one.spec.image), num_voxels(one.spec.kernel)));
  return norm_of(image) * norm_of(kernel) * std::sqrt(static_cast<double>(num_outputs) / terms);
}

/// Empty if found is expected, to the precision's rounding. `scale`: what rounding errors are relative to, if more.
std::string disagreement(const Values& found, const Values& expected, Precision precision, double scale = 0) {
  if (found.size() != expected.size()) return fmt::format("{} voxels, not {}", found.size(), expected.size());
  double difference = 0, norm = 1e-300;
  for (std::size_t i = 0; i < found.size(); ++i) {
    difference += (found[i] - expected[i]) * (found[i] - expected[i]);
    norm += expected[i] * expected[i];
  }
  const double error = std::sqrt(difference) / std::max(std::sqrt(norm), scale);
  const double allowed = tolerances::convolution(precision);
  return error <= allowed ? "" : fmt::format("relative L2 difference {:.3g}, {:.1g} is allowed", error, allowed);
}

Case random_case(Dice& dice) {
  Case one;
  one.spec = test::random_spec(dice);
  one.method = dice.one_of({Method::fft, Method::fft, Method::direct, Method::separable});
  one.voxels_seed = static_cast<std::uint64_t>(dice.between(0, 1 << 30));
  return one;
}

Case random_tiling(Dice& dice) {
  Case one = random_case(dice);
  if (dice.between(0, 3) == 0 && one.method == Method::fft) one.path = Path::staged;
  one.min_sets = static_cast<int>(dice.between(1, 3));
  if (dice.between(0, 1) == 0) {
    one.min_tiles = dice.between(2, 40);
  } else {
    one.memory_share = static_cast<double>(dice.between(0, 1000)) / 1000;
  }
  return one;
}

std::string is_direct_sum(const Case& one) {
  const Values image = image_of(one), kernel = kernel_of(one);
  const Values truth = oracle::direct(one.spec, image, kernel);
  return disagreement(run(one.spec, options_of(one), image, kernel), truth, one.spec.precision,
                      usual_norm(one, image, kernel, truth.size()));
}

/// A linear operator from an image to one of the same shape.
Case random_operator(Dice& dice) {
  Case one = random_case(dice);
  ConvolutionSpec& spec = one.spec;
  spec.mode = dice.one_of({Mode::same, Mode::same, Mode::circular});
  do {
    spec.boundary = spec.mode == Mode::circular ? Boundary::zero : dice.boundary();
  } while (spec.boundary == Boundary::constant);
  spec.constant = 0;
  spec.operation = Operation::convolve;
  if (dice.between(0, 1) == 0) one.min_tiles = 5;
  return one;
}

/// <A x, y> = <x, A' y>.
std::string adjoint_agrees(const Case& one) {
  ConvolutionSpec adjoint = one.spec;
  adjoint.operation = Operation::correlate;
  const Values x = image_of(one), y = other_image_of(one), kernel = kernel_of(one);
  const Values ax = run(one.spec, by_method(one), x, kernel);
  const Values aty = run(adjoint, options_of(one), y, kernel);
  double left = 0, right = 0, scale = norm_of(ax) * norm_of(y) + norm_of(x) * norm_of(aty) + 1e-300;
  for (std::size_t i = 0; i < x.size(); ++i) {
    left += ax[i] * y[i];
    right += x[i] * aty[i];
  }
  const double error = std::abs(left - right) / scale;
  if (error <= tolerances::convolution(one.spec.precision)) return "";
  return fmt::format("<A x, y> = {:.9g}, <x, A' y> = {:.9g}", left, right);
}

/// Such an operator of several kernels.
Case random_kernels(Dice& dice) {
  Case one = random_operator(dice);
  one.spec = test::with_kernels(one.spec, dice);
  return one;
}

/// All outputs of several kernels.
template <class Real>
Values run_kernels_as(const ConvolutionSpec& spec, const PlanOptions& plan, const Values& images,
                      const test::KernelsProblem& problem) {
  const std::vector<Real> voxels(images.begin(), images.end());
  const std::vector<Real> kernels(problem.kernels.begin(), problem.kernels.end());
  ConvolverOptions options;
  options.plan = plan;
  options.sentinels = true;
  if (!problem.weights.empty()) {
    options.weights = ImageView(problem.weights, weights_shape(spec), spec.num_kernels);
  }
  Convolver convolver(spec, ImageView(kernels, spec.kernel, spec.num_kernels), device_under_test(), options);
  std::vector<Real> output(static_cast<std::size_t>(num_voxels(convolver.output_shape()) * num_outputs(spec)),
                           std::numeric_limits<Real>::quiet_NaN());
  convolver.run(ImageView(voxels, spec.image, num_images(spec)),
                MutableImageView(output, convolver.output_shape(), num_outputs(spec)));
  return {output.begin(), output.end()};
}
Values run_kernels(const ConvolutionSpec& spec, const PlanOptions& plan, const Values& images,
                   const test::KernelsProblem& problem) {
  return spec.precision == Precision::f32 ? run_kernels_as<float>(spec, plan, images, problem)
                                          : run_kernels_as<double>(spec, plan, images, problem);
}

std::string kernels_adjoint_agrees(const Case& one) {
  ConvolutionSpec adjoint = one.spec;
  adjoint.operation = Operation::correlate;
  const auto problem = test::kernels_problem(one.spec, one.voxels_seed, one.method == Method::separable);
  const Values& x = problem.images;
  const Values y = test::several(one.spec.image, num_outputs(one.spec), 7 * one.voxels_seed + 5);
  const Values ax = run_kernels(one.spec, by_method(one), x, problem);
  const Values aty = run_kernels(adjoint, options_of(one), y, problem);
  double left = 0, right = 0;
  for (std::size_t i = 0; i < y.size(); ++i) left += ax[i] * y[i];
  for (std::size_t i = 0; i < x.size(); ++i) right += x[i] * aty[i];
  const double scale = norm_of(ax) * norm_of(y) + norm_of(x) * norm_of(aty) + 1e-300;
  if (std::abs(left - right) / scale <= tolerances::convolution(one.spec.precision)) return "";
  return fmt::format("<A x, y> = {:.9g}, <x, A' y> = {:.9g}", left, right);
}

Case random_region(Dice& dice) {
  Case one = random_case(dice);
  const Shape output = output_shape(one.spec);
  Box region;
  for (int axis = 0; axis < 3; ++axis) {
    region.begin[axis] = dice.between(0, output[axis] - 1);
    region.size[axis] = dice.between(1, output[axis] - region.begin[axis]);
  }
  one.region = region;
  one.min_tiles = dice.between(1, 8);
  return one;
}

Values part_of(const Values& whole, const Shape& shape, const Box& box) {
  Values part;
  for (Index z = box.begin.z; z < box.begin.z + box.size.z; ++z) {
    for (Index y = box.begin.y; y < box.begin.y + box.size.y; ++y) {
      const auto row = whole.begin() + (z * shape.y + y) * shape.x + box.begin.x;
      part.insert(part.end(), row, row + box.size.x);
    }
  }
  return part;
}

std::string region_is_part(const Case& one) {
  const Shape output = output_shape(one.spec);
  if (box_from_text(to_text(*one.region), output) != *one.region) return "its text is read as another";
  const Values image = image_of(one), kernel = kernel_of(one);
  const Values whole = run(one.spec, {}, image, kernel);
  Case part = one;
  part.spec.region = one.region;
  return disagreement(run(part.spec, options_of(part), image, kernel), part_of(whole, output, *one.region),
                      one.spec.precision, std::max(norm_of(whole), usual_norm(one, image, kernel, whole.size())));
}

Case random_linear(Dice& dice) {
  Case one = random_tiling(dice);
  one.spec.constant = 0;
  return one;
}

/// A(2 x - 3 y) = 2 A x - 3 A y.
std::string is_linear(const Case& one) {
  const Values x = image_of(one), y = other_image_of(one), kernel = kernel_of(one);
  Values mixed(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) mixed[i] = 2 * x[i] - 3 * y[i];
  const PlanOptions options = options_of(one);
  Values expected = run(one.spec, options, x, kernel);
  const Values ay = run(one.spec, options, y, kernel);
  const double scale = 2 * norm_of(expected) + 3 * norm_of(ay);
  for (std::size_t i = 0; i < expected.size(); ++i) expected[i] = 2 * expected[i] - 3 * ay[i];
  return disagreement(run(one.spec, options, mixed, kernel), expected, one.spec.precision, scale);
}

Case random_periodic(Dice& dice) {
  Case one = random_tiling(dice);
  ConvolutionSpec& spec = one.spec;
  spec.mode = dice.one_of({Mode::circular, Mode::same});
  spec.boundary = spec.mode == Mode::same ? Boundary::wrap : Boundary::zero;
  spec.constant = 0;
  for (int axis = 0; axis < 3; ++axis) one.shift[axis] = dice.between(0, spec.image[axis] - 1);
  return one;
}

/// What leaves at one end comes in at the other.
Values moved_round(const Values& values, const Shape& shape, const Shape& shift) {
  Values moved(values.size());
  for (Index z = 0; z < shape.z; ++z) {
    for (Index y = 0; y < shape.y; ++y) {
      for (Index x = 0; x < shape.x; ++x) {
        const Index to =
            ((z + shift.z) % shape.z * shape.y + (y + shift.y) % shape.y) * shape.x + (x + shift.x) % shape.x;
        moved[static_cast<std::size_t>(to)] = values[static_cast<std::size_t>((z * shape.y + y) * shape.x + x)];
      }
    }
  }
  return moved;
}

std::string shift_commutes(const Case& one) {
  const Shape& shape = one.spec.image;
  const Values image = image_of(one), kernel = kernel_of(one);
  const PlanOptions options = options_of(one);
  const Values still = run(one.spec, options, image, kernel);
  return disagreement(run(one.spec, options, moved_round(image, shape, one.shift), kernel),
                      moved_round(still, shape, one.shift), one.spec.precision,
                      usual_norm(one, image, kernel, still.size()));
}

Case random_conservative(Dice& dice) {
  Case one = random_tiling(dice);
  ConvolutionSpec& spec = one.spec;
  spec.mode = dice.one_of({Mode::circular, Mode::full, Mode::same});
  spec.boundary = spec.mode == Mode::same ? Boundary::wrap : Boundary::zero;
  spec.constant = 0;
  spec.origin = spec.mode == Mode::full ? Origin{} : spec.origin;
  spec.normalize_kernel = true;
  return one;
}

double sum_of(const Values& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum;
}

/// With a kernel of sum 1, no light is lost where there is no edge to lose it at.
std::string flux_is_kept(const Case& one) {
  Values image = image_of(one), kernel = kernel_of(one);
  for (double& value : image) value = std::abs(value);
  for (double& value : kernel) value = std::abs(value) + (one.method == Method::separable ? 0 : 0.01);
  const double before = sum_of(image);
  const double after = sum_of(run(one.spec, options_of(one), image, kernel));
  const double error = std::abs(after / before - 1);
  if (error <= tolerances::convolution(one.spec.precision)) return "";
  return fmt::format("flux {:.9g} before, {:.9g} after", before, after);
}

Case random_enclosed(Dice& dice) {
  Case one = random_tiling(dice);
  one.spec.mode = Mode::circular;
  one.spec.boundary = Boundary::zero;
  one.spec.constant = 0;
  for (int axis = 0; axis < 3; ++axis) one.spec.image[axis] += 2 * (one.spec.kernel[axis] - 1);
  return one;
}

/// An image that is dark within a kernel's reach of its edges.
std::string padding_cannot_matter(const Case& one) {
  const Shape& n = one.spec.image;
  const Shape& k = one.spec.kernel;
  for (int axis = 0; axis < 3; ++axis) {
    if (n[axis] < 2 * k[axis] - 1) return "";  // smaller than what the law is about
  }
  const Values kernel = kernel_of(one);
  Values image = image_of(one);
  const auto inside = [&](Index at, int axis) { return at >= k[axis] - 1 && at < n[axis] - k[axis] + 1; };
  for (std::size_t i = 0; i < image.size(); ++i) {
    const auto place = static_cast<Index>(i);
    if (!inside(place / (n.y * n.x), 0) || !inside(place / n.x % n.y, 1) || !inside(place % n.x, 2)) image[i] = 0;
  }
  ConvolutionSpec padded = one.spec;
  padded.mode = Mode::same;
  return disagreement(run(one.spec, options_of(one), image, kernel), run(padded, {}, image, kernel), one.spec.precision,
                      usual_norm(one, image, kernel, image.size()));
}

Case random_arrays(Dice& dice) {
  Case one = random_case(dice);
  one.method = dice.one_of({Method::fft, Method::direct, Method::direct, Method::separable, Method::separable});
  one.spec.batch = dice.between(1, 3);
  if (one.spec.mode != Mode::valid) one.spec.image.x *= dice.between(1, 10);
  one.element = dice.one_of({Element::f32, Element::f32, Element::u8, Element::i16, Element::f16});
  if (one.spec.precision == Precision::f64 && !device_under_test().limits().supports_f64) {
    one.spec.precision = Precision::f32;
  }
  if (dice.between(0, 1) == 0) one.min_tiles = dice.between(2, 9);
  if (dice.between(0, 1) == 0) {
    one.sum_tuning = {.threads_y = dice.one_of<Index>({1, 2, 4}),
                      .rows = dice.one_of<Index>({1, 2}),
                      .planes = dice.between(1, 4),
                      .run = dice.one_of<Index>({0, 2, 4, 16})};
  }
  return one;
}

constexpr std::size_t kMargin = 4096;

/// An array on the device between margins, full of NaN.
class Array {
 public:
  Array(Element element, const Shape& shape, Index batch)
      : bytes_(static_cast<std::size_t>(num_voxels(shape) * batch) * size_of(element)),
        buffer_(device_under_test(), (bytes_ + 3) / 4 * 4 + 2 * kMargin),
        array_(DeviceArray(buffer_.array(Element::u8, {1, 1, 1}).handle, element, shape)) {
    array_.offset_bytes = kMargin;
    array_.batch = batch;
    std::vector<std::byte> all(buffer_.size_bytes(), kOutside);
    std::fill_n(all.begin() + kMargin, bytes_, std::byte{0xFF});
    buffer_.write(all);
  }
  const DeviceArray& get() const { return array_; }
  void set(const Values& values) {
    std::vector<std::byte> voxels(bytes_);
    with_element(array_.element, [&](auto voxel) {
      using T = decltype(voxel);
      std::size_t place = 0;
      for (const double value : values) {
        voxel = static_cast<T>(value);
        std::memcpy(voxels.data() + place++ * sizeof voxel, &voxel, sizeof voxel);
      }
    });
    buffer_.write(voxels, kMargin);
  }
  Values values() const {
    std::vector<std::byte> all(buffer_.size_bytes());
    buffer_.read(all);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const bool inside = i >= kMargin && i < kMargin + bytes_;
      if (!inside && all[i] != kOutside) throw Broken{fmt::format("byte {} beside the output was written", i)};
    }
    Values values;
    with_element(array_.element, [&](auto voxel) {
      for (std::size_t i = 0; i < bytes_ / sizeof voxel; ++i) {
        std::memcpy(&voxel, all.data() + kMargin + i * sizeof voxel, sizeof voxel);
        values.push_back(static_cast<double>(voxel));
      }
    });
    return values;
  }

 private:
  static constexpr auto kOutside = std::byte{0xA5};
  std::size_t bytes_;
  DeviceBuffer buffer_;
  DeviceArray array_;
};

/// As an array of the element holds it.
Values stored(Values values, Element element) {
  with_element(element, [&](auto voxel) {
    using T = decltype(voxel);
    for (double& value : values) {
      if (std::is_integral_v<T>) value = std::min(std::abs(value) * 40, 120.0);
      value = static_cast<double>(static_cast<T>(value));
    }
  });
  return values;
}

std::string arrays_are_direct_sums(const Case& one) {
  ResidentOptions options;
  options.plan = options_of(one);
  options.plan.sum_tuning = one.sum_tuning;
  options.image = one.element;
  options.output = one.spec.precision == Precision::f32 ? Element::f32 : Element::f64;
  options.sentinels = true;
  const Values kernel = kernel_of(one);
  ConvolutionSpec alone = one.spec;
  alone.batch = 1;
  Values images, truth;
  for (Index i = 0; i < one.spec.batch; ++i) {
    Case of_image = one;
    of_image.voxels_seed += static_cast<std::uint64_t>(i) << 32;
    const Values image = stored(image_of(of_image), one.element);
    const Values expected = oracle::direct(alone, image, kernel);
    images.insert(images.end(), image.begin(), image.end());
    truth.insert(truth.end(), expected.begin(), expected.end());
  }
  ResidentConvolver convolver(one.spec, ImageView(kernel, one.spec.kernel), device_under_test(), options);
  Array image(one.element, one.spec.image, one.spec.batch);
  const Array output(options.output, convolver.output_shape(), one.spec.batch);
  image.set(images);
  convolver.run(image.get(), output.get());
  convolver.wait();
  return disagreement(output.values(), truth, one.spec.precision, usual_norm(one, images, kernel, truth.size()));
}

std::string image_is_unchanged(const Case& one) {
  const Values image = image_of(one), kernel = kernel_of(one);
  ConvolutionSpec spec = one.spec;
  spec.mode = Mode::same;
  spec.boundary = Boundary::zero;
  if (spec.kernel.x < 3) return "";
  return disagreement(run(spec, {}, image, kernel), image, spec.precision);
}

}  // namespace

const std::vector<Law>& all_laws() {
  static const std::vector<Law> laws{
      {"direct", "the output is the direct double-precision sum, for every mode, boundary and origin", random_case,
       is_direct_sum},
      {"tiled", "so it is in tiles, however many and under whatever memory limit", random_tiling, is_direct_sum},
      {"arrays", "so it is in arrays on the device, of any element, in batches, however workgroups are cut",
       random_arrays, arrays_are_direct_sums},
      {"adjoint", "<A x, y> = <x, A' y>", random_operator, adjoint_agrees},
      {"kernels", "<A x, y> = <x, A' y> with several kernels, of every pairing, with weights", random_kernels,
       kernels_adjoint_agrees},
      {"region", "a region is what the whole output has there", random_region, region_is_part},
      {"linear", "A(2 x - 3 y) = 2 A x - 3 A y", random_linear, is_linear},
      {"shift", "periodic images: moved round, then convolved, is convolved, then moved round", random_periodic,
       shift_commutes},
      {"flux", "with a kernel of sum 1, full and periodic outputs have the image's sum", random_conservative,
       flux_is_kept},
      {"enclosed", "circular is same where only darkness is within the kernel's reach of the edges", random_enclosed,
       padding_cannot_matter}};
  return laws;
}

const Law& false_law() {
  static const Law law{"false", "kernels of 3 voxels along x and more change nothing (they do)", random_case,
                       image_is_unchanged};
  return law;
}

}  // namespace convoy::laws
