// The little of cuFFT that the peer needs, opened at run time. Signatures are from the documented interface.
#pragma once

#include <cstddef>
#include <string>

#include "base/shared_library.hpp"
#include "convoy/shape.hpp"

namespace convoy::bench {

// member, symbol, parameters; all return 0 for success.
#define CONVOY_BENCH_CUFFT_FUNCTIONS(X)               \
  X(plan_1d, "cufftPlan1d", int*, int, int, int)      \
  X(plan_2d, "cufftPlan2d", int*, int, int, int)      \
  X(plan_3d, "cufftPlan3d", int*, int, int, int, int) \
  X(destroy, "cufftDestroy", int)                     \
  X(get_size, "cufftGetSize", int, std::size_t*)      \
  X(get_version, "cufftGetVersion", int*)             \
  X(r2c, "cufftExecR2C", int, void*, void*)           \
  X(c2r, "cufftExecC2R", int, void*, void*)           \
  X(d2z, "cufftExecD2Z", int, void*, void*)           \
  X(z2d, "cufftExecZ2D", int, void*, void*)

struct CufftApi {
#define CONVOY_BENCH_DECLARE_CUFFT(member, symbol, ...) int (*member)(__VA_ARGS__) = nullptr;
  CONVOY_BENCH_CUFFT_FUNCTIONS(CONVOY_BENCH_DECLARE_CUFFT)
#undef CONVOY_BENCH_DECLARE_CUFFT

  static const CufftApi& instance();
  /// Empty if the library is there, else why not.
  static const std::string& why_not();
  std::string version() const;

 private:
  void open();
  SharedLibrary library_;
  std::string why_not_;
};

/// One transform of a whole array: real to complex, or complex to real. The CUDA context must be current.
class CufftPlan {
 public:
  enum class Direction { forward, inverse };
  CufftPlan(const Shape& shape, bool double_precision, Direction direction);
  ~CufftPlan();
  CufftPlan(const CufftPlan&) = delete;
  CufftPlan& operator=(const CufftPlan&) = delete;

  /// Queues it on the default stream.
  void execute(void* in, void* out) const;
  std::size_t work_bytes() const;

 private:
  int handle_ = 0;
  int (*execute_)(int, void*, void*) = nullptr;
};

}  // namespace convoy::bench
