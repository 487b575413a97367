// A choice that is read is planned with: what it asks for exists, or is refused.
#include "convoy/convoy.hpp"
#include "engine/tuning.hpp"
#include "target.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto choice = convoy::choice_from_text(convoy::fuzz::to_string(data, size));
  if (!choice) return 0;
  convoy::ConvolutionSpec spec;
  spec.image = {3, 4, 6};
  spec.kernel = {2, 3, 2};
  convoy::Limits limits;
  limits.free_bytes = limits.total_bytes = 1 << 24;
  convoy::PlanOptions options;
  options.choice = choice;
  try {
    const convoy::Plan plan = make_plan(spec, limits, options);
    if (plan.footprint_bytes > limits.free_bytes) convoy::fuzz::broken("plans fit");
    if (plan.padded() != choice->padded) convoy::fuzz::broken("the choice is taken as it is");
  } catch (const convoy::Error&) {
  }
  return 0;
}
