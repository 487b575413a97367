#include <algorithm>
#include <utility>

#include "base/boundary_rule.hpp"
#include "convoy/plan.hpp"
#include "planner/axis.hpp"

namespace convoy::inline v0 {
namespace {

/// First and last position of an axis that begin ... end - 1 show. Past one period nothing new is seen.
std::pair<Index, Index> shown(const BoundaryRule& rule, Index begin, Index end) {
  Index first = rule.size;
  Index last = -1;
  const auto show = [&](Index from, Index to) {
    for (Index at = from; at < to; ++at) {
      const Index source = rule.source_of(at);
      if (source == kOutside) continue;
      first = std::min(first, source);
      last = std::max(last, source);
    }
  };
  const Index inside_begin = std::clamp<Index>(begin, 0, rule.size);
  const Index inside_end = std::clamp<Index>(end, inside_begin, rule.size);
  if (inside_begin < inside_end) {
    first = inside_begin;
    last = inside_end - 1;
  }
  // One voxel of a clamped axis, and none outside of others that do not repeat, stands for all.
  const Index longest = rule.kind == BoundaryRule::Kind::periodic ? rule.period : 1;
  const Index end_before = std::min<Index>(end, 0);
  show(std::max(begin, end_before - longest), end_before);
  const Index begin_after = std::max(begin, rule.size);
  show(begin_after, std::min(end, begin_after + longest));
  return {first, last};
}

}  // namespace

Box input_box(const ConvolutionSpec& spec) {
  validate(spec);
  Box box;
  for (int axis = 0; axis < 3; ++axis) {
    const AxisPlan plan = axis_task(spec, axis).plan;
    const BoundaryRule rule = boundary_rule(reading_boundary(spec), plan.image);
    // output[o] reads what kernel elements kernel_begin ... kernel_begin + kernel_size - 1 lie on: o + shift - element.
    const Index end = plan.output + plan.shift - plan.kernel_begin;
    const Index begin = plan.shift - plan.kernel_begin - plan.kernel_size + 1;
    const auto [first, last] = shown(rule, begin, end);
    box.begin[axis] = first;
    box.size[axis] = last - first + 1;
  }
  return box;
}

}  // namespace convoy::inline v0
