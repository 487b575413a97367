// The program of a whole run on arrays that lie on the device.
#pragma once

#include "convoy/image.hpp"
#include "program/program.hpp"

namespace convoy {

/// The caller's arrays as external slots, behind those of make_program.
namespace device_array_slots {
inline constexpr SlotId image = 3;   ///< the caller's image: spec.image, z, y, x
inline constexpr SlotId output = 4;  ///< the caller's output: output_shape(spec), z, y, x
}  // namespace device_array_slots

/// A plan and the elements of the caller's arrays.
struct DeviceArraysPlan : Plan {
  Element image_element = Element::f32;
  Element output_element = Element::f32;
};

/// All tiles of the plan one after the other: gather, convolve, scatter. Setup and its port are those of
/// make_program(Plan). Throws Error(unsupported) for arrays that kernels cannot index, constants that single precision
/// cannot hold, and for Plan::fold_output with an output of another element than the plan's precision.
Program make_program(const DeviceArraysPlan& plan);

}  // namespace convoy
