#include "backends/cpu/builtin_fft.hpp"

#if CONVOY_WITH_DUCC

#include <ducc0/fft/fft1d_impl.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

#include "backends/cpu/aligned_buffer.hpp"
#include "base/of_thread.hpp"

namespace convoy::backend::cpu {
namespace {

namespace ducc = DUCC0_NAMESPACE;

template <class Real>
using Vector = ducc::native_simd<Real>;

/// Transforms whose vectors would outgrow the second-level cache are done one at a time.
constexpr std::size_t kVectorBytes = 1U << 20;

struct Scratch {
  AlignedBuffer buffer;
  std::size_t size = 0;
};

/// Of one thread, grown when a longer transform comes and kept for the next.
template <class Number>
Number* scratch(std::size_t count) {
  Scratch& own = of_thread<Scratch, Number>();
  if (count > own.size) {
    own.buffer = AlignedBuffer(count * sizeof(Number));
    own.size = count;
  }
  return own.buffer.as<Number>();
}

template <class Real>
class ComplexPlan {
 public:
  using Complex = std::complex<Real>;

  ComplexPlan(std::size_t length, std::size_t count, std::size_t in_stride, std::size_t in_distance,
              std::size_t out_stride, std::size_t out_distance, bool forward)
      : fft_(length),
        count_(count),
        in_stride_(in_stride),
        in_distance_(in_distance),
        out_stride_(out_stride),
        out_distance_(out_distance),
        forward_(forward) {}

  void execute(const Complex* in, Complex* out) const {
    const std::size_t vector_bytes = (fft_.length() + fft_.bufsize()) * sizeof(ducc::Cmplx<Vector<Real>>);
    const std::size_t lanes = vector_bytes > kVectorBytes ? 1 : Vector<Real>::size();
    std::size_t first = 0;
    if (lanes > 1) {
      for (; first + lanes <= count_; first += lanes) execute_vector(in, out, first);
    }
    for (; first < count_; ++first) execute_one(in, out, first);
  }

 private:
  using ComplexVector = ducc::Cmplx<Vector<Real>>;
  using One = ducc::Cmplx<Real>;

  void execute_vector(const Complex* in, Complex* out, std::size_t first) const {
    constexpr std::size_t lanes = Vector<Real>::size();
    ComplexVector* data = scratch<ComplexVector>(fft_.length() + fft_.bufsize());
    const Complex* from = in + first * in_distance_;
    for (std::size_t i = 0; i < fft_.length(); ++i, from += in_stride_) {
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        const Complex value = from[lane * in_distance_];
        data[i].r[lane] = value.real();
        data[i].i[lane] = value.imag();
      }
    }
    const ComplexVector* result = fft_.exec(data, data + fft_.length(), Real(1), forward_);
    Complex* to = out + first * out_distance_;
    for (std::size_t i = 0; i < fft_.length(); ++i, to += out_stride_) {
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        to[lane * out_distance_] = {Real(result[i].r[lane]), Real(result[i].i[lane])};
      }
    }
  }

  void execute_one(const Complex* in, Complex* out, std::size_t which) const {
    One* data = scratch<One>(fft_.length() + fft_.bufsize());
    const Complex* from = in + which * in_distance_;
    for (std::size_t i = 0; i < fft_.length(); ++i)
      data[i].Set(from[i * in_stride_].real(), from[i * in_stride_].imag());
    const One* result = fft_.exec(data, data + fft_.length(), Real(1), forward_);
    Complex* to = out + which * out_distance_;
    for (std::size_t i = 0; i < fft_.length(); ++i) to[i * out_stride_] = {result[i].r, result[i].i};
  }

  ducc::detail_fft::pocketfft_c<Real> fft_;
  std::size_t count_;
  std::size_t in_stride_;
  std::size_t in_distance_;
  std::size_t out_stride_;
  std::size_t out_distance_;
  bool forward_;
};

/// A row of reals. Halfcomplex order, as the transform has it: r0 r1 i1 r2 i2 ...
template <class Real>
class RealPlan {
 public:
  using Complex = std::complex<Real>;

