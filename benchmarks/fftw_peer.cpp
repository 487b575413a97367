// The plain FFTW pipeline, as written by hand everywhere: pad, r2c of the whole array, multiply, c2r, crop.
#include <fmt/format.h>

#include <algorithm>
#include <complex>
#include <cstdlib>
#include <memory>

#include "base/shared_library.hpp"
#include "base/worker_pool.hpp"
#include "convoy/error.hpp"
#include "host_info.hpp"
#include "peer.hpp"

namespace convoy::bench {
namespace {

// From FFTW's documented interface (fftw3.h of FFTW 3.3).
constexpr unsigned kMeasure = 0;
constexpr double kPlanSecondsLimit = 20;  // per plan; FFTW then takes the best it has found
constexpr double kFftwBudgetSeconds = 6;

/// One table per precision. The threaded library brings the plain one along.
template <class Real>
struct FftwApi {
  using Complex = std::complex<Real>;
  SharedLibrary plain;
  SharedLibrary threaded;
  std::string why_not;
  std::string version;
  int (*init_threads)() = nullptr;
  void (*plan_with_nthreads)(int) = nullptr;
  void (*set_timelimit)(double) = nullptr;
  void (*forget_wisdom)() = nullptr;
  void* (*plan_r2c)(int, const int*, Real*, Complex*, unsigned) = nullptr;
  void* (*plan_c2r)(int, const int*, Complex*, Real*, unsigned) = nullptr;
  void (*execute)(void*) = nullptr;
  void (*destroy)(void*) = nullptr;

  static const FftwApi& instance() {
    static const FftwApi api = [] {
      FftwApi opened;
      opened.open();
      return opened;
    }();
    return api;
  }

 private:
  void open() {
    constexpr bool single = std::is_same_v<Real, float>;
    plain = single ? SharedLibrary({"libfftw3f.so.3"}, "CONVOY_FFTW3F_LIBRARY")
                   : SharedLibrary({"libfftw3.so.3"}, "CONVOY_FFTW3_LIBRARY");
    threaded = single ? SharedLibrary({"libfftw3f_threads.so.3"}, "CONVOY_FFTW3F_THREADS_LIBRARY")
                      : SharedLibrary({"libfftw3_threads.so.3"}, "CONVOY_FFTW3_THREADS_LIBRARY");
    for (const SharedLibrary* library : {&plain, &threaded}) {
      if (!library->loaded() && why_not.empty()) why_not = library->why_not();
    }
    if (!why_not.empty()) return;
    const auto get = [&](const SharedLibrary& library, auto& function, const char* name) {
      std::string missing;
      look_up(function, library, fmt::format("{}{}", single ? "fftwf_" : "fftw_", name), missing);
      if (!missing.empty() && why_not.empty()) why_not = fmt::format("{} lacks {}", library.name(), missing);
    };
    get(threaded, init_threads, "init_threads");
    get(threaded, plan_with_nthreads, "plan_with_nthreads");
    get(plain, set_timelimit, "set_timelimit");
    get(plain, forget_wisdom, "forget_wisdom");
    get(plain, plan_r2c, "plan_dft_r2c");
    get(plain, plan_c2r, "plan_dft_c2r");
    get(plain, execute, "execute");
    get(plain, destroy, "destroy_plan");
    if (const auto* text = static_cast<const char*>(plain.symbol(single ? "fftwf_version" : "fftw_version")))
      version = text;
    if (why_not.empty() && init_threads() == 0) why_not = "FFTW's threads cannot be initialised";
  }
};

struct FreeMemory {
  void operator()(void* memory) const { std::free(memory); }
};

template <class T>
std::unique_ptr<T[], FreeMemory> aligned_array(Index count) {
  const std::size_t bytes = (static_cast<std::size_t>(count) * sizeof(T) + 63) / 64 * 64;
  auto* memory = static_cast<T*>(std::aligned_alloc(64, bytes));
  if (memory == nullptr) throw OutOfMemory("the FFTW peer found no memory", bytes, 0, "memory of this process");
  return std::unique_ptr<T[], FreeMemory>(memory);
}

/// In place: rows of 2 (px / 2 + 1) reals hold the padded image, then its transform.
template <class Real>
class FftwPipeline {
 public:
  using Complex = std::complex<Real>;

  explicit FftwPipeline(const Problem& problem)
      : api_(FftwApi<Real>::instance()),
        spec_(problem.spec),
        padded_(peer_padding(problem.spec)),
        row_length_(padded_.x / 2 + 1),
        num_complex_(padded_.z * padded_.y * row_length_),
        data_(aligned_array<Complex>(num_complex_)),
        spectrum_(aligned_array<Complex>(num_complex_)) {
    make_plans();
    place_kernel(problem, padded_, 2 * row_length_, reals());
    api_.execute(forward_);
    const Real scale = Real(1) / static_cast<Real>(num_voxels(padded_));
    for (Index i = 0; i < num_complex_; ++i) spectrum_[i] = data_[i] * scale;
  }
  ~FftwPipeline() {
    for (void* plan : {forward_, inverse_}) {
      if (plan != nullptr) api_.destroy(plan);
    }
  }
  FftwPipeline(const FftwPipeline&) = delete;
  FftwPipeline& operator=(const FftwPipeline&) = delete;

