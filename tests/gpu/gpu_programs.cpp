// Programs on a CUDA or HIP device, below the planner: numbers, sets that overlap, transfers, faults, and every byte
// given back. The variable CONVOY_TEST_DEVICE names the device.
#include <doctest/doctest.h>

#include <cmath>
#include <thread>

#include "selftest/tolerances.hpp"
#include "small_programs.hpp"
#include "support/device_under_test.hpp"

using namespace convoy;
using namespace small_programs;

namespace {

backend::Device& device() { return implementation_of(device_under_test()); }

void run_setup(backend::Session& session, const std::vector<double>& kernel, Precision precision) {
  to_port(session.port(kKernelPort, 0), kernel, precision);
  session.submit(Section::setup, 0);
  session.wait(0);
  session.end_setup();
}

/// Relative L2 error of one convolution.
double error_of(const FftGeometry& g) {
  const std::vector<double> kernel = random_values(num_padded(g), 1);
  const std::vector<double> image = random_values(num_image(g), 2);
  const auto session = device().load(convolution_program(g, 1), {.trace_memory = {}, .sentinels = true});
  run_setup(*session, kernel, g.precision);
  to_port(session->port(kInputPort, 0), image, g.precision);
  session->submit(Section::run, 0);
  session->wait(0);
  session->check_sentinels();
  return relative_l2(from_port(session->port(kOutputPort, 0), num_image(g), g.precision),
                     direct_convolution(g, image, kernel));
}

const TileShape kLine{1, {30, 1, 1}, {36, 1, 1}};
const TileShape kOddLine{1, {27, 1, 1}, {33, 1, 1}};
const TileShape kPlane{2, {21, 13, 1}, {32, 20, 1}};
const TileShape kOddPlane{2, {15, 9, 1}, {21, 13, 1}};
const TileShape kVolume{3, {12, 10, 8}, {16, 15, 12}};
const TileShape kOddVolume{3, {11, 9, 7}, {15, 13, 11}};
const TileShape kUnpaddedVolume{3, {8, 6, 5}, {8, 6, 5}};

Transfer transfer(PortId port, SlotId slot, std::uint64_t bytes) {
  Transfer whole;
  whole.port = port;
  whole.slot = slot;
  whole.chunk_bytes = bytes;
  return whole;
}

std::uint64_t free_bytes() { return device().limits().free_bytes; }

}  // namespace

TEST_CASE("fused convolutions, f32") {
  for (const TileShape& shape : {kLine, kOddLine, kPlane, kOddPlane, kVolume, kOddVolume, kUnpaddedVolume}) {
    const FftGeometry g = geometry_of(shape, Precision::f32, Path::fused);
    CAPTURE(g.extent[0]);
    CAPTURE(g.num_axes);
    CHECK(error_of(g) <= tolerances::convolution(g.precision));
  }
  CHECK(error_of(geometry_of(kVolume, Precision::f32, Path::fused, 7)) <= tolerances::convolution(Precision::f32));
}

TEST_CASE("staged convolutions, f32") {
  for (const TileShape& shape : {kOddLine, kPlane, kOddVolume}) {
    CHECK(error_of(geometry_of(shape, Precision::f32, Path::staged)) <= tolerances::convolution(Precision::f32));
  }
}

TEST_CASE("f64, fused and staged") {
  CHECK(error_of(geometry_of(kOddPlane, Precision::f64, Path::fused)) <= tolerances::convolution(Precision::f64));
  CHECK(error_of(geometry_of(kVolume, Precision::f64, Path::fused)) <= tolerances::convolution(Precision::f64));
  CHECK(error_of(geometry_of(kVolume, Precision::f64, Path::staged)) <= tolerances::convolution(Precision::f64));
}

TEST_CASE("two sets in flight keep their images apart") {
  const FftGeometry g = geometry_of(kVolume, Precision::f32, Path::fused);
  const std::vector<double> kernel = random_values(num_padded(g), 1);
  const auto session = device().load(convolution_program(g, 2), {});
  run_setup(*session, kernel, g.precision);
  for (unsigned round = 0; round < 3; ++round) {
    for (int set : {0, 1}) {
      to_port(session->port(kInputPort, set), random_values(num_image(g), 10 * round + static_cast<unsigned>(set)),
              g.precision);
      session->submit(Section::run, set);
    }
    for (int set : {0, 1}) {
      session->wait(set);
      const std::vector<double> image = random_values(num_image(g), 10 * round + static_cast<unsigned>(set));
      CHECK(relative_l2(from_port(session->port(kOutputPort, set), num_image(g), g.precision),
                        direct_convolution(g, image, kernel)) <= tolerances::convolution(g.precision));
    }
  }
}

