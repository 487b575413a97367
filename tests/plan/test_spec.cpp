#include <doctest/doctest.h>

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "base/boundary_rule.hpp"
#include "convoy/error.hpp"
#include "convoy/plan.hpp"
#include "convoy/spec.hpp"
#include "plan/problems.hpp"
#include "planner/origin.hpp"

using namespace convoy;
using namespace convoy::test;

namespace {

void check_refused(const ConvolutionSpec& spec, const std::vector<std::string>& parts) {
  const std::vector<std::function<void()>> doors{[&] { validate(spec); }, [&] { output_shape(spec); },
                                                 [&] { nine_copy_bytes(spec); }, [&] { make_plan(spec, {}); }};
  for (const auto& door : doors) {
    try {
      door();
      FAIL("no error");
    } catch (const Error& error) {
      CHECK(error.code() == Errc::invalid_argument);
      for (const std::string& part : parts) {
        CAPTURE(error.what());
        CHECK(std::string(error.what()).find(part) != std::string::npos);
      }
    }
  }
}

}  // namespace

TEST_CASE("output shapes are those of scipy") {
  CHECK(output_shape(spec_of({10, 20, 30}, {3, 4, 5}, Mode::full)) == Shape{12, 23, 34});
  CHECK(output_shape(spec_of({10, 20, 30}, {3, 4, 5}, Mode::same)) == Shape{10, 20, 30});
  CHECK(output_shape(spec_of({10, 20, 30}, {3, 40, 5}, Mode::same)) == Shape{10, 20, 30});
  CHECK(output_shape(spec_of({10, 20, 30}, {3, 4, 5}, Mode::circular)) == Shape{10, 20, 30});
  CHECK(output_shape(spec_of({10, 20, 30}, {3, 4, 5}, Mode::valid)) == Shape{8, 17, 26});
  CHECK(output_shape(spec_of({3, 4, 5}, {10, 20, 30}, Mode::valid)) == Shape{8, 17, 26});
  CHECK(output_shape(spec_of({3, 4, 5}, {3, 4, 5}, Mode::valid)) == Shape{1, 1, 1});
  ConvolutionSpec adjoint = spec_of({5, 5, 5}, {3, 3, 3});
  adjoint.boundary = Boundary::reflect;
  adjoint.operation = Operation::correlate;
  CHECK(output_shape(adjoint) == Shape{5, 5, 5});
}

TEST_CASE("shapes that make no sense are refused with axis and numbers") {
  check_refused(spec_of({10, 0, 30}, {1, 1, 1}), {"image", "axis y", "10x0x30"});
  check_refused(spec_of({10, 10, 30}, {1, 1, -2}), {"kernel", "axis x", "-2"});
  check_refused(spec_of({1, 1, Index{1} << 60}, {1, 1, 1}), {"image", "axis x"});
  check_refused(spec_of({Index{1} << 40, Index{1} << 40, 1}, {1, 1, 1}), {"2^63"});
  check_refused(spec_of({10, 10, 10}, {3, 11, 3}, Mode::valid), {"valid", "10x10x10", "3x11x3"});
}

TEST_CASE("origins and boundaries that make no sense are refused") {
  ConvolutionSpec outside = spec_of({10, 10, 10}, {3, 4, 5});
  outside.origin = Origin::at({0, 4, 0});
  check_refused(outside, {"origin 0x4x0", "axis y", "0 to 3"});
  outside.mode = Mode::full;
  CHECK_NOTHROW(validate(outside));

  for (const Mode mode : {Mode::valid, Mode::circular}) {
    ConvolutionSpec spec = spec_of({10, 10, 10}, {3, 3, 3}, mode);
    spec.boundary = Boundary::reflect;
    check_refused(spec, {"reflect", name(mode)});
  }
  ConvolutionSpec full = spec_of({10, 10, 10}, {3, 3, 3}, Mode::full);
  full.boundary = Boundary::reflect;
  CHECK_NOTHROW(validate(full));
  full.operation = Operation::correlate;
  check_refused(full, {"correlate", "reflect", "flip"});
  ConvolutionSpec redundant = spec_of({10, 10, 10}, {3, 3, 3}, Mode::circular);
  redundant.boundary = Boundary::wrap;
  CHECK_NOTHROW(validate(redundant));

  ConvolutionSpec constant = spec_of({10, 10, 10}, {3, 3, 3});
  constant.boundary = Boundary::constant;
  constant.constant = std::numeric_limits<double>::infinity();
  check_refused(constant, {"finite"});
  constant.constant = std::numeric_limits<double>::quiet_NaN();
  CHECK_NOTHROW(validate(constant));
  constant.operation = Operation::correlate;
  check_refused(constant, {"adjoint", "nan"});
  constant.constant = 5;
  constant.operation = Operation::correlate;
  check_refused(constant, {"adjoint", "constant 5", "--flip"});
  constant.constant = 0;
  CHECK_NOTHROW(validate(constant));
  constant.constant = 5;
  constant.operation = Operation::flip;
  CHECK_NOTHROW(validate(constant));
}

