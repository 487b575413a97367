#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "convoy/plan.hpp"
#include "plan/devices.hpp"

using namespace convoy;
using namespace convoy::test;

namespace {

Plan exercise() {
  ConvolutionSpec spec;
  spec.image = {128, 512, 512};
  spec.kernel = {128, 256, 256};
  return make_plan(spec, large_gpu());
}

}  // namespace

TEST_CASE("a plan reads well") {
  const std::string expected =
      R"(convolve image 128x512x512 with kernel 128x256x256 (zyx), mode same, boundary zero, origin center, f32
1 tile, native

  axis      image     kernel     output     padded  factors         tiles    tile in   tile out
  z           128        128        128        192  2^6*3               1        128        128
  y           512        256        512        640  2^7*5               1        512        512
  x           512        256        512        640  2^7*5               1        512        512

  device memory
    image tile           128.00 MiB   128x512x512 zyx f32, input and output
    work buffer          210.00 MiB   128x640x336 zyx complex f32
    kernel spectrum      315.00 MiB   192x640x336 zyx complex f32
    FFT tables            17.27 KiB   twiddle factors, kept by the transforms
    total                653.02 MiB   budget: 138.00 GiB
    least possible       104.01 MiB   in the smallest tiles
    nine copies            5.06 GiB   7.9 times this total: the padded arrays of the usual script
)";
  const std::string text = to_text(exercise());
  CHECK(text.substr(0, expected.size()) == expected);
  CHECK(text.find("predicted") != std::string::npos);
  CHECK(text.find("    - x: 640 = 2^7*5 for at least 640\n") != std::string::npos);
}

TEST_CASE("a plan is one JSON object with units in the key names") {
  const Plan plan = exercise();
  const nlohmann::json json = nlohmann::json::parse(to_json(plan));
  CHECK(json["spec"]["image"] == nlohmann::json({128, 512, 512}));
  CHECK(json["spec"]["kernel"] == nlohmann::json({128, 256, 256}));
  CHECK(json["spec"]["output"] == nlohmann::json({128, 512, 512}));
  CHECK(json["spec"]["mode"] == "same");
  CHECK(json["padded"] == nlohmann::json({192, 640, 640}));
  CHECK(json["tiles"] == nlohmann::json({1, 1, 1}));
  CHECK(json["path"] == "native");
  CHECK(json["device_axes"] == nlohmann::json({"x", "y", "z"}));
  CHECK(json["footprint_bytes"] == plan.footprint_bytes);
  CHECK(json["budget_bytes"] == 138ull << 30);
  CHECK(json["nine_copy_bytes"] == nine_copy_bytes(plan.spec));
  CHECK(json["predicted_seconds"] == plan.predicted_seconds);
  CHECK(json["ledger"].size() == plan.ledger.size());
  CHECK(json["ledger"][0]["bytes"] == plan.ledger[0].bytes);
  CHECK(json["reasons"].size() == plan.reasons.size());
}

TEST_CASE("what is unknown is null, and an origin by index is an index") {
  ConvolutionSpec spec;
  spec.image = {1, 20, 30};
  spec.kernel = {1, 5, 5};
  spec.boundary = Boundary::constant;
  spec.constant = 2.5;
  spec.origin = Origin::at({0, 1, 2});
  const Plan plan = make_plan(spec, {});
  const nlohmann::json json = nlohmann::json::parse(to_json(plan));
  CHECK(json["budget_bytes"].is_null());
  CHECK(json["predicted_seconds"].is_null());
  CHECK(json["spec"]["origin"] == nlohmann::json({0, 1, 2}));
  CHECK(json["spec"]["constant"] == 2.5);
  const std::string text = to_text(plan);
  CHECK(text.find("boundary constant 2.5, origin at 0,1,2, f32") != std::string::npos);
  CHECK(text.find("budget: no limit") != std::string::npos);
  CHECK(text.find("time unknown") != std::string::npos);
}
