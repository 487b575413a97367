// The parts of one output that ranks share.
#pragma once

#include <vector>

#include "convoy/deconvolution.hpp"
#include "convoy/error.hpp"
#include "convoy/plan.hpp"

namespace convoy::mpi {

/// One region of a ConvolutionSpec's or a DeconvolutionPlan's output for each rank, or a few less where it cannot be
/// cut into so many.
template <class Whole>
std::vector<Box> regions_for(const Whole& whole, int num_ranks) {
  for (Index count = num_ranks; count > 1; --count) {
    try {
      return split_output(whole, count);
    } catch (const Error& error) {
      if (error.code() != Errc::invalid_argument) throw;
    }
  }
  return split_output(whole, 1);
}

}  // namespace convoy::mpi