TEST_CASE("origins follow their rules") {
  ConvolutionSpec spec = spec_of({10, 10, 10}, {4, 5, 1});
  const auto origin = [&](Origin::Rule rule) {
    spec.origin.rule = rule;
    return resolve_origin(spec, nullptr);
  };
  CHECK(origin(Origin::Rule::center) == Shape{2, 2, 0});
  CHECK(origin(Origin::Rule::scipy) == Shape{1, 2, 0});
  CHECK(origin(Origin::Rule::first) == Shape{0, 0, 0});
  spec.origin = Origin::at({3, 0, 0});
  CHECK(resolve_origin(spec, nullptr) == Shape{3, 0, 0});
}

TEST_CASE("the peak is the first of the largest voxels") {
  ConvolutionSpec spec = spec_of({10, 10, 10}, {2, 3, 4});
  spec.origin.rule = Origin::Rule::peak;
  std::vector<float> kernel(24, -1.0F);
  kernel[1 * 12 + 2 * 4 + 3] = 5;
  kernel[1 * 12 + 1 * 4 + 2] = 5;
  const ImageView view(kernel, spec.kernel);
  CHECK(resolve_origin(spec, &view) == Shape{1, 1, 2});

  std::vector<std::uint16_t> counts(24, 7);
  const ImageView count_view(counts, spec.kernel);
  CHECK(resolve_origin(spec, &count_view) == Shape{0, 0, 0});
  CHECK_THROWS_AS(resolve_origin(spec, nullptr), Error);
  CHECK_THROWS_AS(make_plan(spec, {}), Error);
  spec.mode = Mode::full;
  CHECK_NOTHROW(make_plan(spec, {}));
}

TEST_CASE("boundaries go on outside as the header says, and the lists know them all") {
  const auto shown = [](Boundary boundary, Index begin, Index count, Index size) {
    std::string letters;
    for (const Index at : source_positions(boundary, begin, count, size)) {
      letters += at == kOutside ? '-' : static_cast<char>('a' + at);
    }
    return letters;
  };
  CHECK(shown(Boundary::zero, -3, 10, 4) == "---abcd---");
  CHECK(shown(Boundary::constant, -3, 10, 4) == "---abcd---");
  CHECK(shown(Boundary::reflect, -9, 22, 4) == "aabcddcbaabcddcbaabcdd");
  CHECK(shown(Boundary::nearest, -3, 10, 4) == "aaaabcdddd");
  CHECK(shown(Boundary::wrap, -5, 14, 4) == "dabcdabcdabcda");
  CHECK(shown(Boundary::mirror, -9, 22, 4) == "dcbabcdcbabcdcbabcdcba");
  CHECK(shown(Boundary::mirror, -3, 8, 2) == "babababa");
  CHECK(shown(Boundary::mirror, -2, 5, 1) == "aaaaa");
  CHECK(shown(Boundary::reflect, -2, 5, 1) == "aaaaa");
  CHECK(shown(Boundary::wrap, -2, 5, 1) == "aaaaa");
  for (std::size_t i = 0; i < kAllBoundaries.size(); ++i) CHECK(static_cast<std::size_t>(kAllBoundaries[i]) == i);
  CHECK(std::string(name(static_cast<Boundary>(kAllBoundaries.size()))) == "unknown");
}

TEST_CASE("names are those of the headers") {
  CHECK(std::string(name(Mode::circular)) == "circular");
  CHECK(std::string(name(Boundary::nearest)) == "nearest");
  CHECK(std::string(name(Origin::Rule::scipy)) == "scipy");
  CHECK(std::string(name(Operation::correlate)) == "correlate");
  CHECK(std::string(name(Operation::flip)) == "flip");
  CHECK(std::string(name(Precision::f64)) == "f64");
  CHECK(std::string(name(Path::staged)) == "staged");
}