TEST_CASE("transfers move chunks, Clear clears") {
  Program program;
  program.slots = {{"slot", 100, false}};
  program.ports = {{"in", 40, Section::run}, {"out", 100, Section::run}, {"part", 12, Section::run}};
  Upload upload{transfer(0, 0, 8)};
  upload.num_chunks = 4;
  upload.slot_pitch_bytes = 20;
  upload.port_offset = 8;
  upload.slot_offset = 4;
  Download part{transfer(2, 0, 4)};
  part.num_chunks = 3;
  part.slot_pitch_bytes = 20;
  part.slot_offset = 24;
  program.run = {Clear{0}, upload, Download{transfer(1, 0, 100)}, part};
  const auto session = device().load(program, {});
  for (int i = 0; i < 40; ++i) session->port(0, 0)[i] = static_cast<std::byte>(i + 1);
  session->submit(Section::run, 0);
  session->wait(0);
  for (int i = 0; i < 100; ++i) {
    const int chunk = (i - 4) / 20;
    const int within = (i - 4) % 20;
    const bool written = i >= 4 && chunk < 4 && within < 8;
    CHECK(static_cast<int>(session->port(1, 0)[i]) == (written ? 8 + chunk * 8 + within + 1 : 0));
  }
  for (int i = 0; i < 12; ++i) {
    CHECK(static_cast<int>(session->port(2, 0)[i]) == 8 + (i / 4 + 1) * 8 + i % 4 + 1);
  }
}

TEST_CASE("the account is the program's footprint, and ends at zero") {
  const FftGeometry g = geometry_of(kPlane, Precision::f32, Path::fused);
  const Program program = convolution_program(g, 2);
  device().reset_peak();
  REQUIRE(device().used_bytes() == 0);
  std::vector<std::uint64_t> trace;
  {
    const auto session = device().load(
        program,
        {.trace_memory = [&](const std::string&, std::uint64_t used) { trace.push_back(used); }, .sentinels = false});
    CHECK(device().used_bytes() == program.footprint_bytes());
    CHECK(device().peak_bytes() == program.footprint_bytes());
  }
  CHECK(device().used_bytes() == 0);
  REQUIRE(!trace.empty());
  CHECK(trace.back() == 0);
}

TEST_CASE("out of memory reports the numbers and gives everything back") {
  const std::uint64_t before = free_bytes();
  const std::uint64_t half = device().limits().total_bytes / 2 / 4096 * 4096;
  Program program;
  program.slots = {{"first", half, false}, {"second", half, false}, {"third", half, false}};
  try {
    const auto session = device().load(program, {});
    FAIL("more than there is was allocated");
  } catch (const OutOfMemory& error) {
    CHECK(error.requested_bytes() == half);
    CHECK(error.limit_bytes() < half);
    CHECK(std::string(error.what()).find(std::to_string(half)) != std::string::npos);
  }
  CHECK(device().used_bytes() == 0);
  constexpr std::uint64_t kDriverBytes = 32 << 20;  // drivers keep some blocks for themselves, and give some back late
  CHECK(free_bytes() + kDriverBytes >= before);
  CHECK(error_of(geometry_of(kPlane, Precision::f32, Path::fused)) <= tolerances::convolution(Precision::f32));
}

TEST_CASE("a write past a slot's end is found") {
  Program program;
  program.slots = {{"source", 16 * 4, false}, {"target", 15 * 4, false}};
  program.ports = {{"in", 16 * 4, Section::run}};
  const auto u = [](std::uint32_t value) { return parameter(value); };
  Dispatch place;
  place.kernel = &kernels::place_kernel;
  place.slots = {0, 1};
  place.parameters = {u(16), u(1), u(1), u(0), u(0), u(0), u(16), u(1), u(1), u(16), u(1), u(0)};
  place.threads = {16, 1, 1};
  program.run = {Upload{transfer(0, 0, 16 * 4)}, place};
  const auto session = device().load(program, {.trace_memory = {}, .sentinels = true});
  session->check_sentinels();
  std::memset(session->port(0, 0), 0x11, 16 * 4);
  session->submit(Section::run, 0);
  session->wait(0);
  CHECK_THROWS_WITH_AS(session->check_sentinels(), doctest::Contains("target"), Error);
}

TEST_CASE("a kernel that does not compile is refused with the compiler's log") {
  const KernelSpec broken{.name = "broken",
                          .buffers = {{"data", KernelBuffer::Kind::real, true}},
                          .parameters = {},
                          .body = "data[0] = no_such_name;\n"};
  Program program;
  program.slots = {{"slot", 64, false}};
  Dispatch dispatch;
  dispatch.kernel = &broken;
  dispatch.slots = {0};
  program.run = {dispatch};
  try {
    const auto session = device().load(program, {});
    FAIL("it compiled");
  } catch (const Error& error) {
    CHECK(error.code() == Errc::compile_failed);
    CHECK(std::string(error.what()).find("no_such_name") != std::string::npos);
  }
  CHECK(device().used_bytes() == 0);
}

TEST_CASE("sessions of several threads share the device, and one session may change threads") {
  const FftGeometry g = geometry_of(kPlane, Precision::f32, Path::fused);
  std::vector<double> errors(3, 1.0);
  std::vector<std::thread> threads;
  for (double& error : errors) threads.emplace_back([&error, &g] { error = error_of(g); });
  for (std::thread& thread : threads) thread.join();
  for (const double error : errors) CHECK(error <= tolerances::convolution(g.precision));

  const std::vector<double> kernel = random_values(num_padded(g), 1);
  const std::vector<double> image = random_values(num_image(g), 2);
  auto session = device().load(convolution_program(g, 1), {});
  std::thread([&] {
    run_setup(*session, kernel, g.precision);
    to_port(session->port(kInputPort, 0), image, g.precision);
    session->submit(Section::run, 0);
  }).join();
  session->wait(0);
  CHECK(relative_l2(from_port(session->port(kOutputPort, 0), num_image(g), g.precision),
                    direct_convolution(g, image, kernel)) <= tolerances::convolution(g.precision));
}
