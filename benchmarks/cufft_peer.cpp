// The cuFFT pipeline, as written by hand everywhere: pad, R2C of the whole array, multiply, C2R, crop.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "convoy/error.hpp"
#include "cuda_driver.hpp"
#include "cufft_api.hpp"
#include "peer.hpp"

namespace convoy::bench {
namespace {

constexpr double kBatchSeconds = 0.025;
constexpr double kCufftBudgetSeconds = 2;
constexpr int kMaxBatch = 200;
constexpr unsigned kThreads = 256;

// A block a row where there are rows, so that every access is contiguous.
constexpr const char* kKernels = R"(
typedef unsigned long long size;

extern "C" __global__ void pad(const real* image, real* padded, int nx, int ny, int nz, int px, int py) {
  size row = blockIdx.x;
  int z = int(row / py), y = int(row % py);
  bool filled = z < nz && y < ny;
  const real* from = image + (size(z) * ny + y) * nx;
  for (int x = threadIdx.x; x < px; x += blockDim.x) padded[row * px + x] = filled && x < nx ? from[x] : real(0);
}

extern "C" __global__ void crop(const real* padded, real* output, int ox, int oy, int px, int py, int fz, int fy, int fx) {
  size row = blockIdx.x;
  const real* from = padded + ((row / oy + fz) * py + row % oy + fy) * px + fx;
  for (int x = threadIdx.x; x < ox; x += blockDim.x) output[row * ox + x] = from[x];
}

extern "C" __global__ void place(const real* kernel, real* padded, int kx, int ky, int px, int py, int pz, int cz, int cy,
                                 int cx) {
  int row = int(blockIdx.x);
  int z = ((row / ky - cz) % pz + pz) % pz, y = ((row % ky - cy) % py + py) % py;
  for (int x = threadIdx.x; x < kx; x += blockDim.x) {
    atomicAdd(padded + (size(z) * py + y) * px + ((x - cx) % px + px) % px, kernel[size(row) * kx + x]);
  }
}

extern "C" __global__ void scale(real2* values, size count, real factor) {
  size stride = size(gridDim.x) * blockDim.x;
  for (size i = size(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += stride) {
    values[i].x *= factor;
    values[i].y *= factor;
  }
}

extern "C" __global__ void multiply(real2* values, const real2* factors, size count) {
  size stride = size(gridDim.x) * blockDim.x;
  for (size i = size(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += stride) {
    real2 a = values[i], b = factors[i], c;
    c.x = a.x * b.x - a.y * b.y;
    c.y = a.x * b.y + a.y * b.x;
    values[i] = c;
  }
}
)";

template <class Real>
std::string kernel_text() {
  constexpr bool single = std::is_same_v<Real, float>;
  return fmt::format("typedef {0} real;\ntypedef {0}2 real2;\n{1}", single ? "float" : "double", kKernels);
}

/// Launches with the arguments' addresses, as the driver wants them. The types must be the kernel's own.
template <class... T>
void launch(CudaFunctionTag* function, Index blocks, T... arguments) {
  void* addresses[] = {&arguments...};
  const CudaDriver& cuda = CudaDriver::instance();
  cuda.check(cuda.launch(function, static_cast<unsigned>(blocks), 1, 1, kThreads, 1, 1, 0, nullptr, addresses, nullptr),
             "cuLaunchKernel");
}

template <class Real>
class CufftPipeline {
 public:
  CufftPipeline(const Problem& problem, const CudaContext& context, const Shape& padded)
      : spec_(problem.spec),
        padded_(padded),
        output_(output_shape(problem.spec)),
        explicit_padding_(problem.spec.mode != Mode::circular),
        num_complex_(padded.z * padded.y * (padded.x / 2 + 1)),
        module_(context, kernel_text<Real>().c_str()),
        forward_(padded, std::is_same_v<Real, double>, CufftPlan::Direction::forward),
        inverse_(padded, std::is_same_v<Real, double>, CufftPlan::Direction::inverse),
        image_memory_(real_bytes(num_voxels(spec_.image))),
        output_memory_(real_bytes(num_voxels(output_))),
        padded_memory_(real_bytes(num_voxels(padded_))),
        values_(2 * real_bytes(num_complex_)),
        spectrum_(2 * real_bytes(num_complex_)) {
    transform_kernel(problem);
    upload(problem.image, image_memory_);
  }

  std::uint64_t device_bytes() const {
    const Index reals = num_voxels(spec_.image) + num_voxels(output_) + (explicit_padding_ ? num_voxels(padded_) : 0);
    return real_bytes(reals) + 4 * real_bytes(num_complex_) + std::max(forward_.work_bytes(), inverse_.work_bytes());
  }

  void queue() {
    const Shape& n = spec_.image;
    if (explicit_padding_) {
      launch(pad_, padded_.z * padded_.y, image_memory_.address(), padded_memory_.address(), i32(n.x), i32(n.y),
             i32(n.z), i32(padded_.x), i32(padded_.y));
    }
    forward_.execute((explicit_padding_ ? padded_memory_ : image_memory_).pointer(), values_.pointer());
    launch(multiply_, kGrid, values_.address(), spectrum_.address(), static_cast<std::uint64_t>(num_complex_));
    inverse_.execute(values_.pointer(), (explicit_padding_ ? padded_memory_ : output_memory_).pointer());
    if (explicit_padding_) {
      const Shape offset = crop_offset(spec_);
      launch(crop_, output_.z * output_.y, padded_memory_.address(), output_memory_.address(), i32(output_.x),
             i32(output_.y), i32(padded_.x), i32(padded_.y), i32(offset.z), i32(offset.y), i32(offset.x));
    }
  }

  void poison_output() {
    const auto bytes = real_bytes(num_voxels(output_));
    cuda_.check(cuda_.fill_bytes(output_memory_.address(), 0xff, bytes, nullptr), "cuMemsetD8Async");
  }

  std::vector<Real> download() {
    std::vector<Real> output(static_cast<std::size_t>(num_voxels(output_)));
    cuda_.check(cuda_.copy_to_host(output.data(), output_memory_.address(), output.size() * sizeof(Real), nullptr),
                "cuMemcpyDtoHAsync");
    cuda_.check(cuda_.context_synchronize(), "cuCtxSynchronize");
    return output;
  }

 private:
  static constexpr Index kGrid = 4096;
  static int i32(Index value) { return static_cast<int>(value); }
  static std::size_t real_bytes(Index count) { return static_cast<std::size_t>(count) * sizeof(Real); }

  void upload(const std::vector<float>& values, const CudaBuffer& target) {
    std::vector<Real> converted;
    const void* from = values.data();
    if constexpr (std::is_same_v<Real, double>) {
      converted.assign(values.begin(), values.end());
      from = converted.data();
    }
    cuda_.check(cuda_.copy_to_device(target.address(), from, values.size() * sizeof(Real), nullptr),
                "cuMemcpyHtoDAsync");
    cuda_.check(cuda_.context_synchronize(), "cuCtxSynchronize");
  }

  /// The kernel lies from index 0 on, or wrapped round its origin in Mode::circular.
  void transform_kernel(const Problem& problem) {
    const Shape& k = spec_.kernel;
    const Shape origin = explicit_padding_ ? Shape{0, 0, 0} : center_of(k);
    const CudaBuffer kernel(real_bytes(num_voxels(k)));
    upload(problem.kernel, kernel);
    cuda_.check(cuda_.fill_bytes(padded_memory_.address(), 0, real_bytes(num_voxels(padded_)), nullptr),
                "cuMemsetD8Async");
    launch(module_.function("place"), k.z * k.y, kernel.address(), padded_memory_.address(), i32(k.x), i32(k.y),
           i32(padded_.x), i32(padded_.y), i32(padded_.z), i32(origin.z), i32(origin.y), i32(origin.x));
    forward_.execute(padded_memory_.pointer(), spectrum_.pointer());
    launch(module_.function("scale"), kGrid, spectrum_.address(), static_cast<std::uint64_t>(num_complex_),
           Real(1) / static_cast<Real>(num_voxels(padded_)));
    cuda_.check(cuda_.context_synchronize(), "cuCtxSynchronize");
  }

  const CudaDriver& cuda_ = CudaDriver::instance();
  ConvolutionSpec spec_;
  Shape padded_;
  Shape output_;
  bool explicit_padding_;
  Index num_complex_;
  CudaModule module_;
  CudaFunctionTag* pad_ = module_.function("pad");
  CudaFunctionTag* crop_ = module_.function("crop");
  CudaFunctionTag* multiply_ = module_.function("multiply");
  CufftPlan forward_;
  CufftPlan inverse_;
  CudaBuffer image_memory_;
  CudaBuffer output_memory_;
  CudaBuffer padded_memory_;
  CudaBuffer values_;
  CudaBuffer spectrum_;
};

/// Factors 2, 3, 5, 7 only, and the next multiples of 32: the better is kept, as a careful user would.
std::vector<Shape> candidate_paddings(const ConvolutionSpec& spec) {
  std::vector<Shape> candidates{peer_padding(spec)};
  if (spec.mode == Mode::circular) return candidates;
  Shape multiples;
  for (int axis = 0; axis < 3; ++axis) {
    const Index needed = spec.image[axis] + spec.kernel[axis] - 1;
    multiples[axis] = needed == 1 ? 1 : (needed + 31) / 32 * 32;
  }
  if (multiples != candidates.front()) candidates.push_back(multiples);
  return candidates;
}

template <class Real>
void run_padded(const Problem& problem, const Samples& samples, const CudaContext& context, const Shape& padded,
                int repeats, Result& result) {
  CufftPipeline<Real> pipeline(problem, context, padded);
  result.padded = padded;
  result.device_bytes = pipeline.device_bytes();
  pipeline.poison_output();
  pipeline.queue();
  const std::vector<Real> output = pipeline.download();
  result.verdict = check_output(problem, samples, ImageView(output, output_shape(problem.spec)));
  if (!result.verdict.passed()) return;
  CudaTimer timer;
  const double once = timer.seconds([&] { pipeline.queue(); });
  const int batch = std::clamp(static_cast<int>(kBatchSeconds / once) + 1, 1, kMaxBatch);
  result.resident = time_batches(repeats, kCufftBudgetSeconds, batch, [&] {
    return timer.seconds([&] {
      for (int i = 0; i < batch; ++i) pipeline.queue();
    });
  });
}

/// The faster padding's result; the wrong one's if an answer is wrong.
Result run_best(const Problem& problem, const Samples& samples, const CudaContext& context, int repeats,
                const Result& form) {
  std::optional<Result> best;
  for (const Shape& padded : candidate_paddings(problem.spec)) {
    Result one = form;
    if (problem.spec.precision == Precision::f32) {
      run_padded<float>(problem, samples, context, padded, repeats, one);
    } else {
      run_padded<double>(problem, samples, context, padded, repeats, one);
    }
    if (!one.resident) return one;
    if (!best || one.resident->median_seconds < best->resident->median_seconds) best = one;
  }
  return *best;
}

}  // namespace

Result run_cufft_peer(const Problem& problem, const Samples& samples, int cuda_ordinal, int repeats) {
  Result result;
  result.which = problem.which;
  result.precision = problem.spec.precision;
  result.implementation = "cuFFT";
  result.backend = "cuda";
  result.device_id = fmt::format("cuda:{}", cuda_ordinal);
  result.note = "pad, R2C, multiply, C2R, crop; spectrum cached; the faster of two paddings";
  for (const std::string* reason : {&CudaDriver::why_not(), &Nvrtc::why_not(), &CufftApi::why_not()}) {
    if (reason->empty()) continue;
    result.failure = *reason;
    return result;
  }
  try {
    const CudaContext context(cuda_ordinal);
    result.device_name = context.device_name();
    result.driver = "CUDA driver " + CudaDriver::instance().version();
    result.libraries["cuFFT"] = CufftApi::instance().version();
    return run_best(problem, samples, context, repeats, result);
  } catch (const Error& refused) {
    result.failure = refused.what();
  }
  return result;
}

}  // namespace convoy::bench
