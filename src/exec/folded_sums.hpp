// The adjoint of reading through a boundary: outputs that fall outside the image are added to voxels inside.
#pragma once

#include <vector>

#include "backends/backend.hpp"
#include "exec/loaded_plan.hpp"
#include "exec/scatter.hpp"

namespace convoy {

/// The sums of a whole output, in memory of their own.
template <class Real>
class FoldedSums {
 public:
  explicit FoldedSums(const LoadedPlan& loaded)
      : plan_(loaded.plan),
        session_(*loaded.session),
        sums_(static_cast<std::size_t>(num_voxels(output_shape(loaded.plan.spec)))) {}

  /// Waits for the tile in this set.
  void add(const TileIndex& tile, int set) {
    session_.wait(set);
    fold_tile(plan_, tile, reinterpret_cast<const Real*>(session_.port(ports::output, set)), sums_.data());
  }
  const Real* data() const { return sums_.data(); }

 private:
  const Plan& plan_;
  backend::Session& session_;
  std::vector<Real> sums_;
};

}  // namespace convoy
