// The contract below the planner: programs made by hand. Correlation with the conjugate spectrum, and sections that are
// run several times over.
#include <doctest/doctest.h>

#include <cmath>

#include "gpu/small_programs.hpp"
#include "selftest/tolerances.hpp"
#include "support/device_under_test.hpp"
#include "support/differences.hpp"

using namespace convoy;
using namespace small_programs;

namespace {

/// The circular convolution by a kernel that is turned round is the correlation with it.
std::vector<double> turned_round(const FftGeometry& g, const std::vector<double>& kernel) {
  std::vector<double> turned(kernel.size());
  const auto at = [&](Index x, Index y, Index z) {
    return static_cast<std::size_t>((z * g.padded[1] + y) * g.padded[0] + x);
  };
  const auto opposite = [&](Index i, std::size_t axis) { return (g.padded[axis] - i) % g.padded[axis]; };
  for (Index z = 0; z < g.padded[2]; ++z)
    for (Index y = 0; y < g.padded[1]; ++y)
      for (Index x = 0; x < g.padded[0]; ++x)
        turned[at(opposite(x, 0), opposite(y, 1), opposite(z, 2))] = kernel[at(x, y, z)];
  return turned;
}

/// run uploads; iterate convolves; measure correlates; finish downloads.
Program sectioned_program(const FftGeometry& g) {
  Program program = convolution_program(g, 1);
  Convolve correlate{g, kImage, kWork, kSpectrum, true};
  program.iterate = {program.run[1]};
  program.measure = {correlate};
  program.finish = {program.run[2]};
  program.run = {program.run[0]};
  program.ports[kOutputPort].section = Section::finish;
  return program;
}

struct Task {
  FftGeometry geometry;
  std::vector<double> kernel = random_values(num_padded(geometry), 3);
  std::vector<double> image = random_values(num_image(geometry), 4);

  std::vector<double> run(int convolutions, int correlations) const {
    const Precision precision = geometry.precision;
    backend::LoadOptions options;
    options.sentinels = true;
    const auto session = implementation_of(device_under_test()).load(sectioned_program(geometry), options);
    to_port(session->port(kKernelPort, 0), kernel, precision);
    const auto pass = [&](Section section, int times) {
      if (times == 0) return;
      session->submit(section, 0, times);
      session->wait(0);
    };
    pass(Section::setup, 1);
    session->end_setup();
    to_port(session->port(kInputPort, 0), image, precision);
    pass(Section::run, 1);
    pass(Section::iterate, convolutions);
    pass(Section::measure, correlations);
    pass(Section::finish, 1);
    session->check_sentinels();
    return from_port(session->port(kOutputPort, 0), num_image(geometry), precision);
  }
  std::vector<double> expected(int convolutions, int correlations) const {
    std::vector<double> result = image;
    for (int i = 0; i < convolutions; ++i) result = direct_convolution(geometry, result, kernel);
    for (int i = 0; i < correlations; ++i)
      result = direct_convolution(geometry, result, turned_round(geometry, kernel));
    return result;
  }
};

const std::vector<TileShape>& shapes() {
  static const std::vector<TileShape> few{{3, {9, 7, 5}, {16, 12, 8}}};
  static const std::vector<TileShape> many{{3, {9, 7, 5}, {16, 12, 8}},  {3, {8, 6, 4}, {15, 9, 7}},
                                           {2, {13, 8, 1}, {20, 15, 1}}, {2, {12, 9, 1}, {21, 10, 1}},
                                           {1, {30, 1, 1}, {45, 1, 1}},  {1, {31, 1, 1}, {48, 1, 1}}};
  return plans_are_costly() ? few : many;
}

}  // namespace

TEST_CASE("a product with the conjugate spectrum is the correlation, fused and staged") {
  for (const TileShape& shape : shapes()) {
    for (const Path path : {Path::fused, Path::staged}) {
      for (const Precision precision : {Precision::f32, Precision::f64}) {
        if (precision == Precision::f64 && (plans_are_costly() || !device_under_test().limits().supports_f64)) continue;
        const Task task{geometry_of(shape, precision, path)};
        CAPTURE(to_text(sectioned_program(task.geometry)));
        test::check_difference({"conjugate product", path, precision}, relative_l2(task.run(0, 1), task.expected(0, 1)),
                               tolerances::convolution(precision));
      }
    }
  }
}

TEST_CASE("a section that is submitted three times over sees its own writes") {
  const Task task{geometry_of(shapes().front(), Precision::f32, Path::fused)};
  test::check_difference({"five in a row", Path::fused}, relative_l2(task.run(3, 2), task.expected(3, 2)),
                         tolerances::in_a_row(5, Precision::f32));
}
