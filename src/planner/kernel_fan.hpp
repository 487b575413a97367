// How tiles and kernels of one turn of a program belong together.
#pragma once

#include "convoy/spec.hpp"

namespace convoy::inline v0 {

/// What a turn does: tiles of `num_inputs()` images become tiles of `num_outputs()`, by way of `num` spectra.
struct KernelFan {
  enum class Kind {
    single,  ///< one tile, one spectrum, one result
    each,    ///< tile i with spectrum i makes result i
    spread,  ///< one tile with every spectrum: its transform is kept, result i is that of spectrum i
    gather   ///< the sum of tile i with spectrum i over all i: one result
  };
  Kind kind = Kind::single;
  Index num = 1;
  bool weighs = false;  ///< gather: tiles are of one image times weight i; spread: results times weight i are added up

  bool is_single() const { return kind == Kind::single; }
  Index num_inputs() const;
  Index num_outputs() const;
  /// Images that the caller hands in for a turn, and gets from it.
  Index num_images() const { return weighs ? 1 : num_inputs(); }
  Index num_results() const { return weighs ? 1 : num_outputs(); }
  bool operator==(const KernelFan&) const = default;
};

/// Whether every kernel takes in a tile of its own, or makes one.
bool has_tiles_in(KernelFan::Kind kind);
bool has_tiles_out(KernelFan::Kind kind);

KernelFan kernel_fan(const ConvolutionSpec& spec);
/// Turns that a run takes for every place of a tile in the image.
Index num_groups(const ConvolutionSpec& spec);

}  // namespace convoy::inline v0
