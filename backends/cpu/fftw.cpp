#include "backends/cpu/fftw.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <list>
#include <mutex>
#include <type_traits>
#include <utility>

#include "backends/cpu/aligned_buffer.hpp"
#include "base/disk_cache.hpp"
#include "base/fork.hpp"
#include "convoy/error.hpp"

namespace convoy::backend::cpu {
namespace {

// From FFTW's documented interface (fftw3.h of FFTW 3.3).
constexpr unsigned kMeasure = 0;
constexpr unsigned kEstimate = 1U << 6;
constexpr int kForward = -1;
constexpr int kBackward = 1;

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
  constexpr bool single = std::is_same_v<Real, float>;
  const char* package = single ? "libfftw3-single3" : "libfftw3-double3";
  library_ = single ? SharedLibrary({"libfftw3f.so.3", "libfftw3f.so"}, "CONVOY_FFTW3F_LIBRARY")
                    : SharedLibrary({"libfftw3.so.3", "libfftw3.so"}, "CONVOY_FFTW3_LIBRARY");
  if (!library_.loaded()) {
    why_not = fmt::format("FFTW was not found ({}); on Debian install {}", library_.why_not(), package);
    return false;
  }
  std::string missing;
  const auto get = [&](auto& function, const char* name) {
    look_up(function, library_, fmt::format("{}{}", single ? "fftwf_" : "fftw_", name), missing);
  };
  get(plan_r2c_, "plan_dft_r2c_1d");
  get(plan_c2r_, "plan_dft_c2r_1d");
  get(plan_many_, "plan_many_dft");
  get(execute_r2c_, "execute_dft_r2c");
  get(execute_c2r_, "execute_dft_c2r");
  get(execute_dft_, "execute_dft");
  get(destroy_, "destroy_plan");
  get(export_wisdom_, "export_wisdom_to_string");
  get(import_wisdom_, "import_wisdom_from_string");
  get(forget_wisdom_, "forget_wisdom");
  if (const auto* text = static_cast<const char*>(library_.symbol(single ? "fftwf_version" : "fftw_version")))
    version_ = text;
  if (!missing.empty()) why_not = fmt::format("{} lacks {}", library_.name(), missing);
  return why_not.empty();
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
    plan = {checked(estimated(make_plan), problem.length), destroy_};
    forgotten = known_plans<Real>().keep(problem, plan);
    return plan;
  }
  recall_wisdom();
  plan = {checked(make_plan(kMeasure), problem.length), destroy_};
  keep_wisdom();
  return plan;
}

/// FFTW would use what was measured for other plans of this process, which would then round otherwise than in a process
/// of their own: it is set aside meanwhile.
template <class Real>
template <class MakePlan>
void* Fftw<Real>::estimated(const MakePlan& make_plan) const {
  const std::unique_ptr<char, void (*)(void*)> measured(export_wisdom_(), std::free);
  forget_wisdom_();
  void* const plan = make_plan(kEstimate);
  if (measured != nullptr) import_wisdom_(measured.get());
  return plan;
}

template <class Real>
void Fftw<Real>::recall_wisdom() const {
  static bool recalled = false;
  if (std::exchange(recalled, true)) return;
  if (const auto text = wisdom().find(version_ + " wisdom")) import_wisdom_(text->c_str());
}

template <class Real>
void Fftw<Real>::keep_wisdom() const {
  static std::string kept;
  const std::unique_ptr<char, void (*)(void*)> text(export_wisdom_(), std::free);
  if (text == nullptr || kept == text.get()) return;
  kept = text.get();
  wisdom().store(version_ + " wisdom", kept);
}

template <class Real>
FftwPlan Fftw<Real>::plan_row_forward(Index length, FftwEffort effort) const {
  AlignedBuffer in(static_cast<std::size_t>(length) * sizeof(Real));
  AlignedBuffer out(static_cast<std::size_t>(length / 2 + 1) * sizeof(Complex));
  return planned({.kind = FftwProblem::Kind::row_forward, .length = length}, effort,
                 [&](unsigned flags) { return plan_r2c_(to_int(length), in.as<Real>(), out.as<Complex>(), flags); });
}

template <class Real>
FftwPlan Fftw<Real>::plan_row_inverse(Index length, FftwEffort effort) const {
  AlignedBuffer in(static_cast<std::size_t>(length / 2 + 1) * sizeof(Complex));
  AlignedBuffer out(static_cast<std::size_t>(length) * sizeof(Real));
  return planned({.kind = FftwProblem::Kind::row_inverse, .length = length}, effort,
                 [&](unsigned flags) { return plan_c2r_(to_int(length), in.as<Complex>(), out.as<Real>(), flags); });
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
    return plan_many_(1, &n, to_int(count), from.as<Complex>(), nullptr, to_int(in.stride), to_int(in.distance),
                      to.as<Complex>(), nullptr, to_int(out.stride), to_int(out.distance),
                      inverse ? kBackward : kForward, flags);
  });
}

template class Fftw<float>;
template class Fftw<double>;

}  // namespace convoy::backend::cpu
