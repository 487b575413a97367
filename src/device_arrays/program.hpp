// The program of a whole run on arrays that lie on the device.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "convoy/image.hpp"
#include "convoy/plan.hpp"
#include "program/program.hpp"

namespace convoy::inline v0 {

/// The caller's arrays as external slots.
struct DeviceArraySlots {
  SlotId image;   ///< the caller's: spec.image, z, y, x
  SlotId output;  ///< output_shape(spec), z, y, x
  /// Of Pairing::sum: the weight images in the plan's precision; a tile of one of them, or of what makes up for missing
  /// voxels; a tile that is to be weighed, or the sum of those that have been.
  SlotId weights = 0;
  SlotId weights_tile = 0;
  SlotId other_tile = 0;
};
/// Where passes read the image itself, it takes the place of make_program's image slot; else both are behind those.
DeviceArraySlots device_array_slots(const Plan& plan);

/// A plan and the elements of the caller's arrays.
struct DeviceArraysPlan : Plan {
  Element image_element = Element::f32;
  Element output_element = Element::f32;
  std::optional<Strides> image_strides{};  ///< dense, if there are none; of complex images, whose parts the spec counts
  std::optional<Strides> output_strides{};
  /// With NonFinite::interpolate: of the kernel as the device has it; smaller sums than least_weight are rounding.
  double kernel_sum = 1;
  double least_weight = 0;
  /// Of paths that transform nothing, what the setup's port is given, if it is known (filter_taps()).
  std::vector<float> taps{};
  /// Of Pairing::sum: the weight images, in the plan's precision.
  std::shared_ptr<const std::vector<std::byte>> weights{};
};

/// All tiles of the plan: native passes read and write the arrays themselves, batch by batch; others are gathered,
/// convolved and scattered, one after the other. Setup and its port are those of
/// make_program(Plan). Throws Error(unsupported) for arrays that kernels cannot index, constants that single precision
/// cannot hold, and for Plan::fold_output with an output of another element than the plan's precision.
Program make_program(const DeviceArraysPlan& plan);

}  // namespace convoy::inline v0
