// The least that a convolution can cost: bytes that its passes must move, over what memory can move.
#pragma once

#include <optional>

#include "bench_case.hpp"
#include "convoy/plan.hpp"

namespace convoy::bench {

/// Bytes of device memory that the passes over one tile must read and write when each touches only what is not known
/// to be zero, the kernel spectrum is read once and the last axis is transformed, multiplied and transformed back in
/// one pass. Five passes in 3-D, three in 2-D; s bytes a real, h = px / 2 + 1, V = nx ny nz:
///   3-D  2 s V + 2 s h (4 ny nz + 4 py nz + py pz)
///   2-D  2 s V + 2 s h (4 ny + py)
///   1-D  2 s V + 2 s h
/// `extent` and `padded` are in device order: axis 0 is contiguous, axis num_axes - 1 the one that comes last.
double floor_bytes(const std::array<Index, 3>& extent, const std::array<Index, 3>& padded, int num_axes,
                   Precision precision);

/// Of all tiles of the plan.
double floor_bytes(const Plan& plan);

/// Image in and output out, once each, as the case's element.
double compulsory_bytes(const BenchCase& which);

/// At the case's reference padding, untiled, x contiguous and the slowest axis last; nothing where there is none.
std::optional<double> reference_floor_bytes(const BenchCase& which, Precision precision);

}  // namespace convoy::bench
