// Shared by the texts of row and column passes.
#pragma once

#include <fmt/format.h>

#include <string>

#include "fft/passes.hpp"
#include "fft/stages.hpp"

namespace convoy::kernels::pass_text {

inline constexpr auto kReal = KernelBuffer::Kind::real;
inline constexpr auto kReal2 = KernelBuffer::Kind::real2;

inline std::uint32_t u32(Index value) { return static_cast<std::uint32_t>(value); }

inline std::string literal(Index value) { return fmt::format("{}{}", value, value <= 0xffffffff ? "u" : "ull"); }

/// A pass of one length, without its body. `about` is for people.
KernelSpec named(const char* what, const PassShape& shape, const std::string& about);
/// Which tiles of the array, and of which kernels, the launch is of.
void add_array_parameters(const std::optional<TileAccess>& array, KernelSpec& spec);
/// "540 = 6 * 9 * 10", the first stage first.
std::string radices_text(const PassShape& shape);
/// The buffer of twiddle factors.
KernelBuffer table_buffer();

/// Statement under a condition; none, or without one, where the answer is known.
std::string guarded(const std::string& condition, const std::string& statement);

enum class Within { always, sometimes, never };

/// Whether at + j * stride < extent, where at < stride.
Within within(Index j, Index stride, Index extent);
/// That as a condition; empty if it always holds.
std::string position_check(Index j, Index stride, Index extent);

std::string zero(const std::string& name);

std::string both(const std::string& a, const std::string& b);

/// Shared memory whose element 0 is at `first`, neighbours `spacing` apart.
MemoryView shared_access(const std::string& first, Index spacing);

}  // namespace convoy::kernels::pass_text
