// The FFT of the cpu backend: a library with FFTW's interface, opened at run time (FFTW is GPL; nothing of it is linked
// or included), or the one that convoy was built with. One table per precision.
#pragma once

#include <compare>
#include <complex>
#include <memory>
#include <string>

#include "backends/cpu/fftw_functions.hpp"
#include "base/shared_library.hpp"
#include "convoy/shape.hpp"

namespace convoy::backend::cpu {

/// FFTW's plan for one geometry. Executing it is safe from many threads; making and destroying it is locked inside.
class FftwPlan {
 public:
  FftwPlan() = default;
  FftwPlan(void* plan, void (*destroy)(void*));
  void* get() const { return plan_.get(); }

 private:
  std::shared_ptr<void> plan_;
};

/// measure tries FFTW's algorithms out (tens of milliseconds a plan) and keeps what it learns as wisdom on disk.
enum class FftwEffort { estimate, measure };

/// Where element i of transform t lies: at i * stride + t * distance.
struct FftwLayout {
  Index stride = 1;
  Index distance = 1;
  auto operator<=>(const FftwLayout&) const = default;
};

/// What a plan is for.
struct FftwProblem {
  enum class Kind { row_forward, row_inverse, complex_forward, complex_inverse };
  Kind kind = Kind::row_forward;
  Index length = 1;
  Index count = 1;
  FftwLayout in = {};
  FftwLayout out = {};
  auto operator<=>(const FftwProblem&) const = default;
};

/// Transforms of one precision. Scratch buffers given to execute must be 64-byte aligned, as those given when planning.
template <class Real>
class Fftw {
 public:
  using Complex = std::complex<Real>;

  /// The library that CONVOY_FFTW3F_LIBRARY (f64: CONVOY_FFTW3_LIBRARY) names, else FFTW or MKL where it is found, else
  /// the built-in transforms; CONVOY_CPU_FFT=fftw or builtin allows only the one. Looked for on first use; throws
  /// Error(backend_unavailable) if there is none.
  static const Fftw& instance();
  /// Empty if there is one, else why not.
  static const std::string& why_not();
  /// "fftw-3.3.10-sse2-avx ..."
  std::string version() const { return functions_.version; }

  /// One row: length reals -> length / 2 + 1 complex, and back (unnormalised; the inverse destroys its input).
  FftwPlan plan_row_forward(Index length, FftwEffort effort) const;
  FftwPlan plan_row_inverse(Index length, FftwEffort effort) const;
  /// `count` complex transforms from one buffer to another, which leave the first as it was.
  FftwPlan plan_complex(Index length, Index count, FftwLayout in, FftwLayout out, bool inverse,
                        FftwEffort effort) const;

  void row_forward(const FftwPlan& plan, Real* in, Complex* out) const { functions_.execute_r2c(plan.get(), in, out); }
  void row_inverse(const FftwPlan& plan, Complex* in, Real* out) const { functions_.execute_c2r(plan.get(), in, out); }
  void execute(const FftwPlan& plan, Complex* in, Complex* out) const { functions_.execute_dft(plan.get(), in, out); }

 private:
  struct Loading {
    Fftw* table = nullptr;
    std::string why_not;
  };
  static const Loading& loading();
  bool load(std::string& why_not);
  std::string open_library();
  template <class MakePlan>
  FftwPlan planned(const FftwProblem& problem, FftwEffort effort, const MakePlan& make_plan) const;
  template <class MakePlan>
  void* estimated(const MakePlan& make_plan) const;
  void recall_wisdom() const;
  void keep_wisdom() const;

  SharedLibrary library_;
  FftwFunctions<Real> functions_;
};

}  // namespace convoy::backend::cpu
