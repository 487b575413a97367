// Convolutions without transforms of arrays that lie on the device.
#include "backend/resident_runs.hpp"

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
