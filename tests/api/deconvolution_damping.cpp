// Damping of Richardson-Lucy (its formula: python/tests/test_deconvolution.py), and the step of Landweber.
#include <doctest/doctest.h>

#include <cmath>

#include "restoring.hpp"

using namespace restoring;

TEST_CASE("Landweber's step is as long as asked, and without clip the result is linear in the data") {
  const Problem problem;
  DeconvolutionSpec spec = problem.spec(Edges::noncirculant, 12);
  spec.algorithm = Algorithm::landweber;
  spec.relaxation = 1.7;
  CHECK(difference(restore(spec, problem.data(), problem.kernel()),
                   plain::restore(problem.data(), problem.kernel(), spec)) <= 1e-4);
  spec.clip = false;
  const Outcome found = restore(spec, problem.data(), problem.kernel());
  CHECK(difference(found, plain::restore(problem.data(), problem.kernel(), spec)) <= 1e-4);
  CHECK(found.smallest() < 0);
}

TEST_CASE("damping follows noise less, and knows no units") {
  const Problem problem;
  DeconvolutionSpec spec = problem.spec(Edges::noncirculant, 15);
  const auto roughness = [](const Outcome& outcome) {
    double sum = 0;
    for (std::size_t i = 1; i < outcome.image.size(); ++i) sum += std::abs(outcome.image[i] - outcome.image[i - 1]);
    return sum;
  };
  double last = roughness(restore(spec, problem.data(), problem.kernel()));
  for (const double damping : {1.0, 3.0, 1000.0}) {
    spec.damping = damping;
    const Outcome found = restore(spec, problem.data(), problem.kernel());
    CAPTURE(damping);
    CHECK(roughness(found) < last);
    last = roughness(found);
    Volume fourfold = problem.data();
    for (double& value : fourfold.values) value *= 4;
    Outcome four = restore(spec, fourfold, problem.kernel());
    for (double& value : four.image) value /= 4;
    CHECK(four.image == found.image);
  }
}
