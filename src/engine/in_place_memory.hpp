// Images in memory that the device reaches and in the arithmetic's own precision: they are transferred from and to
// where they lie, without a port.
#pragma once

#include <optional>

#include "backends/backend.hpp"
#include "convoy/image.hpp"
#include "engine/tile_axes.hpp"

namespace convoy {

/// Whether tiles of the image can be uploaded from where it lies (see input_box for those that still cannot).
bool can_lend(const Plan& plan, const backend::Device& device, const ImageView& image);
/// Whether tiles can be downloaded to where they belong.
bool can_lend(const Plan& plan, const backend::Device& device, const MutableImageView& output);

/// Whether a tile shows the image and zeros, and nothing else of the image's surroundings.
bool shows_image_and_zeros(const Plan& plan, const std::array<AxisSources, 3>& sources);

/// The part of the image that an input piece of such a tile shows; empty where it shows zeros only.
backend::HostBox input_box(const Plan& plan, const ImageView& image, const std::array<AxisSources, 3>& sources,
                           int piece);
/// The part of the output that an output piece of the tile becomes; empty if it lies outside.
backend::HostBox output_box(const Plan& plan, const MutableImageView& output, const std::array<AxisOutputs, 3>& outputs,
                            int piece);

}  // namespace convoy
