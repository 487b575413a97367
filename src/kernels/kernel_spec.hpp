// A GPU kernel: its signature as data, its body as text. Element-wise kernels are written once, in *.body, and are
// legal in CUDA C, HIP, GLSL and C++; the passes of src/fft are KernelSpecs too, for GPUs only, and may use shared
// memory, barriers and tickets (see num_shared and uses_tickets).
//
// Rules for an element-wise body (tests/kernels compiles every body in every dialect that is present):
//   types uint, int, real, real2 (real is float or double as the program's precision says); functional casts only;
//   no pointers, no 64-bit integers, no preprocessor lines; begins by returning outside the grid; of functions isnan,
//   isinf, rint (ties to even) and natural_log(real) (single precision is all that GLSL has of it); % of numbers that
//   are not negative only; thread_x, thread_y, thread_z are the thread's place. Sizes are parameters, so each kernel is
//   compiled once.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "convoy/image.hpp"
#include "convoy/spec.hpp"

namespace convoy::inline v0 {

struct KernelBuffer {
  std::string name;
  /// Kind::voxel: of a caller's array, one element in a kernel: to_real(voxel) and to_voxel(real) convert, the latter
  /// with rounding and clipping as convoy::to_voxel(). Kind::count is for the counters of KernelSpec::uses_tickets.
  enum class Kind { real, real2, count, voxel } kind = Kind::real;
  bool writable = false;
  std::string about{};             ///< for people, in dumps: what lies there, and how
  Element element = Element::f32;  ///< of Kind::voxel
};

/// 4 bytes: an unsigned integer or the bits of a float. At most 32 per kernel (Vulkan's guaranteed push constants).
struct KernelParameter {
  std::uint32_t bits = 0;
};
KernelParameter parameter(std::uint32_t value);
KernelParameter parameter(float value);

struct KernelSpec {
  std::string name;
  std::vector<KernelBuffer> buffers;
  struct Parameter {
    std::string name;
    enum class Kind { u32, f32 } kind = Kind::u32;
  };
  std::vector<Parameter> parameters;
  std::string body;
  std::array<std::uint32_t, 3> workgroup{64, 4, 1};  ///< threads of a workgroup (a block in CUDA and HIP)
  /// Elements of real2 that the threads of a workgroup share as shared_values. With any, the body may say
  /// group_barrier() and knows local_x, local_y and group_x, group_y, group_z; `wide` is an unsigned integer for
  /// positions in buffers. CURSOR(buffer, name, first) names a place, ELEMENT(buffer, name, offset) what lies there,
  /// and FETCH the same, to be read, where other workgroups may have written it (uses_tickets). STORE_PAIR(buffer,
  /// name, offset, x, y) writes two neighbouring reals at once, if they lie at an even place of a buffer that
  /// IS_PAIR_ALIGNED(buffer). KEEP_CURSOR(name): the place in a buffer that nobody writes is computed once,
  /// and LOAD_KEPT, as ELEMENT, adds 32 bits to it.
  std::uint64_t num_shared = 0;
  /// Threads that a CUDA multiprocessor shall hold at once: bounds the registers of each. 0: as the compiler likes.
  std::uint32_t min_threads_per_sm = 0;
  /// The body says await_predecessor() before it touches what the launch before it in a stream touches. Where a device
  /// can, its workgroups then start while the last ones of that launch still run.
  bool programmatic_dependent_launch = false;
  /// Workgroups wait for others of the launch, which is one-dimensional. The body says TAKE_TICKET(counter, ticket),
  /// which numbers workgroups in the order in which they begin; ARRIVE(counter, all) when what it wrote before shall be
  /// seen; AWAIT(counter, enough, all) to see what so many that arrived wrote. With `all`, those that have awaited
  /// included, a counter is 0 again, as it was before the launch. PAIR_BARRIER(pair, pairs, threads): the
  /// group_barrier() of those threads, whole warps, that have this number below `pairs`, of which there are 15 at most.
  /// Only for devices with Limits::workgroups_may_wait.
  bool uses_tickets = false;
  /// For people, in dumps (kernels/kernel_files.hpp): what the file is called (empty: `name`), and what is known of the
  /// kernel beside its text, as ("pass", "columns forward ...").
  std::string file_name{};
  std::vector<std::pair<std::string, std::string>> notes{};
};

/// Workgroups that cover a grid of threads.
std::array<std::uint64_t, 3> num_groups(const KernelSpec& kernel, const std::array<std::uint64_t, 3>& threads);

std::uint64_t shared_bytes(const KernelSpec& kernel, Precision precision);

/// The kernel of a step: one of those below, which live for ever, or one made for its program, which shares it.
class KernelHandle {
 public:
  KernelHandle() = default;
  KernelHandle(const KernelSpec* lives_for_ever) : spec_(lives_for_ever, [](const KernelSpec*) {}) {}
  KernelHandle(KernelSpec&& made) : spec_(std::make_shared<const KernelSpec>(std::move(made))) {}
  const KernelSpec& operator*() const { return *spec_; }
  const KernelSpec* operator->() const { return spec_.get(); }
  bool operator==(const KernelSpec* other) const { return spec_.get() == other; }

