// One case on one device: is it right, and if so how fast.
#pragma once

#include "ceilings.hpp"
#include "convoy/device.hpp"
#include "options.hpp"
#include "problem.hpp"
#include "result.hpp"

namespace convoy::bench {

/// By which method, and how sums are cut.
struct Way {
  convoy::Method method = convoy::Method::automatic;
  SumTuning sum_tuning;
};

/// Never throws for what convoy or the device refuse: Result::failure then says why.
Result run_convoy(const Problem& problem, const Samples& samples, Device& device, const Ceilings& ceilings,
                  const Options& options, const Way& way);

}  // namespace convoy::bench
