// Plans of several kernels: what they hold, which paths they may take, what they gain.
#include <doctest/doctest.h>

#include "convoy/error.hpp"
#include "convoy/plan.hpp"
#include "device_arrays/program.hpp"
#include "plan/devices.hpp"
#include "program/program.hpp"

using namespace convoy;
using namespace convoy::test;

namespace {

ConvolutionSpec paired(const Shape& image, const Shape& kernel, Pairing pairing, Index num_kernels) {
  ConvolutionSpec spec;
  spec.image = image;
  spec.kernel = kernel;
  spec.pairing = pairing;
  spec.num_kernels = num_kernels;
  if (pairing == Pairing::each) spec.batch = num_kernels;
  return spec;
}

std::uint64_t bytes_of(const Plan& plan, const char* name) {
  for (const LedgerLine& line : plan.ledger) {
    if (line.name == name) return line.bytes;
  }
  return 0;
}

PlanOptions by(Method method) {
  PlanOptions options;
  options.method = method;
  options.separable_terms = 1;
  return options;
}

}  // namespace

TEST_CASE("the ledger of several kernels is what their program allocates, but for tables") {
  for (const Limits& limits : {large_gpu(), overlapping_gpu(), cpu()}) {
    for (const Shape& image : {Shape{40, 60, 70}, Shape{1, 300, 400}, Shape{1, 1, 5000}}) {
      const Shape kernel{image.z > 1 ? 5 : 1, image.y > 1 ? 7 : 1, 9};
      for (const Pairing pairing : kAllPairings) {
        for (const Operation operation : {Operation::convolve, Operation::correlate}) {
          for (const Method method : {Method::fft, Method::direct, Method::separable}) {
            ConvolutionSpec spec = paired(image, kernel, pairing, 5);
            spec.operation = operation;
            const Plan plan = make_plan(spec, limits, by(method));
            CAPTURE(to_text(plan));
            std::uint64_t bytes = 0;
            for (const LedgerLine& line : plan.ledger) bytes += line.bytes;
            CHECK(bytes == plan.footprint_bytes);
            std::uint64_t tables = bytes_of(plan, "FFT tables");
            std::uint64_t allocated = 0;
            for (const Slot& slot : make_program(plan).slots) {
              if (slot.name == "tables" || slot.name == "progress") continue;
              allocated += slot.bytes * static_cast<std::uint64_t>(slot.per_tile_in_flight ? plan.num_in_flight : 1);
            }
            CHECK(allocated == plan.footprint_bytes - tables);
          }
        }
      }
    }
  }
}

TEST_CASE("a kept transform spares the others, and spectra are counted") {
  const Shape image{128, 512, 512}, kernel{31, 31, 31};
  PlanOptions options = by(Method::fft);
  options.resident = true;
  const Plan one = make_plan(paired(image, kernel, Pairing::all, 1), caching_gpu(), options);
  for (const Pairing pairing : {Pairing::all, Pairing::sum}) {
    const Plan eight = make_plan(paired(image, kernel, pairing, 8), caching_gpu(), options);
    CHECK(eight.path == Path::native);
    CHECK(eight.predicted_seconds > 3 * one.predicted_seconds);
    if (pairing == Pairing::all) CHECK(eight.predicted_seconds < 7 * one.predicted_seconds);
    CHECK(bytes_of(eight, "work buffer") == 2 * bytes_of(one, "work buffer"));  // each fills the cache alone
  }
  const Plan sum = make_plan(paired(image, kernel, Pairing::sum, 8), caching_gpu(), options);
  CHECK(bytes_of(sum, "weights") == 4ull * 128 * 512 * 512 * 8 + 2 * bytes_of(sum, "image tile"));
  const Plan each = make_plan(paired(image, kernel, Pairing::each, 8), caching_gpu(), options);
  CHECK(bytes_of(each, "work buffer") == bytes_of(one, "work buffer"));
  CHECK(each.num_batches() == each.num_tiles());
}