  const Shape& padded() const { return padded_; }
  std::uint64_t bytes() const { return 2 * sizeof(Complex) * static_cast<std::uint64_t>(num_complex_); }

  void run(const float* image, Real* output) {
    pad(image);
    api_.execute(forward_);
    host_workers().for_each(num_complex_, 1 << 15, [&](int, Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        const Complex a = data_[i];
        const Complex b = spectrum_[i];
        data_[i] = {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
      }
    });
    api_.execute(inverse_);
    crop(output);
  }

 private:
  Real* reals() { return reinterpret_cast<Real*>(data_.get()); }

  void make_plans() {
    // Axes of one voxel are left out: FFTW would transform them too, at a price.
    std::vector<int> lengths;
    for (int axis = 0; axis < 3; ++axis) {
      if (padded_[axis] > 1 || axis == 2) lengths.push_back(static_cast<int>(padded_[axis]));
    }
    api_.plan_with_nthreads(host_workers().num_threads());
    api_.set_timelimit(kPlanSecondsLimit);
    const int rank = static_cast<int>(lengths.size());
    forward_ = api_.plan_r2c(rank, lengths.data(), reals(), data_.get(), kMeasure);
    inverse_ = api_.plan_c2r(rank, lengths.data(), data_.get(), reals(), kMeasure);
    // As found: convoy plans with the same library in the same process, and shall gain nothing from this.
    api_.plan_with_nthreads(1);
    api_.forget_wisdom();
    if (forward_ == nullptr || inverse_ == nullptr) {
      throw Error(Errc::unsupported, fmt::format("FFTW has no plan for {}", to_text(padded_)));
    }
  }

  void pad(const float* image) {
    const Shape& n = spec_.image;
    host_workers().for_each(padded_.z * padded_.y, 16, [&](int, Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        Real* row = reals() + i * 2 * row_length_;
        const Index z = i / padded_.y;
        const Index y = i % padded_.y;
        const bool filled = z < n.z && y < n.y;
        if (filled) std::copy_n(image + (z * n.y + y) * n.x, n.x, row);
        std::fill(row + (filled ? n.x : 0), row + padded_.x, Real(0));
      }
    });
  }

  void crop(Real* output) {
    const Shape out = output_shape(spec_);
    const Shape offset = crop_offset(spec_);
    host_workers().for_each(out.z * out.y, 16, [&](int, Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        const Index row = (i / out.y + offset.z) * padded_.y + i % out.y + offset.y;
        std::copy_n(reals() + row * 2 * row_length_ + offset.x, out.x, output + i * out.x);
      }
    });
  }

  const FftwApi<Real>& api_;
  ConvolutionSpec spec_;
  Shape padded_;
  Index row_length_;
  Index num_complex_;
  std::unique_ptr<Complex[], FreeMemory> data_;
  std::unique_ptr<Complex[], FreeMemory> spectrum_;
  void* forward_ = nullptr;
  void* inverse_ = nullptr;
};

template <class Real>
void run(const Problem& problem, const Samples& samples, int repeats, Result& result) {
  const auto& api = FftwApi<Real>::instance();
  if (!api.why_not.empty()) {
    result.failure = api.why_not;
    return;
  }
  result.driver = api.version;
  result.libraries["FFTW"] = api.version;
  FftwPipeline<Real> pipeline(problem);
  result.padded = pipeline.padded();
  result.device_bytes = pipeline.bytes();
  const Shape shape = output_shape(problem.spec);
  std::vector<Real> output(static_cast<std::size_t>(num_voxels(shape)), std::numeric_limits<Real>::quiet_NaN());
  pipeline.run(problem.image.data(), output.data());
  result.verdict = check_output(problem, samples, ImageView(output, shape));
  if (!result.verdict.passed()) return;
  result.host_to_host = time_batches(repeats, kFftwBudgetSeconds, 1, [&] {
    const Stopwatch watch;
    pipeline.run(problem.image.data(), output.data());
    return watch.seconds();
  });
  result.resident = result.host_to_host;
}

}  // namespace

Result run_fftw_peer(const Problem& problem, const Samples& samples, int repeats) {
  Result result;
  result.which = problem.which;
  result.precision = problem.spec.precision;
  result.implementation = "FFTW";
  result.backend = "cpu";
  result.device_id = "cpu";
  result.device_name = processor_name();
  result.num_threads = host_workers().num_threads();
  result.note = "r2c and c2r of the whole padded array in place, FFTW_MEASURE, threads; spectrum cached";
  try {
    if (problem.spec.precision == Precision::f32) {
      run<float>(problem, samples, repeats, result);
    } else {
      run<double>(problem, samples, repeats, result);
    }
  } catch (const Error& refused) {
    result.failure = refused.what();
  }
  return result;
}

}  // namespace convoy::bench