  explicit RealPlan(std::size_t length) : fft_(length) {}

  void forward(const Real* in, Complex* out) const {
    const std::size_t n = fft_.length();
    Real* data = scratch<Real>(n + fft_.bufsize());
    std::copy_n(in, n, data);
    const Real* result = fft_.exec(data, data + n, Real(1), true);
    out[0] = result[0];
    for (std::size_t k = 1; 2 * k < n; ++k) out[k] = {result[2 * k - 1], result[2 * k]};
    if (n % 2 == 0) out[n / 2] = result[n - 1];
  }

  void inverse(const Complex* in, Real* out) const {
    const std::size_t n = fft_.length();
    Real* data = scratch<Real>(n + fft_.bufsize());
    data[0] = in[0].real();
    for (std::size_t k = 1; 2 * k < n; ++k) {
      data[2 * k - 1] = in[k].real();
      data[2 * k] = in[k].imag();
    }
    if (n % 2 == 0) data[n - 1] = in[n / 2].real();
    std::copy_n(fft_.exec(data, data + n, Real(1), false), n, out);
  }

 private:
  ducc::detail_fft::pocketfft_r<Real> fft_;
};

/// A plan as FFTW's callers hold it.
template <class Real>
struct Plan {
  std::unique_ptr<ComplexPlan<Real>> complex;
  std::unique_ptr<RealPlan<Real>> real;
};

template <class Real>
FftwFunctions<Real> functions() {
  using Complex = std::complex<Real>;
  using Mine = Plan<Real>;
  FftwFunctions<Real> table;
  table.version = "DUCC FFT " CONVOY_DUCC_VERSION ", built in";
  table.plan_r2c = [](int length, Real*, Complex*, unsigned) -> void* {
    return new Mine{nullptr, std::make_unique<RealPlan<Real>>(static_cast<std::size_t>(length))};
  };
  table.plan_c2r = [](int length, Complex*, Real*, unsigned) -> void* {
    return new Mine{nullptr, std::make_unique<RealPlan<Real>>(static_cast<std::size_t>(length))};
  };
  table.plan_many = [](int, const int* length, int count, Complex*, const int*, int in_stride, int in_distance,
                       Complex*, const int*, int out_stride, int out_distance, int sign, unsigned) -> void* {
    const auto size = [](int value) { return static_cast<std::size_t>(value); };
    return new Mine{std::make_unique<ComplexPlan<Real>>(size(*length), size(count), size(in_stride), size(in_distance),
                                                        size(out_stride), size(out_distance), sign == kFftwForward),
                    nullptr};
  };
  table.execute_r2c = [](void* plan, Real* in, Complex* out) { static_cast<Mine*>(plan)->real->forward(in, out); };
  table.execute_c2r = [](void* plan, Complex* in, Real* out) { static_cast<Mine*>(plan)->real->inverse(in, out); };
  table.execute_dft = [](void* plan, Complex* in, Complex* out) {
    static_cast<Mine*>(plan)->complex->execute(in, out);
  };
  table.destroy = [](void* plan) { delete static_cast<Mine*>(plan); };
  // There is nothing to learn, so there is no wisdom.
  table.export_wisdom = []() -> char* { return nullptr; };
  table.import_wisdom = [](const char*) { return 1; };
  table.forget_wisdom = [] {};
  return table;
}

}  // namespace

template <class Real>
const FftwFunctions<Real>* builtin_fft() {
  static const FftwFunctions<Real> table = functions<Real>();
  return &table;
}

const char* builtin_fft_missing() { return ""; }

}  // namespace convoy::backend::cpu

#else

namespace convoy::backend::cpu {

template <class Real>
const FftwFunctions<Real>* builtin_fft() {
  return nullptr;
}

const char* builtin_fft_missing() {
  return "this convoy was built without an FFT of its own (CMake's CONVOY_DUCC says how it is built with one)";
}

}  // namespace convoy::backend::cpu

#endif

namespace convoy::backend::cpu {

template const FftwFunctions<float>* builtin_fft();
template const FftwFunctions<double>* builtin_fft();

}  // namespace convoy::backend::cpu
