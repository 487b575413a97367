// Pairing::sum of images in host memory: tiles times weights on their way in, or, for the adjoint, on their way out.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "backends/backend.hpp"
#include "engine/tile_geometry.hpp"
#include "planner/kernel_fan.hpp"

namespace convoy::inline v0 {

/// The weight images in the arithmetic's precision.
class Weights {
 public:
  /// Copies them. Throws OutOfMemory.
  Weights(const ConvolutionSpec& spec, const ImageView& given);

  ImageView image(Index number) const;

 private:
  Shape shape_;
  std::variant<std::vector<float>, std::vector<double>> voxels_;
};

/// Of one device's plan. Without weights it does nothing.
template <class Real>
class TileWeighing {
 public:
  TileWeighing(const Plan& plan, backend::Session& session, const Weights* weights);

  bool of_inputs() const { return weights_ != nullptr && fan_.kind == KernelFan::Kind::gather; }
  bool of_outputs() const { return weights_ != nullptr && fan_.kind == KernelFan::Kind::spread; }
  /// The tile that lies in the first input port, times each weight image, in all of them.
  void spread_input(const TileIndex& tile, int set);
  /// The sum of the tiles in the output ports, which are there, each times its weight image: in the first of them.
  void gather_outputs(const TileIndex& tile, int set);

 private:
  Real* input(Index number, int set) const;
  Real* output(Index number, int set) const;
  void weigh_output(const TileIndex& tile, Index number, int set);

  const Plan& plan_;
  KernelFan fan_;
  backend::Session& session_;
  const Weights* weights_;
  std::vector<Real> tile_;  // of a weight image
};

}  // namespace convoy::inline v0
