// The program of a Richardson-Lucy deconvolution: everything between the upload of the data and the download of the
// result stays on the device.
//
//   setup    PSF to spectrum
//   run      data and scalars up; weights; start
//   iterate  blur, ratio, adjoint, update
//   measure  the same; sums down
//   finish   crop, result down
#pragma once

#include "convoy/deconvolution.hpp"
#include "program/program.hpp"

namespace convoy {

/// The ports of a deconvolution beside ports::kernel. Arrays are in device order, tight.
namespace deconvolution_ports {
inline constexpr PortId observed = 1;  ///< run: the window; a negative voxel tells that there is no datum
inline constexpr PortId scalars =
    2;  ///< run: kNumScalars reals (plan/reduction.hpp), see kernels/deconvolution_kernels.hpp
inline constexpr PortId output = 3;  ///< finish: the image
inline constexpr PortId sums = 4;    ///< measure: kNumQuantities x kSumsPerQuantity (plan/reduction.hpp)
}  // namespace deconvolution_ports

/// Voxels of the unknown whose weight is not above this are left out: see Edges::noncirculant.
inline constexpr float kLeastWeight = 0.01f;

Program make_program(const DeconvolutionPlan& plan);

}  // namespace convoy
