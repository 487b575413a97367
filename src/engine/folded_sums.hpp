// The adjoint of reading through a boundary: outputs that fall outside the image are added to voxels inside.
#pragma once

#include <mutex>
#include <vector>

#include "engine/pipeline.hpp"
#include "engine/scatter.hpp"

namespace convoy {

/// The sums of a whole output, in memory of their own. Several threads may add tiles at once.
template <class Real>
class FoldedSums {
 public:
  explicit FoldedSums(const ConvolutionSpec& spec) : sums_(static_cast<std::size_t>(num_voxels(output_shape(spec)))) {}

  /// Waits for the tile in this set of the device; a tile that throws has added nothing.
  void add(const LoadedPlan& loaded, const TileIndex& tile, int set) {
    loaded.session->wait(set);
    const auto* port = reinterpret_cast<const Real*>(loaded.session->port(ports::output, set));
    const std::lock_guard lock(mutex_);
    fold_tile(loaded.plan, tile, port, sums_.data());
  }
  /// When nobody adds any more.
  const Real* data() const { return sums_.data(); }

 private:
  std::mutex mutex_;
  std::vector<Real> sums_;
};

template <class Real>
class FoldingSink final : public TileSink {
 public:
  FoldingSink(const LoadedPlan& loaded, FoldedSums<Real>& sums) : loaded_(loaded), sums_(sums) {}

  void prepare(const TileIndex&, int) override {}
  OutputSums take(const TileIndex& tile, int set) override {
    sums_.add(loaded_, tile, set);
    return {};
  }
  void finish() override {}

 private:
  const LoadedPlan& loaded_;
  FoldedSums<Real>& sums_;
};

}  // namespace convoy
