// Small programs made by hand, below the planner: one tile, its kernel given as a whole padded box.
#pragma once

#include <cstring>
#include <random>
#include <vector>

#include "backends/backend.hpp"
#include "program/program.hpp"

namespace small_programs {

using namespace convoy;

struct TileShape {
  int num_axes;
  std::array<Index, 3> extent;  // device order: contiguous axis first
  std::array<Index, 3> padded;
};

inline FftGeometry geometry_of(const TileShape& shape, Precision precision, Path path, Index extra_pitch = 0) {
  FftGeometry g;
  g.precision = precision;
  g.path = path;
  g.num_axes = shape.num_axes;
  g.extent = shape.extent;
  g.padded = shape.padded;
  g.row_pitch = shape.padded[0] / 2 + 1 + extra_pitch;
  return g;
}

inline std::uint64_t num_padded(const FftGeometry& g) {
  return static_cast<std::uint64_t>(g.padded[0] * g.padded[1] * g.padded[2]);
}
inline std::uint64_t num_image(const FftGeometry& g) {
  return static_cast<std::uint64_t>(g.extent[0] * g.extent[1] * g.extent[2]);
}

inline constexpr SlotId kImage = 0, kWork = 1, kSpectrum = 2;
inline constexpr PortId kKernelPort = 0, kInputPort = 1, kOutputPort = 2;

/// Uploads the kernel row by row into the cleared spectrum, transforms it; each run convolves one image.
inline Program convolution_program(const FftGeometry& g, int num_in_flight) {
  const std::uint64_t row_bytes = static_cast<std::uint64_t>(g.padded[0]) * g.real_bytes();
  Program program;
  program.num_in_flight = num_in_flight;
  program.slots = {{"image", g.image_bytes(), num_in_flight > 1},
                   {"work", g.work_bytes(), false},
                   {"spectrum", g.spectrum_bytes(), false}};
  program.ports = {{"kernel", num_padded(g) * g.real_bytes(), Section::setup},
                   {"input", g.image_bytes(), Section::run},
                   {"output", g.image_bytes(), Section::run}};
  Upload kernel;
  kernel.port = kKernelPort;
  kernel.slot = kSpectrum;
  kernel.chunk_bytes = row_bytes;
  kernel.num_chunks = static_cast<std::uint64_t>(g.padded[1] * g.padded[2]);
  kernel.slot_pitch_bytes = static_cast<std::uint64_t>(2 * g.row_pitch) * g.real_bytes();
  program.setup = {Clear{kSpectrum}, kernel, TransformKernel{g, kSpectrum, kWork}};
  Upload input;
  input.port = kInputPort;
  input.slot = kImage;
  input.chunk_bytes = g.image_bytes();
  Download output;
  output.port = kOutputPort;
  output.slot = kImage;
  output.chunk_bytes = g.image_bytes();
  program.run = {input, Convolve{g, kImage, kWork, kSpectrum}, output};
  return program;
}

inline std::vector<double> random_values(std::uint64_t count, unsigned seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> values(static_cast<std::size_t>(count));
  for (double& value : values) value = normal(random);
  return values;
}

inline void to_port(std::byte* port, const std::vector<double>& values, Precision precision) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto single = static_cast<float>(values[i]);
    if (precision == Precision::f32) std::memcpy(port + i * sizeof single, &single, sizeof single);
    if (precision == Precision::f64) std::memcpy(port + i * sizeof values[i], &values[i], sizeof values[i]);
  }
}

inline std::vector<double> from_port(const std::byte* port, std::uint64_t count, Precision precision) {
  std::vector<double> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) {
    float single = 0;
    if (precision == Precision::f32) {
      std::memcpy(&single, port + i * sizeof single, sizeof single);
      values[i] = static_cast<double>(single);
    } else {
      std::memcpy(&values[i], port + i * sizeof values[i], sizeof values[i]);
    }
  }
  return values;
}

/// The first `extent` voxels of the circular convolution of period `padded`, as a sum.
inline std::vector<double> direct_convolution(const FftGeometry& g, const std::vector<double>& image,
                                              const std::vector<double>& kernel) {
  std::vector<double> result;
  const auto at = [](const auto& values, const auto& size, Index x, Index y, Index z) {
    return values[static_cast<std::size_t>((z * size[1] + y) * size[0] + x)];
  };
  for (Index z = 0; z < g.extent[2]; ++z)
    for (Index y = 0; y < g.extent[1]; ++y)
      for (Index x = 0; x < g.extent[0]; ++x) {
        double sum = 0;
        for (Index c = 0; c < g.extent[2]; ++c)
          for (Index b = 0; b < g.extent[1]; ++b)
            for (Index a = 0; a < g.extent[0]; ++a) {
              const auto wrap = [&](Index distance, std::size_t axis) {
                return (distance + g.padded[axis]) % g.padded[axis];
              };
              sum +=
                  at(image, g.extent, a, b, c) * at(kernel, g.padded, wrap(x - a, 0), wrap(y - b, 1), wrap(z - c, 2));
            }
        result.push_back(sum);
      }
  return result;
}

inline double relative_l2(const std::vector<double>& found, const std::vector<double>& expected) {
  double error = 0;
  double norm = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    error += (found[i] - expected[i]) * (found[i] - expected[i]);
    norm += expected[i] * expected[i];
  }
  return std::sqrt(error / norm);
}

}  // namespace small_programs
