// The ends of a run: tiles of images in the caller's memory, and of images that are read and written box by box.
#pragma once

#include <mutex>
#include <variant>
#include <vector>

#include "convoy/stream.hpp"
#include "engine/tile_loop.hpp"

namespace convoy {

/// The sums of whole outputs, of one image or a batch, whose outermost voxels are added to others (Plan::fold_output),
/// in memory of their own: the adjoint of reading through a boundary.
class FoldedSums {
 public:
  explicit FoldedSums(const ConvolutionSpec& spec);

  /// Takes a device's tiles. Several may do so at once.
  std::unique_ptr<TileSink> sink(const LoadedPlan& loaded);
  /// Waits for the tile in this set of the device; a tile that throws has added nothing.
  void add(const LoadedPlan& loaded, const TileIndex& tile, int set);

  /// As output voxels, after the last add().
  OutputSums write(const MutableImageView& output) const;
  OutputSums write(ImageWriter& writer) const;

 private:
  std::mutex mutex_;
  std::variant<std::vector<float>, std::vector<double>> sums_;
};

/// The sums of a whole output, slab by slab, as the writer's voxels.
template <class Real>
OutputSums write_folded(const Real* sums, ImageWriter& writer);

/// Where a device's plan takes its tiles from and puts them; into `folded` if given. What is passed by reference must
/// outlive the run. Without `sums` (ConvolverOptions::sums), memory that is used in place is looked through only when
/// an output holds NaN or infinity.
TileIo memory_io(const PreparedDevice& on, const ImageView& image, const MutableImageView& output,
                 const VoxelRules& rules, bool sums, FoldedSums* folded);
/// While the device and the host's copies work on some tiles, others are read and written.
TileIo stream_io(const PreparedDevice& on, const ImageReaders& readers, const ImageWriters& writers,
                 const VoxelRules& rules, FoldedSums* folded);

/// The plan's tiles of every image, but for those that its writer holds already. Plan and writers must live as long.
RunTiles missing_tiles(const Plan& plan, const ImageWriters& writers);

}  // namespace convoy
