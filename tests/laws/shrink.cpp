#include <fmt/format.h>

#include "laws/law.hpp"
#include "selftest/oracle.hpp"

namespace convoy::laws {
namespace {

/// Repaired where a change of shape has left them behind.
void fit(Case& one) {
  ConvolutionSpec& spec = one.spec;
  for (int axis = 0; axis < 3; ++axis) {
    one.shift[axis] %= spec.image[axis];
    spec.origin.index[axis] = std::min(spec.origin.index[axis], spec.kernel[axis] - 1);
  }
  if (!one.region) return;
  const Shape output = output_shape(spec);
  for (int axis = 0; axis < 3; ++axis) {
    Index& begin = one.region->begin[axis];
    begin = std::min(begin, output[axis] - 1);
    one.region->size[axis] = std::min(one.region->size[axis], output[axis] - begin);
  }
}

/// Cases that are simpler by one thing, the boldest first.
std::vector<Case> simpler(const Case& one) {
  std::vector<Case> list;
  const auto try_with = [&](auto change) {
    Case next = one;
    change(next);
    list.push_back(next);
  };
  const auto smaller = [&](auto extent_of) {
    for (int axis = 0; axis < 3; ++axis) {
      const Index extent = extent_of(one, axis);
      for (const Index next : {Index{1}, extent / 2, extent - 1}) {
        if (next < 1 || next >= extent) continue;
        try_with([&](Case& c) { extent_of(c, axis) = next; });
      }
    }
  };
  smaller([](auto& c, int axis) -> decltype(auto) { return (c.spec.image[axis]); });
  smaller([](auto& c, int axis) -> decltype(auto) { return (c.spec.kernel[axis]); });
  if (one.region) smaller([](auto& c, int axis) -> decltype(auto) { return (c.region->size[axis]); });
  for (int axis = 0; axis < 3; ++axis) {
    if (one.shift[axis] > 0) try_with([&](Case& c) { c.shift[axis] = 0; });
    if (one.shift[axis] > 1) try_with([&](Case& c) { c.shift[axis] = 1; });
    if (one.region && one.region->begin[axis] > 0) try_with([&](Case& c) { c.region->begin[axis] = 0; });
  }
  if (one.min_tiles > 1) try_with([](Case& c) { c.min_tiles = 1; });
  if (one.min_tiles > 2) try_with([](Case& c) { c.min_tiles = 2; });
  if (one.memory_share >= 0) try_with([](Case& c) { c.memory_share = -1; });
  if (one.min_sets > 1) try_with([](Case& c) { c.min_sets = 1; });
  if (one.path) try_with([](Case& c) { c.path.reset(); });
  if (one.spec.batch > 1 && one.spec.pairing != Pairing::each) try_with([](Case& c) { c.spec.batch = 1; });
  if (one.spec.num_kernels > 1) {
    try_with([](Case& c) {
      --c.spec.num_kernels;
      if (c.spec.pairing == Pairing::each) c.spec.batch = c.spec.num_kernels;
    });
  }
  if (one.element != Element::f32) try_with([](Case& c) { c.element = Element::f32; });
  if (one.sum_tuning != SumTuning{}) try_with([](Case& c) { c.sum_tuning = {}; });
  if (one.method != Method::fft) try_with([](Case& c) { c.method = Method::fft; });
  if (one.spec.constant != 0) try_with([](Case& c) { c.spec.constant = 0; });
  if (one.spec.operation != Operation::convolve) try_with([](Case& c) { c.spec.operation = Operation::convolve; });
  if (one.spec.origin.rule != Origin::Rule::center) try_with([](Case& c) { c.spec.origin = {}; });
  return list;
}

bool is_refused(const std::string& failure) { return failure.starts_with(name(Errc::invalid_argument)); }

}  // namespace

std::string to_text(const Case& one) {
  std::string text = oracle::to_text(one.spec);
  if (one.spec.constant != 0) text += fmt::format(", constant {}", one.spec.constant);
  if (one.spec.origin.rule == Origin::Rule::at) text += ", origin " + to_text(one.spec.origin.index);
  if (one.min_tiles > 1) text += fmt::format(", {} tiles at least", one.min_tiles);
  if (one.memory_share >= 0) text += fmt::format(", memory limit {} of the way to the whole", one.memory_share);
  if (one.min_sets > 1) text += fmt::format(", {} in flight", one.min_sets);
  if (one.method != Method::fft) text += fmt::format(", method {}", name(one.method));
  if (one.path) text += fmt::format(", path {}", name(*one.path));
  if (one.spec.num_kernels > 1 || one.spec.pairing != Pairing::all) {
    text += fmt::format(", {} kernels, pairing {}", one.spec.num_kernels, name(one.spec.pairing));
  }
  if (one.spec.batch > 1) text += fmt::format(", batch of {}", one.spec.batch);
  if (one.element != Element::f32) text += fmt::format(", of {}", facts_of(one.element).name);
  if (one.sum_tuning != SumTuning{}) {
    text += fmt::format(", sums cut as {},{},{},{}", one.sum_tuning.threads_y, one.sum_tuning.rows,
                        one.sum_tuning.planes, one.sum_tuning.run);
  }
  if (one.region) text += ", region " + to_text(*one.region);
  if (one.shift != Shape{0, 0, 0}) text += fmt::format(", moved by {}", to_text(one.shift));
  return text + fmt::format(", voxels {}", one.voxels_seed);
}

std::string failure_of(const Law& law, const Case& one) {
  try {
    return law.broken_by(one);
  } catch (const Error& problem) {
    return fmt::format("{}: {}", name(problem.code()), problem.what());
  } catch (const Broken& broken) {
    return broken.how;
  }
}

Case shrunk(const Law& law, const Case& failing) {
  const bool refusal = is_refused(failure_of(law, failing));  // else, cases that make no sense are no failures
  Case smallest = failing;
  for (bool found = true; found;) {
    found = false;
    for (Case next : simpler(smallest)) {
      fit(next);
      const std::string failure = failure_of(law, next);
      if (failure.empty() || is_refused(failure) != refusal) continue;
      smallest = next;
      found = true;
      break;
    }
  }
  return smallest;
}

}  // namespace convoy::laws
