#include "planner/method.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <vector>

#include "convoy/error.hpp"

namespace convoy::inline v0 {
namespace {

/// Of kernels that Method::automatic thinks of summing over directly: transforms are faster long before.
constexpr double kMostTaps = 1024;

struct Found {
  Method method;
  MethodChoice choice;
  double seconds() const { return choice.search.chosen.seconds(); }
};

/// Voxels of the kernel that can reach an output.
double taps_used(const ConvolutionSpec& spec) {
  double taps = 1;
  for (int axis = 0; axis < 3; ++axis) taps *= static_cast<double>(axis_task(spec, axis).plan.kernel_size);
  return taps;
}

std::string time_to_text(double seconds) {
  return seconds < 1e-3 ? fmt::format("{:.3g} us", 1e6 * seconds) : fmt::format("{:.3g} ms", 1e3 * seconds);
}

[[noreturn]] void refuse_method(const std::string& message) { throw Error(Errc::unsupported, message); }

/// Of a method that the options name.
void require_possible(const ConvolutionSpec& spec, const PlanOptions& options) {
  const bool transforms = options.method == Method::automatic || options.method == Method::fft;
  if (transforms) return;
  if (options.path) {
    refuse_method(
        fmt::format("method {} transforms nothing, so it has no {} path: leave the path out, or take method fft",
                    name(options.method), name(*options.path)));
  }
  if (options.choice) {
    refuse_method(
        fmt::format("method {} has no transforms whose lengths could be chosen: leave PlanOptions::choice out",
                    name(options.method)));
  }
  if (options.method == Method::separable && options.separable_terms == 0) {
    refuse_method(
        fmt::format("the kernel of {} zyx is no sum of {} products or fewer of functions of z, y and x, to {} "
                    "precision: take method direct, fft or auto",
                    to_text(spec.kernel), kMostSeparableTerms, spec.precision == Precision::f32 ? "single" : "double"));
  }
}

bool may_sum_directly(const PlanOptions& options) {
  return options.method == Method::automatic && !options.path && !options.choice;
}

MethodChoice searched(const ConvolutionSpec& spec, const Limits& limits, PlanOptions options, const Budget& budget,
                      Method method) {
  if (method != Method::fft) options.path = method == Method::direct ? Path::direct : Path::separable;
  SearchResult search = search_tilings(spec, limits, options, budget);
  return {std::move(search), options, ""};
}

std::string reason_of(const std::vector<Found>& found, std::size_t chosen) {
  std::string others;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (i == chosen) continue;
    others +=
        fmt::format("{}{} {}", others.empty() ? "" : ", ", name(found[i].method), time_to_text(found[i].seconds()));
  }
  const std::string method = name(found[chosen].method);
  if (others.empty()) return fmt::format("method {}: no other one fits", method);
  return fmt::format("method {}: the estimates are {} for it, {}", method, time_to_text(found[chosen].seconds()),
                     others);
}

}  // namespace

MethodChoice choose_method(const ConvolutionSpec& spec, const Limits& limits, const PlanOptions& options,
                           const Budget& budget) {
  require_possible(spec, options);
  if (options.method != Method::automatic) {
    MethodChoice only = searched(spec, limits, options, budget, options.method);
    if (options.method == Method::fft) return only;
    only.reason = fmt::format("method {}, as asked for", name(options.method));
    if (options.method == Method::separable && !options.separable_terms) {
      only.reason += "; the kernel's voxels are not known, it is taken to be one product of functions of z, y and x";
    }
    return only;
  }
  if (!may_sum_directly(options)) return searched(spec, limits, options, budget, Method::fft);

  std::vector<Found> found;
  std::exception_ptr problem;
  std::uint64_t least_bytes = UINT64_MAX;  // that any of the methods could do with
  const auto attempt = [&](Method method) {
    try {
      found.push_back({method, searched(spec, limits, options, budget, method)});
      least_bytes = std::min(least_bytes, found.back().choice.search.smallest_footprint_bytes);
    } catch (const OutOfMemory& error) {
      if (!problem || error.requested_bytes() < least_bytes) problem = std::current_exception();
      least_bytes = std::min(least_bytes, error.requested_bytes());
    } catch (const Error& error) {
      if (error.code() != Errc::unsupported) throw;
      if (!problem) problem = std::current_exception();
    }
  };
  attempt(Method::fft);
  if (taps_used(spec) <= kMostTaps) attempt(Method::direct);
  if (options.separable_terms.value_or(0) > 0) attempt(Method::separable);
  if (found.empty()) std::rethrow_exception(problem);
  std::size_t best = 0;
  for (std::size_t i = 1; i < found.size(); ++i) {
    if (found[i].seconds() < found[best].seconds()) best = i;
  }
  MethodChoice choice = found[best].choice;
  choice.search.smallest_footprint_bytes = least_bytes;
  if (found[best].method != Method::fft) choice.reason = reason_of(found, best);
  return choice;
}

}  // namespace convoy::inline v0
