// What planner and transform passes assume of a device beyond its Limits: every number that was measured or guessed.
// A kind of device that differs gets a column in device_model.cpp. What is the same for all stands in common.hpp.
#pragma once

#include <cstdint>

#include "convoy/device.hpp"
#include "convoy/shape.hpp"

namespace convoy::inline v0 {

/// The values given here hold for a GPU of which nothing is known but its Limits; columns name what differs.
/// Costs of passes are times: how much longer than its bytes at the device's streaming rate a pass takes.
struct DeviceModel {
  /// @name Rates where the device reports none; guesses
  /// @{
  double memory_bytes_per_second = 1e12;
  double transfer_bytes_per_second = 2e10;  ///< 0: no copies are needed
  /// @}

  /// @name Tiles
  /// @{
  /// Queueing, synchronising and the host's bookkeeping for a tile.
  double tile_overhead_seconds = 50e-6;
  /// Queueing, and passes that begin and end: a tile of device arrays waits for no copy.
  double device_array_overhead_seconds = 13e-6;
  /// A piece of a transfer that the caller's memory does not continue costs as much as so many bytes more; a guess.
  double bytes_per_host_run = 1024;
  /// @}

  /// @name Costs of passes; measured on volumes of 512^3 voxels
  /// @{
  double contiguous_pass = 1.3;
  double strided_pass = 1.7;
  double product_pass = 2.2;
  /// Rows and columns in one launch, of which only the image and the columns' side go through memory (H100: 1.5 to
  /// 1.7).
  double plane_pass = 1.6;
  /// Odd rows of reals are packed less well.
  double odd_row = 1.1;
  /// Long rows fill the shared memory, and only powers of two do that well, unless convoy's own passes do it.
  double long_row = 1.5;
  Index long_row_length = 4096;
  /// What work and spectrum of planes cost when the device's cache holds both, whole (larger tiles, which fit because
  /// the kernel is compact, gain nothing: P2 in 7 0.89, in 12 0.74 ms). Tiles of volumes gain nothing: halos in three
  /// directions cost what the cache saves (H200, 64x2048x2048: 65 tiles 3.9 ms, the whole 3.7).
  double cached_pass = 0.4;
  double cached_batch_pass = 0.65;  ///< of batches of tiles, which follow each other through the cache
  double usable_cache = 0.85;       ///< part of the last cache that they may fill
  /// Columns, 64 bytes of them side by side, of which a multiprocessor holds one group only; a cache is no help to
  /// them.
  double lone_columns = 1.1;
  double lone_column_bytes = 64;
  /// @}

  /// @name Sums over the filter's elements, without transforms
  /// @{
  /// Products in single precision while a byte is moved: 60 % of what an H100 can; half of it in double precision.
  /// 0: counted by threads.
  double products_per_byte = 6.5;
  /// The same of a multiprocessor, where their number is known: 80 % of 128 lanes at 1.755 GHz.
  double products_per_multiprocessor_second = 0;
  double products_per_thread_second = 0;  ///< of a thread of the host, likewise
  /// Sums that read and write arrays on the device: how much longer than their bytes they take before the products, and
  /// how many times each row is summed up along x, for the columns of several workgroups; guesses.
  double sums_pass = 1.3;
  double halo_of_row_sums = 1.5;
  /// How much longer products take in separable sums, between whose axes a workgroup meets at barriers.
  double products_between_barriers = 1.8;
  /// Of the shorter of moving and multiplying, what the longer one does not hide. With the rates for CUDA, fitted to
  /// one H200, ms: 4096^2 * 3^2 0.039, 7^2 0.056; 512^3 * 3^3 0.32, 5^3 0.77, Gaussian of 17^3 0.69.
  double sums_not_hidden = 0.3;
  /// @}

  /// @name Tiles on the host's threads (the cpu): seconds of one thread, in single precision
  /// @{
  double host_element_seconds = 0;  ///< of each complex number of a transform, one way; 0: not on the host
  double host_stage_seconds = 0;    ///< of it, for each factor of two in the length
  double host_small_factor =
      1;  ///< how much longer lengths take for each factor of 3 or 5; twice and four times, 7 and more
  double host_single_three =
      1;  ///< and columns and several rows of 3 * 2^n, for which FFTW estimates wrongly (192, 384)
  double host_large_factor = 1;      ///< and lone rows for each of 11 or 13
  double host_odd_row = 1;           ///< how much longer rows of odd lengths take
  Index host_long_row = 1;           ///< lone rows of more complex numbers than these leave the first-level cache
  double host_long_row_seconds = 0;  ///< of each number of them, one way, for each factor of two that they are longer
  Index host_longest_row = 1;        ///< and of more than these all that a thread has
  double host_longest_row_seconds = 0;
  double host_voxel_seconds = 0;     ///< of each voxel that is gathered or scattered, and looked at
  double host_row_seconds = 0;       ///< of each row of them
  double host_sum_seconds = 0;       ///< of each voxel in each pass of sums, beside its products
  double host_cache_bytes = 0;       ///< that a thread has
  double host_seconds_per_byte = 0;  ///< of what does not stay in it
  double host_bytes_of_share = 1;    ///< of an image, below which a thread gets none of it
  double host_loop_seconds = 0;      ///< that threads wait for each other behind each loop that they share
  /// @}

