// What a Vulkan session owes beside right numbers: sets, threads, memory given back and refused in good order.
#include <doctest/doctest.h>

#include <limits>
#include <thread>

#include "selftest/tolerances.hpp"
#include "vulkan/tile_program.hpp"

using namespace convoy;
using namespace convoy::test;

namespace {

const FftGeometry kTile = geometry(Path::fused, Precision::f32, 2, {13, 9, 1}, {16, 12, 1});

}  // namespace

TEST_CASE("two sets in flight hold two images") {
  const auto device = vulkan_device();
  if (device == nullptr) return;
  const auto session = device->load(tile_program(kTile, 2), {});
  const auto kernel = random_reals(16 * 12, 1);
  write_port(*session, 0, 0, Precision::f32, kernel);
  session->submit(Section::setup, 0);
  session->wait(0);
  session->end_setup();
  const std::vector<std::vector<double>> images{random_reals(13 * 9, 2), random_reals(13 * 9, 3)};
  for (int round = 0; round < 3; ++round) {
    for (int set = 0; set < 2; ++set) {
      write_port(*session, 1, set, Precision::f32, images[static_cast<std::size_t>(set)]);
      session->submit(Section::run, set);
    }
    for (int set = 0; set < 2; ++set) {
      session->wait(set);
      const auto& image = images[static_cast<std::size_t>(set)];
      const auto result = read_port(*session, 2, set, Precision::f32, image.size());
      CHECK(relative_l2(result, circular_convolution(kTile, image, kernel)) <= tolerances::convolution(Precision::f32));
    }
  }
}

TEST_CASE("threads with a session each share a device") {
  const auto device = vulkan_device();
  if (device == nullptr) return;
  std::array<double, 3> errors{1, 1, 1};
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < errors.size(); ++i) {
      threads.emplace_back([&, i] { errors[i] = error_of(*device, kTile, static_cast<unsigned>(10 + i)); });
    }
  }
  for (const double error : errors) CHECK(error <= tolerances::convolution(Precision::f32));
  CHECK(device->used_bytes() == 0);
}

TEST_CASE("all memory is traced, and given back") {
  const auto device = vulkan_device();
  if (device == nullptr) return;
  const Program program = tile_program(kTile);
  device->reset_peak();
  std::vector<std::uint64_t> traced;
  {
    const auto session = device->load(
        program, {.trace_memory = [&](const std::string&, std::uint64_t bytes) { traced.push_back(bytes); }});
    CHECK(device->used_bytes() >= program.footprint_bytes());
    CHECK(device->used_bytes() <= device->peak_bytes());
    CHECK(traced.size() >= program.slots.size());
  }
  REQUIRE_FALSE(traced.empty());
  CHECK(traced.back() == 0);
  CHECK(device->used_bytes() == 0);
  device->reset_peak();
  CHECK(device->peak_bytes() == 0);
}

TEST_CASE("a program that does not fit is refused with numbers, and nothing stays") {
  const auto device = vulkan_device();
  if (device == nullptr) return;
  Program too_large;
  too_large.slots = {{"small", 1024, false}, {"large", std::uint64_t{1} << 50, false}};
  try {
    device->load(too_large, {});
    FAIL("a petabyte was granted");
  } catch (const OutOfMemory& refusal) {
    CHECK(refusal.requested_bytes() >= std::uint64_t{1} << 50);
    CHECK(refusal.limit_bytes() > 0);
    CHECK_FALSE(refusal.limit_name().empty());
  }
  CHECK(device->used_bytes() == 0);
}

TEST_CASE("opening a device that is not there names how many there are") {
  const auto device = vulkan_device();
  if (device == nullptr) return;
  for (backend::Backend* candidate : backend::all()) {
    if (std::string(candidate->name()) == "vulkan") CHECK_THROWS_AS(candidate->open(1000), Error);
  }
}
