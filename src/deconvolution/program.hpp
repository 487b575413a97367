// The program of a deconvolution: everything between the upload of the data and the download of the result stays on the
// device.
//
//   setup    PSF to spectrum; Wiener: to the filter's
//   run      data and scalars up; weights; start. Wiener: the filter
//   iterate  blur, ratio (or residual), adjoint, new estimate
//   measure  the same; sums down
//   finish   crop, result down
#pragma once

#include "convoy/deconvolution.hpp"
#include "program/program.hpp"

namespace convoy::inline v0 {

/// The ports of a deconvolution beside ports::kernel. Arrays are in device order, tight.
namespace deconvolution_ports {
inline constexpr PortId observed = 1;  ///< run: the window; -1e30 means that there is no datum
inline constexpr PortId scalars = 2;   ///< run: kernels::scalars
inline constexpr PortId output = 3;    ///< finish: the image
inline constexpr PortId noise = 5;     ///< run, for gradient consensus: laid out as the data
inline constexpr PortId sums = 4;      ///< measure: kNumQuantities x kSumsPerQuantity (deconvolution/sum_threads.hpp)
}  // namespace deconvolution_ports

/// Voxels of the unknown whose weight is not above this are left out: see Edges::noncirculant.
inline constexpr float kLeastWeight = 0.01f;

/// The plan must not be tiled.
Program make_unlowered_program(const DeconvolutionPlan& plan);
/// For devices: the same, with passes of convoy's own in place of convolutions where the plan's path is native.
Program make_program(const DeconvolutionPlan& plan);

/// The program of a plan in tiles, to be run in host memory but for its convolutions: their geometry is that of the
/// frame without padding, and setup is empty.
Program make_host_program(const DeconvolutionPlan& plan);

}  // namespace convoy::inline v0