  /// @name Batches of tiles that passes read from the caller's arrays
  /// @{
  /// Of the last cache, what the work of a batch may be beside the spectrum. More than fits pays: launches have ends at
  /// which multiprocessors are idle (H200: P2 in tiles of 1440^2 0.68 ms at 0.7, 0.62 at 3, 0.60 at 8).
  double batch_share_of_cache = 3;
  /// Work of a batch where no cache is reported: enough to make launches few.
  double batch_bytes = 24 << 20;
  /// @}

  /// @name Lines (fft/passes.hpp): how much longer than reading and writing their transforms' numbers once, as fitted
  /// to 1000 signals of 65536 * 1001 and one of 2^27 on an H200 in lengths of 2048 to 16384 (0.25 to 0.66 ms)
  /// @{
  double line = 0.85;
  double line_stage = 0.34;            ///< each
  double lone_line = 1.25;             ///< of one that has a multiprocessor's shared memory for itself
  double lines_that_hide_latency = 3;  ///< on a multiprocessor; more beside each other are no faster
  /// @}

  /// @name Tiles of planes in one launch (fft/tile_shape.hpp): how much longer than reading and writing their numbers
  /// once, and their voxels; as measured of 64^2 to 160^2 on an H200
  /// @{
  double tile_in_shared = 1.19;
  double tile_voxels = 0.7;
  double lone_tile =
      0.6;  ///< of one that has a multiprocessor's shared memory for itself, over three beside each other
  /// @}

  /// @name Products with a compact filter, which they transform on the fly
  /// @{
  /// Whether they may gain over the whole spectrum. Through Vulkan no case did (C1 3.3 -> 4.7 ms).
  bool compact_filter_may_gain = false;
  /// How much longer they take than with the whole spectrum (H100 through Vulkan: 1.3 to 2), where their instructions
  /// cannot be counted because the number of multiprocessors is unknown.
  double compact_filter_pass = 1.5;
  /// Instructions of a multiprocessor's lanes together; 0: they cannot be counted. This and the next two are fitted to
  /// C1, M1, W1 and columns of 72 to 320 on H200 and H100 (benchmarks/README.md).
  double instructions_per_second = 0;
  double instructions_per_term = 4.5;      ///< of a filter's element in each sum
  double instructions_per_frequency = 20;  ///< of a spectrum's element
  /// Elements of a filter that a butterfly's input is the sum of, at most.
  Index most_terms = 8;
  /// @}

  /// @name Workgroups of own passes
  /// @{
  std::uint64_t max_column_threads = 640;
  /// Of a group that has a multiprocessor's shared memory for itself.
  std::uint64_t max_lone_column_threads = 1024;
  Index max_row_threads = 256;           ///< of one transform
  std::uint64_t max_line_threads = 512;  ///< of one transform of a line, which has a workgroup for itself
  /// Pairs of rows share a workgroup until it has so many threads.
  Index enough_row_threads = 128;
  /// Devices with more let three groups run beside each other in it, and leave something to the first-level cache.
  std::uint64_t large_shared_memory_bytes = 100 << 10;
  /// Of a group, where more leaves room for a single one, on devices with less.
  std::uint64_t usual_shared_memory_bytes = 48 << 10;
  /// Neighbouring columns become fewer down to this width to fit beside other groups: narrower accesses cost more than
  /// groups that have a multiprocessor for themselves.
  std::uint64_t narrow_bytes = 64;
  /// And down to this to fit at all: a sector of a cache line.
  std::uint64_t narrowest_bytes = 32;
  /// @}

  /// @name Rows and columns in one launch (plane_shape.hpp)
  /// @{
  Index max_plane_threads = 544;        ///< of a workgroup; of more, one barrier holds up too many
  Index resident_plane_threads = 1152;  ///< of all on a multiprocessor, which bounds each one's registers
  Index min_plane_threads = 128;        ///< of a workgroup
  /// Of the device's last cache, what planes between rows and columns may fill.
  double plane_cache = 0.6;
  /// Where they fill less than this part, consumers may stay another ample_share-th of the workgroups at work behind:
  /// groups differ in pace.
  double roomy_plane_cache = 0.2;
  Index ample_share = 3;
  /// A multiprocessor's share (bytes per second) of the fastest memory for which the last cache's detour is known to
  /// pay: H200's 32 GB/s (S0 0.405 -> 0.361 ms), and a quarter more.
  double fastest_plane_memory = 4e10;
  /// @}
};

/// The column of a device: the CPU's, that of GPUs whose workgroups may wait for each other (CUDA; multiprocessors and
/// cache are known), or that of other GPUs (HIP, Vulkan).
const DeviceModel& model_of(const Limits& limits);

}  // namespace convoy::inline v0
