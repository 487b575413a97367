// Shared by the texts of launches in which a workgroup convolves pairs of tiles, the second as imaginary part of the
// first.
#pragma once

#include <array>
#include <string>

#include "fft/pass_text.hpp"

namespace convoy::kernels::pass_text {

/// Statement that says which workgroup, `group`, this one is, of those that threads_of_groups() launches.
std::string group_text();
/// Threads of `groups` workgroups of `x` x `y`.
std::array<std::uint64_t, 3> threads_of_groups(Index groups, Index x, Index y);

/// Statements that say which tiles, `row` and `next`, are the pair's, of `num_tiles` of a launch (with several kernels,
/// of each: those of one kernel first), `width` pairs a workgroup.
std::string pair_text(Index num_tiles, Index width, const LaunchKernels& kernels);
/// The name of the pair's tile `row` or `next` in an array.
std::string name_of_tile(const TileAccess& array, const std::string& row);

/// A pair may be of two images, of which neither may spoil the other: a voxel that is not finite is kept in the shared
/// number `own_non_finite`, taken as 0 by the transform, and added to all of its own tile. One thread clears the
/// number.
std::string non_finite_text(const std::string& number, const std::string& one_thread);

/// Times the kernel's spectrum, from the cursor h that `begin` makes, whose elements are `spacing` apart.
SpectrumOp product_with_spectrum(ButterflyText& butterfly, std::string begin, Index spacing, bool conjugate);

}  // namespace convoy::kernels::pass_text
