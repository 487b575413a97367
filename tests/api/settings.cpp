// Variables that the program sets in place of the environment's.
#include <doctest/doctest.h>

#include <cstdlib>
#include <vector>

#include "base/worker_pool.hpp"
#include "convoy/convoy.hpp"

using namespace convoy;

TEST_CASE("a variable that the program sets counts before the environment's, and can be given back") {
  ::setenv("CONVOY_THREADS", "3", 1);
  CHECK(num_threads() == 3);
  CHECK(host_workers().num_threads() == 3);
  set_variable("CONVOY_THREADS", "2");
  CHECK(num_threads() == 2);
  CHECK(host_workers().num_threads() == 2);
  set_variable("CONVOY_THREADS", {});
  CHECK(num_threads() == 3);
  CHECK(host_workers().num_threads() == 3);
}

TEST_CASE("a convolver keeps the threads it was made with") {
  ConvolutionSpec spec;
  spec.image = {16, 64, 64};
  spec.kernel = {3, 3, 3};
  const std::vector<float> kernel(27, 1);
  const std::vector<float> image(16 * 64 * 64, 1);
  std::vector<float> output(image.size());
  set_variable("CONVOY_THREADS", "2");
  Convolver convolver(spec, ImageView(kernel, spec.kernel), open_device("cpu"));
  set_variable("CONVOY_THREADS", "1");
  convolver.run(ImageView(image, spec.image), MutableImageView(output, spec.image));
  CHECK(output[(8 * 64 + 32) * 64 + 32] == doctest::Approx(27));
  set_variable("CONVOY_THREADS", {});
}

TEST_CASE("unknown variables, and libraries that were opened already, are refused") {
  CHECK_THROWS_WITH_AS(set_variable("CONVOY_THREDS", "2"), doctest::Contains("CONVOY_THREADS"), Error);
  open_device("cpu");
  CHECK_THROWS_WITH_AS(set_variable("CONVOY_FFTW3F_LIBRARY", "/x.so"), doctest::Contains("read already"), Error);
}