 private:
  std::shared_ptr<const KernelSpec> spec_;
};

}  // namespace convoy::inline v0

namespace convoy::kernels {
/// Puts a box of kernel voxels (size_z, size_y, size_x; tight) into the zeroed spectrum slot, as reals in rows of
/// `pitch` and planes of `plane_rows` rows, at (place + shift) mod padded on every axis, behind as many planes for each
/// of `number` kernels.
/// buffers: source, spectrum. parameters: size_x, size_y, size_z, shift_x, shift_y, shift_z, padded_x, padded_y,
/// padded_z, pitch, plane_rows, number. threads: size.
extern const KernelSpec place_kernel;
/// work[i] *= spectrum[i] * scale, complex, for i < count = thread_x + thread_y * row; with sign -1 instead of 1 the
/// spectrum is conjugated. buffers: spectrum, work. parameters: count, row, scale, sign.
extern const KernelSpec multiply_spectrum;
/// product[i] = work[i] * spectrum[i], or that added, complex, for as many i; with sign -1 instead of 1 the spectrum is
/// conjugated. buffers: spectrum, work, product. parameters: count, row, sign, adds (0 or 1).
extern const KernelSpec add_product;
/// result[i] = tile[i] * weights[i], or that added, for all voxels of a tile's slot. buffers: tile, weights, result.
/// parameters: extent (x, y, z), adds (0 or 1). threads: extent.
extern const KernelSpec weigh;
/// share[i] = sum / (sum - missing[i]) where that divisor's magnitude is above `least`, else `unknown`, for all voxels
/// of a tile's slot. Numbers are each the sum of two. buffers: missing, share. parameters: extent (x, y, z), sum_high,
/// sum_low, least_high, least_low, unknown. threads: extent.
extern const KernelSpec known_share;
/// ConvolveDirect with taps of any size. Thread number thread_x + thread_y * row makes one output, x fastest. buffers:
/// image, taps, result. parameters: count_x, count_y, count_z, size_x, size_y, size_z, extent_x, extent_y, taps_begin,
/// adds (0 or 1), row.
extern const KernelSpec convolve_direct;
/// The image of a caller, read through the boundary into a tile's slot (see AxisPlan): thread (x, y, z), in device
/// order as all that follows, writes voxel (x, y, z) of `extent`, which shows image position `begin` + (x, y, z) where
/// it is below `input`, and is 0 elsewhere. The image has `size` voxels an axis, `stride` apart, and goes on outside as
/// the BoundaryRule of `boundary` (its kind), `period` and `offset` says; what is no image voxel is outside_high +
/// outside_low. With `shown` 1, NaN and infinity become 0; with 2 they become 1, and all else 0; with 3 they become
/// outside_high, and all else 1. Voxel 0,0,0 lies at `origin` of its
/// buffer. buffers: image, tile. parameters: extent, input, begin (signed), size, stride (x, y, z each), boundary,
/// period (x, y, z), offset (signed), outside_high, outside_low, shown, origin, reversed (bit d: axis d
/// descends in memory). threads: extent.
const KernelSpec& gather_voxels(Element image);
/// The outputs of a tile to a caller's array: voxel (x, y, z) below `count` goes to `begin` + (x, y, z), `stride`
/// apart, from `origin` on. buffers: tile, voxels. parameters: extent_x, extent_y, count, begin, stride (x, y, z each),
/// origin, reversed. threads: count.
const KernelSpec& scatter_voxels(Element output);
/// Adds the raw outputs of a tile to the image positions that the boundary (clamped or periodic) reads there: raw
/// output 0 lies at raw_begin (signed) of the extended image, raw_count follow. Thread (x, y, z) below `count` sums up
/// for image position `begin` + (x, y, z). buffers: tile, sums. parameters: extent_x, extent_y, count, begin,
/// raw_begin, raw_count, size, stride (x, y, z each), boundary, period (x, y, z), offset, origin, reversed. threads:
/// count.
extern const KernelSpec fold_voxels;
/// All of them, for tests that compile everything.
const std::vector<const KernelSpec*>& all();
}  // namespace convoy::kernels
