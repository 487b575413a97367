// Measured or guessed numbers that are the same for all devices: because layouts and factors of transforms follow from
// them, because they choose among costs, or because they are the host's. What differs stands in device_model.hpp.
#pragma once

#include <cstdint>

#include "convoy/shape.hpp"

namespace convoy::device_model {

/// @name The planner's choices
/// @{
/// Tiles cost the executor more than is predicted: they must promise more than this to replace a whole image that fits.
inline constexpr double kGainThatPaysForTiles = 1.10;
/// Tiles need less host memory, and an interrupted run of them is continued: a split transform must promise more.
inline constexpr double kGainThatPaysForSplit = 1.25;
/// Below this many voxels read for one of the image, halos are not what tiles lose their time with.
inline constexpr double kHalosThatWeigh = 2;
/// Costs this close count as equal; then slow axes are split rather than fast ones.
inline constexpr double kEqualCosts = 1.01;
/// What whole chunks of files are worth: a chunk that tiles cut is read and written several times.
inline constexpr double kEqualCostsOfFiles = 1.5;
/// A way that takes so many times as long as another is not chosen without a reason that says what would change it.
inline constexpr double kSlow = 4;
/// As fast as any, nearly.
inline constexpr double kFastEnough = 1.5;
/// So many, that devices of unlike speed come out even.
inline constexpr Index kTilesPerDevice = 4;
/// Pieces in which a tile is transferred, at most.
inline constexpr Index kMostPieces = 32;
/// A transform's time grows by this part for each factor of two that its length lacks of 2^6; a guess.
inline constexpr double kCostOfMissingTwo = 0.05;
inline constexpr int kTwosThatHelp = 6;
/// @}

/// @name The host
/// @{
/// Of images that are read or written box by box, so many boxes are in memory at once: one is in use, while another is
/// read or written.
inline constexpr int kBoxesInHand = 2;
/// Threads that read and write files for one device, at most.
inline constexpr int kMostDiskThreads = 4;
/// Boxes are read and written in slabs: small enough that a run stops soon and that what readers hold is little beside
/// the box, large enough for disks.
inline constexpr std::uint64_t kLeastSlabBytes = std::uint64_t{256} << 10;
inline constexpr std::uint64_t kMostSlabBytes = std::uint64_t{8} << 20;
inline constexpr std::uint64_t kSlabsOfBox = 16;
/// What the host adds up in its own memory; a guess, for choosing split transforms.
inline constexpr double kHostBytesPerSecond = 1e10;
/// @}

/// @name GPUs, as all that convoy knows are built
/// @{
inline constexpr Index kWarp = 32;
inline constexpr Index kRegistersPerMultiprocessor = 65536;
inline constexpr Index kCacheLineBytes = 128;
/// Banks of 8 bytes: those of float2.
inline constexpr Index kBanks = 16;
/// Named barriers of a workgroup, less the one of all its threads: a pair of rows of a plane takes one.
inline constexpr Index kBarriersForPairs = 15;
/// @}

/// @name Layout of work buffers and spectra, which all passes of a tile share
/// @{
/// Neighbouring columns lie next to each other in blocks of this width: whole cache lines.
inline constexpr std::uint64_t kWidestBytes = 128;
/// Blocks of columns may be so wide that this part (an eighth) of the memory is wasted.
inline constexpr Index kLeastFilled = 8;
/// @}

/// @name Radices of own passes. A thread holds a butterfly in registers.
/// @{
inline constexpr Index kLargestColumnRadix = 18;
/// Of lines that begin with two 16: so 5120 is three stages (one H200, 1000 signals of 65536 * 1001: 0.254 ms; four
/// stages 0.283). Two large ones do not pay: 5760 = 16 * 18 * 20 0.344.
inline constexpr Index kLargestLineRadix = 20;
inline constexpr Index kFirstLineRadix = 16;
/// Compilers load the factors of smaller butterflies together, those of larger ones one after the other.
inline constexpr Index kLargeButterfly = 12;
/// Products in two stages: the largest first radix, and the largest last one, of which a thread holds the spectrum's
/// elements as well.
inline constexpr Index kLargestOfTwo = 32;
inline constexpr Index kLargestWithFactors = 24;
/// Large butterflies come first in products where threads of a column stay below this.
inline constexpr Index kMostThreadsOfFactors = 80;
/// @}

/// @name Rows
/// @{
/// Padding against bank conflicts: elements at most after each period, and the part (an eighth) of a row.
inline constexpr Index kMostPad = 8;
inline constexpr Index kMostWaste = 8;
/// Of pairs of butterflies each thread would take as many registers as it may: more threads hide more latency.
inline constexpr std::uint32_t kMinRowThreadsPerSm = 1024;
/// Of tiles that a workgroup holds (fft/tile_shape.hpp): threads of a workgroup, of one that has a multiprocessor for
/// itself, and of all on a multiprocessor; workgroups beside each other; elements of an axis. H200, 1000 images of
/// 256^2 * 31^2: 96^2 by 192, 256, 288, 384 threads 0.426, 0.425, 0.432, 0.418 ms; 160^2 by 512, 640, 800 0.458, 0.435,
/// 0.451.
inline constexpr Index kTileThreads = 384;
inline constexpr Index kLoneTileThreads = 640;
inline constexpr Index kAllTileThreads = 1152;
inline constexpr Index kMostTilesBeside = 6;
inline constexpr Index kLongestOfTile = 256;
/// Passes over more bytes last so long that a gap between them is nothing; their early groups only get in the way.
inline constexpr std::uint64_t kShortPassBytes = 256 << 20;
/// @}

}  // namespace convoy::device_model
