#include "vulkan/tile_program.hpp"

#include <cmath>
#include <cstdio>
#include <random>

namespace convoy::test {

std::shared_ptr<backend::Device> vulkan_device() {
  for (backend::Backend* candidate : backend::all()) {
    if (std::string(candidate->name()) != "vulkan") continue;
    const BackendInfo info = candidate->probe();
    if (info.devices.empty()) {
      std::printf("SKIPPED: vulkan: %s\n", info.unavailable_because.c_str());
      return nullptr;
    }
    return candidate->open(0);
  }
  return nullptr;
}

FftGeometry geometry(Path path, Precision precision, int num_axes, std::array<Index, 3> extent,
                     std::array<Index, 3> padded) {
  FftGeometry g;
  g.path = path;
  g.precision = precision;
  g.num_axes = num_axes;
  g.extent = extent;
  g.padded = padded;
  g.row_pitch = padded[0] / 2 + 1;
  return g;
}

Program tile_program(const FftGeometry& g, int num_in_flight) {
  const auto rows = static_cast<std::uint64_t>(g.padded[1] * g.padded[2]);
  const auto row_bytes = static_cast<std::uint64_t>(g.padded[0]) * g.real_bytes();
  const auto pitch_bytes = static_cast<std::uint64_t>(g.row_pitch) * 2 * g.real_bytes();
  Program program;
  program.num_in_flight = num_in_flight;
  program.slots = {{"image", g.image_bytes(), num_in_flight > 1},
                   {"work", g.work_bytes(), false},
                   {"spectrum", g.spectrum_bytes(), false}};
  program.ports = {{"kernel", rows * row_bytes, Section::setup},
                   {"input", g.image_bytes(), Section::run},
                   {"output", g.image_bytes(), Section::run}};
  const Transfer kernel{0, 2, row_bytes, rows, pitch_bytes, 0, 0};
  const Transfer input{1, 0, g.image_bytes(), 1, g.image_bytes(), 0, 0};
  const Transfer output{2, 0, g.image_bytes(), 1, g.image_bytes(), 0, 0};
  program.setup = {Clear{2}, Upload{kernel}, TransformKernel{g, 2, 1}};
  program.run = {Upload{input}, Convolve{g, 0, 1, 2}, Download{output}};
  return program;
}

std::vector<double> random_reals(Index count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> values(static_cast<std::size_t>(count));
  for (double& value : values) value = static_cast<float>(normal(random));
  return values;
}

std::vector<double> circular_convolution(const FftGeometry& g, const std::vector<double>& image,
                                         const std::vector<double>& kernel) {
  const auto [nx, ny, nz] = g.extent;
  const auto [px, py, pz] = g.padded;
  std::vector<double> result(image.size());
  for (Index z = 0; z < nz; ++z)
    for (Index y = 0; y < ny; ++y)
      for (Index x = 0; x < nx; ++x) {
        double sum = 0;
        for (Index k = 0; k < nz; ++k)
          for (Index j = 0; j < ny; ++j) {
            const double* row = image.data() + (k * ny + j) * nx;
            const double* weights = kernel.data() + ((z - k + pz) % pz * py + (y - j + py) % py) * px;
            for (Index i = 0; i < nx; ++i) sum += row[i] * weights[(x - i + px) % px];
          }
        result[static_cast<std::size_t>((z * ny + y) * nx + x)] = sum;
      }
  return result;
}

void write_port(backend::Session& session, PortId port, int set, Precision precision,
                const std::vector<double>& values) {
  std::byte* const to = session.port(port, set);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (precision == Precision::f32) {
      reinterpret_cast<float*>(to)[i] = static_cast<float>(values[i]);
    } else {
      reinterpret_cast<double*>(to)[i] = values[i];
    }
  }
}

std::vector<double> read_port(backend::Session& session, PortId port, int set, Precision precision, std::size_t count) {
  const std::byte* const from = session.port(port, set);
  std::vector<double> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = precision == Precision::f32 ? static_cast<double>(reinterpret_cast<const float*>(from)[i])
                                            : reinterpret_cast<const double*>(from)[i];
  }
  return values;
}

double relative_l2(const std::vector<double>& values, const std::vector<double>& truth) {
  double error = 0;
  double norm = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    error += (values[i] - truth[i]) * (values[i] - truth[i]);
    norm += truth[i] * truth[i];
  }
  return std::sqrt(error / norm);
}

double error_of(backend::Device& device, const FftGeometry& g, unsigned seed) {
  const auto image = random_reals(g.extent[0] * g.extent[1] * g.extent[2], seed);
  const auto kernel = random_reals(g.padded[0] * g.padded[1] * g.padded[2], seed + 1);
  const auto session = device.load(tile_program(g), {.trace_memory = {}, .sentinels = true});
  write_port(*session, 0, 0, g.precision, kernel);
  session->submit(Section::setup, 0);
  session->wait(0);
  session->end_setup();
  write_port(*session, 1, 0, g.precision, image);
  session->submit(Section::run, 0);
  session->wait(0);
  session->check_sentinels();
  return relative_l2(read_port(*session, 2, 0, g.precision, image.size()), circular_convolution(g, image, kernel));
}

}  // namespace convoy::test
