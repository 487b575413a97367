// Tiles of arrays on the device one by one: gathered, weighed, scattered or added up, each step a kernel.
#pragma once

#include <vector>

#include "device_arrays/callers_array.hpp"
#include "device_arrays/program.hpp"
#include "engine/tile_geometry.hpp"

namespace convoy::inline v0 {

class TileSteps {
 public:
  TileSteps(const DeviceArraysPlan& plan, const CallersArray& image, const CallersArray& output);

  /// What a tile shows in place of voxels that are not finite, and of the others.
  enum class Shown {
    voxels,        ///< as they are
    finite,        ///< 0, as they are
    missing,       ///< 1, 0; and 0 outside
    nan_where_not  ///< NaN, 1
  };
  /// A tile of image `number` as it is read.
  Dispatch gather(Index number, const TileIndex& tile, SlotId to) const;
  Dispatch gather(Index number, const TileIndex& tile, SlotId to, Shown shown) const;
  /// Of the image that the output voxels of the tile belong to, the same voxels.
  Dispatch gather_own(Index number, const TileIndex& tile, SlotId to) const;
  /// What the tile shows of weight image `number`: where it reads the image, or for the adjoint where its outputs are.
  Dispatch gather_weights(Index number, const TileIndex& tile, SlotId to) const;
  /// All voxels of a slot times those of another.
  Dispatch weigh(SlotId tile, SlotId weights, SlotId to, bool adds) const;
  /// What results are multiplied with where so much of the kernel saw missing voxels.
  Dispatch known_share(SlotId missing, SlotId to) const;

  /// The outputs of a tile to output image `number`; or added to it where the boundary shows them.
  Dispatch scatter(Index number, const TileIndex& tile, SlotId from) const;
  Dispatch fold(Index number, const TileIndex& tile, SlotId from) const;
  /// Sets the output to 0, and nothing between its voxels. Overwrites the tile.
  void append_clear(SlotId tile, std::vector<Step>& steps) const;

  /// The boundary's constant, or 0. Throws Error(unsupported) where single precision does not hold it.
  double outside() const;
  TileAccess reads() const;
  TileAccess writes() const;

 private:
  struct Box;
  using PerAxis = std::array<Index, 3>;  // device order

  const AxisPlan& axis(std::size_t d) const { return device_axis(plan_, static_cast<int>(d)); }
  Index tile_on(std::size_t d, const TileIndex& tile) const;
  PerAxis extents() const;
  PerAxis first_inputs(const TileIndex& tile) const;
  Index first_output(std::size_t d, const TileIndex& tile) const;
  AxisOutputs folded_onto(std::size_t d, const TileIndex& tile) const;
  Element real() const { return plan_.spec.precision == Precision::f32 ? Element::f32 : Element::f64; }
  Dispatch dispatch(const KernelSpec& kernel, std::vector<SlotId> slots, const PerAxis& threads) const;
  Dispatch gathered(const CallersArray& array, Index number, SlotId from, SlotId to, const Box& box) const;
  Dispatch scattered(Index number, SlotId from, const Box& box) const;
  void add_rule(Dispatch& step, Boundary boundary) const;
  TileAccess access_of(const CallersArray& array, Index AxisPlan::*count) const;

  const DeviceArraysPlan& plan_;
  const CallersArray& image_;
  const CallersArray& output_;
  DeviceArraySlots slots_;
  KernelFan fan_;
};

}  // namespace convoy::inline v0
