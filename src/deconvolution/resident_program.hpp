// The program of a deconvolution whose image and result lie on the device: one run section does all, and asks the host
// nothing.
#pragma once

#include "convoy/deconvolution.hpp"
#include "program/program.hpp"

namespace convoy::inline v0 {

/// A plan of a whole image, and what else the program is made of.
struct ResidentDeconvolutionPlan : DeconvolutionPlan {
  Element image_element = Element::f32;
  Element output_element = Element::f32;
  std::optional<Strides> image_strides;  ///< of every run's array, in bytes; dense, if there are none
  std::optional<Strides> output_strides;
  double psf_magnitude = 1;  ///< sum of the magnitudes of the device's PSF
};

/// The caller's arrays as external slots.
struct ResidentSlots {
  SlotId image = 0;   ///< spec.image, z, y, x, from the array's lowest byte
  SlotId output = 0;  ///< likewise
};

struct ResidentProgram {
  Program program;
  ResidentSlots slots;
};

/// Setup and its port are those of make_program(DeconvolutionPlan). Throws Error(unsupported) for arrays that kernels
/// cannot index.
ResidentProgram make_resident_program(const ResidentDeconvolutionPlan& plan);

/// For plan_and_load().
Program make_program(const ResidentDeconvolutionPlan& plan);

/// What the program holds beside the plan's ledger.
LedgerLine resident_sums_line(const DeconvolutionPlan& plan);

}  // namespace convoy::inline v0