TEST_CASE("small images and kernels on the device are one set of launches, and as many as memory and cache hold") {
  PlanOptions options = by(Method::fft);
  options.resident = true;
  for (const Pairing pairing : {Pairing::all, Pairing::each}) {
    for (const Operation operation : {Operation::convolve, Operation::correlate}) {
      ConvolutionSpec spec = paired({1, 300, 300}, {1, 65, 65}, pairing, 6);
      if (pairing == Pairing::all) spec.batch = 5;
      spec.operation = operation;
      const Plan plan = make_plan(spec, caching_gpu(), options);
      CAPTURE(to_text(plan));
      REQUIRE(plan.path == Path::native);
      CHECK(plan.kernels_at_once == 6);
      CHECK(plan.batch == num_groups(spec) * plan.num_tiles());
      const Program program = make_program(DeviceArraysPlan{plan});
      CHECK(program.run.size() == 3);  // rows, columns with products, rows
      std::uint64_t allocated = 0;
      for (const Slot& slot : program.slots) allocated += slot.external || slot.name == "tables" ? 0 : slot.bytes;
      CHECK(allocated == plan.footprint_bytes - bytes_of(plan, "FFT tables"));

      options.memory_limit_bytes = make_plan(spec, caching_gpu(), options).smallest_footprint_bytes;
      const Plan tight = make_plan(spec, caching_gpu(), options);
      CHECK(tight.footprint_bytes <= options.memory_limit_bytes);
      const bool in_one_launch = make_program(DeviceArraysPlan{tight}).run.size() == 1;  // which holds no work of them
      CHECK((tight.kernels_at_once < 6 || in_one_launch));
      options.memory_limit_bytes = 0;
    }
  }
  ConvolutionSpec many = paired({1, 8, 8}, {1, 3, 3}, Pairing::all, 10000);
  CHECK(make_program(DeviceArraysPlan{make_plan(many, caching_gpu(), options)}).slots.size() < 20);
}

TEST_CASE("VkFFT's fused path is for one kernel at a time: another is taken, and who asks for it is told why") {
  const ConvolutionSpec signals = paired({1, 1, 5000}, {1, 1, 9}, Pairing::all, 3);
  CHECK(make_plan(signals, large_gpu(), by(Method::fft)).path == Path::staged);
  CHECK(make_plan(signals, cpu(), by(Method::fft)).path == Path::fused);  // convoy's own there
  PlanOptions fused = by(Method::fft);
  fused.path = Path::fused;
  CHECK_THROWS_WITH_AS(make_plan(signals, large_gpu(), fused),
                       doctest::Contains("one kernel at a time, not with 3 kernels of pairing all"), Error);
  CHECK(make_plan(paired({1, 1, 5000}, {1, 1, 9}, Pairing::each, 3), large_gpu(), fused).path == Path::fused);
}

TEST_CASE(
    "images and outputs of a run are counted as the pairing says, and impossible ones refused with their numbers") {
  ConvolutionSpec spec = paired({1, 9, 9}, {1, 3, 3}, Pairing::all, 4);
  spec.batch = 2;
  CHECK(num_images(spec) == 2);
  CHECK(num_outputs(spec) == 8);
  spec.operation = Operation::correlate;
  CHECK(num_images(spec) == 8);
  CHECK(num_outputs(spec) == 2);
  spec.mode = Mode::full;
  spec.pairing = Pairing::sum;
  CHECK(num_images(spec) == 2);
  CHECK(num_outputs(spec) == 2);
  CHECK(weights_shape(spec) == Shape{1, 11, 11});
  spec.operation = Operation::convolve;
  CHECK(weights_shape(spec) == spec.image);
  const auto refuses = [&](const ConvolutionSpec& wrong, const char* words) {
    CHECK_THROWS_WITH_AS(validate(wrong), doctest::Contains(words), Error);
  };
  spec.boundary = Boundary::constant;
  spec.constant = 2;
  refuses(spec, "the constant 2 outside");
  spec = paired({1, 9, 9}, {1, 3, 3}, Pairing::each, 4);
  spec.batch = 3;
  refuses(spec, "4 kernel(s) and 3 image(s)");
  spec.num_kernels = 0;
  refuses(spec, "0 kernels");
  spec = paired({1, 9, 9}, {1, 3, 3}, Pairing::all, 2);
  spec.origin = {Origin::Rule::peak, {}};
  refuses(spec, "not defined for 2 kernels");
}
