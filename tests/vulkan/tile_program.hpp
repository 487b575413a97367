// Programs of one tile, written by hand over a geometry, and what they must compute.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backends/backend.hpp"
#include "program/program.hpp"

namespace convoy::test {

/// The first Vulkan device; null when there is none, and then the reason is printed as SKIPPED.
std::shared_ptr<backend::Device> vulkan_device();

FftGeometry geometry(Path path, Precision precision, int num_axes, std::array<Index, 3> extent,
                     std::array<Index, 3> padded);

/// Ports: 0 padded kernel reals, tight; 1 image; 2 result.
Program tile_program(const FftGeometry& geometry, int num_in_flight = 1);

std::vector<double> random_reals(Index count, unsigned seed);

/// Direct sum: circular convolution of period `padded`, cropped to `extent`.
std::vector<double> circular_convolution(const FftGeometry& geometry, const std::vector<double>& image,
                                         const std::vector<double>& kernel);

void write_port(backend::Session& session, PortId port, int set, Precision precision,
                const std::vector<double>& values);
std::vector<double> read_port(backend::Session& session, PortId port, int set, Precision precision, std::size_t count);

double relative_l2(const std::vector<double>& values, const std::vector<double>& truth);

/// Loads the tile's program, runs it once and gives the relative L2 error. With sentinels.
double error_of(backend::Device& device, const FftGeometry& geometry, unsigned seed = 1);

}  // namespace convoy::test
