// FFTW, opened at run time (it is GPL; nothing of it is linked or included). One table per precision.
#pragma once

#include <compare>
#include <complex>
#include <memory>
#include <string>

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

  /// The library, opened on first use; throws Error(backend_unavailable) if it is not there.
  static const Fftw& instance();
  /// Empty if the library can be opened, else why it cannot.
  static const std::string& why_not();
  /// "fftw-3.3.10-sse2-avx ..."
  const std::string& version() const { return version_; }

  /// One row: length reals -> length / 2 + 1 complex, and back (unnormalised; the inverse destroys its input).
  FftwPlan plan_row_forward(Index length, FftwEffort effort) const;
  FftwPlan plan_row_inverse(Index length, FftwEffort effort) const;
  /// `count` complex transforms from one buffer to another, which leave the first as it was.
  FftwPlan plan_complex(Index length, Index count, FftwLayout in, FftwLayout out, bool inverse,
                        FftwEffort effort) const;

  void row_forward(const FftwPlan& plan, Real* in, Complex* out) const { execute_r2c_(plan.get(), in, out); }
  void row_inverse(const FftwPlan& plan, Complex* in, Real* out) const { execute_c2r_(plan.get(), in, out); }
  void execute(const FftwPlan& plan, Complex* in, Complex* out) const { execute_dft_(plan.get(), in, out); }

 private:
  struct Loading {
    Fftw* table = nullptr;
    std::string why_not;
  };
  static const Loading& loading();
  bool load(std::string& why_not);
  template <class MakePlan>
  FftwPlan planned(const FftwProblem& problem, FftwEffort effort, const MakePlan& make_plan) const;
  template <class MakePlan>
  void* estimated(const MakePlan& make_plan) const;
  void recall_wisdom() const;
  void keep_wisdom() const;

  SharedLibrary library_;
  std::string version_;
  void* (*plan_r2c_)(int, Real*, Complex*, unsigned) = nullptr;
  void* (*plan_c2r_)(int, Complex*, Real*, unsigned) = nullptr;
  void* (*plan_many_)(int, const int*, int, Complex*, const int*, int, int, Complex*, const int*, int, int, int,
                      unsigned) = nullptr;
  void (*execute_r2c_)(void*, Real*, Complex*) = nullptr;
  void (*execute_c2r_)(void*, Complex*, Real*) = nullptr;
  void (*execute_dft_)(void*, Complex*, Complex*) = nullptr;
  void (*destroy_)(void*) = nullptr;
  char* (*export_wisdom_)() = nullptr;
  int (*import_wisdom_)(const char*) = nullptr;
  void (*forget_wisdom_)() = nullptr;
};

}  // namespace convoy::backend::cpu
