#include "backends/cpu/fftw.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <list>
#include <mutex>
#include <string_view>
#include <type_traits>
#include <utility>

#include "backends/cpu/aligned_buffer.hpp"
#include "backends/cpu/builtin_fft.hpp"
#include "base/disk_cache.hpp"
#include "base/driver_libraries.hpp"
#include "base/fork.hpp"
#include "base/settings.hpp"
#include "convoy/error.hpp"

namespace convoy::backend::cpu {
namespace {

// FFTW's planner is not safe to be used by several threads; executing plans is.
std::mutex& planner_mutex() { return process_mutex(ProcessLock::fftw_planner); }

int to_int(Index length) {
  if (length > 0x7fffffff) {
    throw Error(Errc::unsupported, fmt::format("a transform of length {} is beyond FFTW's 2^31 - 1", length));
  }
  return static_cast<int>(length);
}

void* checked(void* plan, Index length) {
  if (plan == nullptr) throw Error(Errc::unsupported, fmt::format("FFTW has no plan for length {}", length));
  return plan;
}

/// Plans that were estimated, for the next Convolver of such lengths: FFTW takes milliseconds for those of a small
/// image, and finds the same ones again. For use under the planner's lock.
class KnownPlans {
 public:
  /// Empty if it is not there.
  FftwPlan find(const FftwProblem& problem) {
    const auto found =
        std::find_if(plans_.begin(), plans_.end(), [&](const Known& known) { return known.first == problem; });
    if (found == plans_.end()) return {};
    plans_.splice(plans_.begin(), plans_, found);  // the last to be forgotten
    return found->second;
  }

  /// Returns those that are forgotten for it: destroying them takes the lock.
  std::list<std::pair<FftwProblem, FftwPlan>> keep(const FftwProblem& problem, const FftwPlan& plan) {
    plans_.emplace_front(problem, plan);
    elements_ += problem.length;
    std::list<Known> forgotten;
    while (elements_ > kMostElements) {
      elements_ -= plans_.back().first.length;
      forgotten.splice(forgotten.end(), plans_, std::prev(plans_.end()));
    }
    return forgotten;
  }

 private:
  using Known = std::pair<FftwProblem, FftwPlan>;
  /// FFTW's tables hold up to a complex number an element: 4 MiB in double precision.
  static constexpr Index kMostElements = Index{1} << 18;

