// The ends of a run: tiles of images in the caller's memory, and of images that are read and written box by box.
#pragma once

#include <mutex>
#include <variant>
#include <vector>

#include "convoy/stream.hpp"
#include "engine/tile_loop.hpp"
#include "engine/weighing.hpp"

namespace convoy::inline v0 {

/// The sums of whole outputs, of one image or a batch, whose outermost voxels are added to others (Plan::fold_output),
/// in memory of their own: the adjoint of reading through a boundary.
class FoldedSums {
 public:
  /// `weights`, if there are any, must outlive it.
  explicit FoldedSums(const ConvolutionSpec& spec, const Weights* weights = nullptr);

  /// Takes a device's tiles. Several may do so at once.
  std::unique_ptr<TileSink> sink(const LoadedPlan& loaded);
  /// Waits for the tile in this set of the device; a tile that throws has added nothing.
  void add(const LoadedPlan& loaded, const TileIndex& tile, int set);

  /// As output voxels, after the last add().
  OutputSums write(const MutableImageView& output) const;
  OutputSums write(const std::vector<ImageWriter*>& writers) const;

 private:
  const Weights* weights_;
  std::mutex mutex_;
  std::variant<std::vector<float>, std::vector<double>> sums_;
};

/// The sums of a whole output, slab by slab, as the writer's voxels.
template <class Real>
OutputSums write_folded(const Real* sums, ImageWriter& writer);

/// What a run is done with, beside its images. All of it must outlive the run.
struct RunNeeds {
  const VoxelRules& rules;
  bool sums = false;  ///< ConvolverOptions::sums; without, memory that is used in place is looked through only when an
                      ///< output holds NaN or infinity
  FoldedSums* folded = nullptr;  ///< where outputs go, if given
  const Weights* weights = nullptr;
};

/// Where a device's plan takes its tiles from and puts them.
TileIo memory_io(const PreparedDevice& on, const ImageView& image, const MutableImageView& output,
                 const RunNeeds& needs);
/// While the device and the host's copies work on some tiles, others are read and written.
TileIo stream_io(const PreparedDevice& on, const ImageReaders& readers, const ImageWriters& writers,
                 const RunNeeds& needs);

/// The plan's tiles of all images, but for those that the writers hold already. Plan and writers must live as long.
RunTiles missing_tiles(const Plan& plan, const ImageWriters& writers);

}  // namespace convoy::inline v0
