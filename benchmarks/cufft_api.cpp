#include "cufft_api.hpp"

#include <fmt/format.h>

#include "convoy/error.hpp"

namespace convoy::bench {
namespace {

// cufftType.
constexpr int kR2C = 0x2a;
constexpr int kC2R = 0x2c;
constexpr int kD2Z = 0x6a;
constexpr int kZ2D = 0x6c;

void check(int result, const char* call) {
  if (result != 0) throw Error(Errc::unsupported, fmt::format("cuFFT: {} failed with {}", call, result));
}

}  // namespace

void CufftApi::open() {
  library_ = SharedLibrary(
      {"libcufft.so.12", "libcufft.so.11", "libcufft.so.10", "libcufft.so", "/usr/local/cuda/lib64/libcufft.so"},
      "CONVOY_CUFFT_LIBRARY");
  if (!library_.loaded()) {
    why_not_ = library_.why_not();
    return;
  }
  std::string missing;
#define CONVOY_BENCH_GET(member, symbol, ...) look_up(member, library_, symbol, missing);
  CONVOY_BENCH_CUFFT_FUNCTIONS(CONVOY_BENCH_GET)
#undef CONVOY_BENCH_GET
  if (!missing.empty()) why_not_ = fmt::format("{} lacks {}", library_.name(), missing);
}

const CufftApi& CufftApi::instance() {
  static const CufftApi api = [] {
    CufftApi opened;
    opened.open();
    return opened;
  }();
  return api;
}

const std::string& CufftApi::why_not() { return instance().why_not_; }

std::string CufftApi::version() const {
  int number = 0;
  check(get_version(&number), "cufftGetVersion");
  return fmt::format("{}.{}.{}", number / 1000, number % 1000 / 100, number % 100);
}

CufftPlan::CufftPlan(const Shape& shape, bool double_precision, Direction direction) {
  const CufftApi& api = CufftApi::instance();
  const bool forward = direction == Direction::forward;
  const int type = double_precision ? (forward ? kD2Z : kZ2D) : (forward ? kR2C : kC2R);
  execute_ = double_precision ? (forward ? api.d2z : api.z2d) : (forward ? api.r2c : api.c2r);
  const int z = static_cast<int>(shape.z);
  const int y = static_cast<int>(shape.y);
  const int x = static_cast<int>(shape.x);
  if (z > 1) {
    check(api.plan_3d(&handle_, z, y, x, type), "cufftPlan3d");
  } else if (y > 1) {
    check(api.plan_2d(&handle_, y, x, type), "cufftPlan2d");
  } else {
    check(api.plan_1d(&handle_, x, type, 1), "cufftPlan1d");
  }
}

CufftPlan::~CufftPlan() { CufftApi::instance().destroy(handle_); }

void CufftPlan::execute(void* in, void* out) const { check(execute_(handle_, in, out), "executing a transform"); }

std::size_t CufftPlan::work_bytes() const {
  std::size_t bytes = 0;
  check(CufftApi::instance().get_size(handle_, &bytes), "cufftGetSize");
  return bytes;
}

}  // namespace convoy::bench