  std::list<Known> plans_;
  Index elements_ = 0;
};

template <class Real>
KnownPlans& known_plans() {
  static auto& plans = *new KnownPlans;  // outlives convolvers that are static
  return plans;
}

}  // namespace

FftwPlan::FftwPlan(void* plan, void (*destroy)(void*))
    : plan_(plan, [destroy](void* given) {
        const std::lock_guard lock(planner_mutex());
        destroy(given);
      }) {}

template <class Real>
const typename Fftw<Real>::Loading& Fftw<Real>::loading() {
  static const Loading loaded = [] {
    Loading result;
    auto table = std::make_unique<Fftw<Real>>();
    if (table->load(result.why_not)) result.table = table.release();  // lives as long as the process
    return result;
  }();
  return loaded;
}

template <class Real>
const Fftw<Real>& Fftw<Real>::instance() {
  if (loading().table == nullptr) throw Error(Errc::backend_unavailable, loading().why_not);
  return *loading().table;
}

template <class Real>
const std::string& Fftw<Real>::why_not() {
  return loading().why_not;
}

template <class Real>
bool Fftw<Real>::load(std::string& why_not) {
  const char* wanted = setting_for_good("CONVOY_CPU_FFT");
  const std::string_view which = wanted == nullptr ? "auto" : wanted;
  if (which != "auto" && which != "fftw" && which != "builtin") {
    why_not = fmt::format("CONVOY_CPU_FFT is '{}'; it may be auto, fftw or builtin", which);
    return false;
  }
  if (which != "builtin") {
    why_not = open_library();
    if (why_not.empty() || which == "fftw") return why_not.empty();
  }
  if (const FftwFunctions<Real>* builtin = builtin_fft<Real>()) {
    functions_ = *builtin;
    why_not.clear();
    return true;
  }
  why_not = fmt::format("{}{}{}", why_not, why_not.empty() ? "" : "; ", builtin_fft_missing());
  return false;
}

/// Why it cannot be used, if it cannot.
template <class Real>
std::string Fftw<Real>::open_library() {
  constexpr bool single = std::is_same_v<Real, float>;
  const char* package = single ? "libfftw3-single3" : "libfftw3-double3";
  library_ = open_driver(single ? DriverLibrary::fftw3f : DriverLibrary::fftw3);
  if (!library_.loaded()) {
    return fmt::format("FFTW was not found ({}); on Debian install {}", library_.why_not(), package);
  }
  std::string missing;
  const auto get = [&](auto& function, const char* name) {
    look_up(function, library_, fmt::format("{}{}", single ? "fftwf_" : "fftw_", name), missing);
  };
  get(functions_.plan_r2c, "plan_dft_r2c_1d");
  get(functions_.plan_c2r, "plan_dft_c2r_1d");
  get(functions_.plan_many, "plan_many_dft");
  get(functions_.execute_r2c, "execute_dft_r2c");
  get(functions_.execute_c2r, "execute_dft_c2r");
  get(functions_.execute_dft, "execute_dft");
  get(functions_.destroy, "destroy_plan");
  get(functions_.export_wisdom, "export_wisdom_to_string");
  get(functions_.import_wisdom, "import_wisdom_from_string");
  get(functions_.forget_wisdom, "forget_wisdom");
  if (const auto* text = static_cast<const char*>(library_.symbol(single ? "fftwf_version" : "fftw_version"))) {
    functions_.version = text;
  }
  if (!missing.empty()) return fmt::format("{} lacks {}", library_.name(), missing);
  return "";
}

/// Under the planner's lock, around which wisdom is recalled and kept when FFTW measures.
template <class Real>
template <class MakePlan>
FftwPlan Fftw<Real>::planned(const FftwProblem& problem, FftwEffort effort, const MakePlan& make_plan) const {
  FftwPlan plan;
  std::list<std::pair<FftwProblem, FftwPlan>> forgotten;  // until the lock is released
  const std::lock_guard lock(planner_mutex());
  if (effort == FftwEffort::estimate) {
    plan = known_plans<Real>().find(problem);
    if (plan.get() != nullptr) return plan;
    plan = {checked(estimated(make_plan), problem.length), functions_.destroy};
    forgotten = known_plans<Real>().keep(problem, plan);
    return plan;
  }
  recall_wisdom();
  plan = {checked(make_plan(kFftwMeasure), problem.length), functions_.destroy};
  keep_wisdom();
  return plan;
}

/// FFTW would use what was measured for other plans of this process, which would then round otherwise than in a process
/// of their own: it is set aside meanwhile.
template <class Real>
template <class MakePlan>
void* Fftw<Real>::estimated(const MakePlan& make_plan) const {
  const std::unique_ptr<char, void (*)(void*)> measured(functions_.export_wisdom(), std::free);
  functions_.forget_wisdom();
  void* const plan = make_plan(kFftwEstimate);
  if (measured != nullptr) functions_.import_wisdom(measured.get());
  return plan;
}

template <class Real>
void Fftw<Real>::recall_wisdom() const {
  static bool recalled = false;
  if (std::exchange(recalled, true)) return;
  if (const auto text = wisdom().find(version() + " wisdom")) functions_.import_wisdom(text->c_str());
}

template <class Real>
void Fftw<Real>::keep_wisdom() const {
  static std::string kept;
  const std::unique_ptr<char, void (*)(void*)> text(functions_.export_wisdom(), std::free);
  if (text == nullptr || kept == text.get()) return;
  kept = text.get();
  wisdom().store(version() + " wisdom", kept);
}

template <class Real>
FftwPlan Fftw<Real>::plan_row_forward(Index length, FftwEffort effort) const {
  AlignedBuffer in(static_cast<std::size_t>(length) * sizeof(Real));
  AlignedBuffer out(static_cast<std::size_t>(length / 2 + 1) * sizeof(Complex));
  return planned({.kind = FftwProblem::Kind::row_forward, .length = length}, effort, [&](unsigned flags) {
    return functions_.plan_r2c(to_int(length), in.as<Real>(), out.as<Complex>(), flags);
  });
}

template <class Real>
FftwPlan Fftw<Real>::plan_row_inverse(Index length, FftwEffort effort) const {
  AlignedBuffer in(static_cast<std::size_t>(length / 2 + 1) * sizeof(Complex));
  AlignedBuffer out(static_cast<std::size_t>(length) * sizeof(Real));
  return planned({.kind = FftwProblem::Kind::row_inverse, .length = length}, effort, [&](unsigned flags) {
    return functions_.plan_c2r(to_int(length), in.as<Complex>(), out.as<Real>(), flags);
  });
}

template <class Real>
FftwPlan Fftw<Real>::plan_complex(Index length, Index count, FftwLayout in, FftwLayout out, bool inverse,
                                  FftwEffort effort) const {
  const auto scratch = [&](FftwLayout layout) {
    const Index elements = (length - 1) * layout.stride + (count - 1) * layout.distance + 1;
    return AlignedBuffer(static_cast<std::size_t>(elements) * sizeof(Complex));
  };
  const AlignedBuffer from = scratch(in);
  const AlignedBuffer to = scratch(out);
  const int n = to_int(length);
  using Kind = FftwProblem::Kind;
  const FftwProblem problem{inverse ? Kind::complex_inverse : Kind::complex_forward, length, count, in, out};
  return planned(problem, effort, [&](unsigned flags) {
    return functions_.plan_many(1, &n, to_int(count), from.as<Complex>(), nullptr, to_int(in.stride),
                                to_int(in.distance), to.as<Complex>(), nullptr, to_int(out.stride),
                                to_int(out.distance), inverse ? kFftwBackward : kFftwForward, flags);
  });
}

template class Fftw<float>;
template class Fftw<double>;

}  // namespace convoy::backend::cpu
