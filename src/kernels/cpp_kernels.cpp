#include "kernels/cpp_kernels.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/voxel_rows.hpp"
#include "convoy/error.hpp"
#include "kernels/cpp_row.hpp"

namespace convoy::inline v0 {
namespace {

using cpp_dialect::Row;
using cpp_dialect::RowFunction;
using cpp_dialect::uint;

template <class real>
void place_kernel(const Row& r) {
  const real* source = r.buffer<real>(0);
  real* spectrum = r.buffer<real>(1);
  const uint size_x = r.whole(0), size_y = r.whole(1), size_z = r.whole(2);
  const uint shift_x = r.whole(3), shift_y = r.whole(4), shift_z = r.whole(5);
  const uint padded_x = r.whole(6), padded_y = r.whole(7), padded_z = r.whole(8);
  const uint pitch = r.whole(9), plane_rows = r.whole(10), number = r.whole(11);
  const uint thread_y = r.y, thread_z = r.z;
  for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
    [&] {
#include "kernels/place_kernel.body"
    }();
  }
}

template <class real>
void multiply_spectrum(const Row& r) {
  using real2 = cpp_dialect::Real2<real>;
  const real2* spectrum = r.buffer<real2>(0);
  real2* work = r.buffer<real2>(1);
  const uint count = r.whole(0), row = r.whole(1);
  const float scale = r.number(2), sign = r.number(3);
  const uint thread_y = r.y;
  for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
    [&] {
#include "kernels/multiply_spectrum.body"
    }();
  }
}

template <class real>
void add_product(const Row& r) {
  using real2 = cpp_dialect::Real2<real>;
  const real2* spectrum = r.buffer<real2>(0);
  const real2* work = r.buffer<real2>(1);
  real2* product = r.buffer<real2>(2);
  const uint count = r.whole(0), row = r.whole(1), adds = r.whole(3);
  const float sign = r.number(2);
  const uint thread_y = r.y;
  for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
    [&] {
#include "kernels/add_product.body"
    }();
  }
}

template <class real>
void weigh(const Row& r) {
  const real* tile = r.buffer<real>(0);
  const real* weights = r.buffer<real>(1);
  real* result = r.buffer<real>(2);
  const uint extent_x = r.whole(0), extent_y = r.whole(1), extent_z = r.whole(2), adds = r.whole(3);
  const uint thread_y = r.y, thread_z = r.z;
  for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
    [&] {
#include "kernels/weigh.body"
    }();
  }
}

template <class real>
void known_share(const Row& r) {
  const real* missing = r.buffer<real>(0);
  real* share = r.buffer<real>(1);
  const uint extent_x = r.whole(0), extent_y = r.whole(1), extent_z = r.whole(2);
  const float sum_high = r.number(3), sum_low = r.number(4), least_high = r.number(5), least_low = r.number(6);
  const float unknown = r.number(7);
  const uint thread_y = r.y, thread_z = r.z;
  for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
    [&] {
#include "kernels/known_share.body"
    }();
  }
}

template <class real>
void convolve_direct(const Row& r) {
  const real* image = r.buffer<real>(0);
  const real* taps = r.buffer<real>(1);
  real* result = r.buffer<real>(2);
  const uint count_x = r.whole(0), count_y = r.whole(1), count_z = r.whole(2);
  const uint size_x = r.whole(3), size_y = r.whole(4), size_z = r.whole(5);
  const uint extent_x = r.whole(6), extent_y = r.whole(7), taps_begin = r.whole(8), adds = r.whole(9);
  const uint row = r.whole(10);
  const uint thread_y = r.y;
  for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
    [&] {
#include "kernels/convolve_direct.body"
    }();
  }
}

template <class T, class real>
void gather_voxels(const Row& r) {
  using std::isinf, std::isnan;
  const auto to_real = [](T voxel) { return static_cast<real>(voxel); };
  const T* image = r.buffer<T>(0);
  real* tile = r.buffer<real>(1);
  const uint extent_x = r.whole(0), extent_y = r.whole(1), extent_z = r.whole(2);
  const uint input_x = r.whole(3), input_y = r.whole(4), input_z = r.whole(5);
  const uint begin_x = r.whole(6), begin_y = r.whole(7), begin_z = r.whole(8);
  const uint size_x = r.whole(9), size_y = r.whole(10), size_z = r.whole(11);
  const uint stride_x = r.whole(12), stride_y = r.whole(13), stride_z = r.whole(14);
  const uint boundary = r.whole(15), period_x = r.whole(16), period_y = r.whole(17), period_z = r.whole(18);
  const uint offset = r.whole(19), shown = r.whole(22), origin = r.whole(23), reversed = r.whole(24);
  const float outside_high = r.number(20), outside_low = r.number(21);
  const uint thread_y = r.y, thread_z = r.z;
  for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
    [&] {
#include "kernels/gather_voxels.body"
    }();
  }
}

template <class T, class real>
void scatter_voxels(const Row& r) {
  Index saturated = 0;
  const auto to_voxel = [&](real value) { return convoy::to_voxel<T>(value, saturated); };
  const real* tile = r.buffer<real>(0);
  T* voxels = r.buffer<T>(1);
  const uint extent_x = r.whole(0), extent_y = r.whole(1);
  const uint count_x = r.whole(2), count_y = r.whole(3), count_z = r.whole(4);
  const uint begin_x = r.whole(5), begin_y = r.whole(6), begin_z = r.whole(7);
  const uint stride_x = r.whole(8), stride_y = r.whole(9), stride_z = r.whole(10), origin = r.whole(11),
             reversed = r.whole(12);
  const uint thread_y = r.y, thread_z = r.z;
  for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
    [&] {
#include "kernels/scatter_voxels.body"
    }();
  }
}

template <class real>
void fold_voxels(const Row& r) {
  const real* tile = r.buffer<real>(0);
  real* sums = r.buffer<real>(1);
  const uint extent_x = r.whole(0), extent_y = r.whole(1);
  const uint count_x = r.whole(2), count_y = r.whole(3), count_z = r.whole(4);
  const uint begin_x = r.whole(5), begin_y = r.whole(6), begin_z = r.whole(7);
  const uint raw_begin_x = r.whole(8), raw_begin_y = r.whole(9), raw_begin_z = r.whole(10);
  const uint raw_count_x = r.whole(11), raw_count_y = r.whole(12), raw_count_z = r.whole(13);
  const uint size_x = r.whole(14), size_y = r.whole(15), size_z = r.whole(16);
  const uint stride_x = r.whole(17), stride_y = r.whole(18), stride_z = r.whole(19);
  const uint boundary = r.whole(20), period_x = r.whole(21), period_y = r.whole(22), period_z = r.whole(23);
  const uint offset = r.whole(24), origin = r.whole(25), reversed = r.whole(26);
  const uint thread_y = r.y, thread_z = r.z;
  for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
    [&] {
#include "kernels/fold_voxels.body"
    }();
  }
}

template <class real>
RowFunction row_function(const KernelSpec& kernel) {
  if (&kernel == &kernels::place_kernel) return place_kernel<real>;
  if (&kernel == &kernels::multiply_spectrum) return multiply_spectrum<real>;
  if (&kernel == &kernels::add_product) return add_product<real>;
  if (&kernel == &kernels::weigh) return weigh<real>;
  if (&kernel == &kernels::known_share) return known_share<real>;
  if (&kernel == &kernels::convolve_direct) return convolve_direct<real>;
  if (&kernel == &kernels::fold_voxels) return fold_voxels<real>;
  for (const ElementFacts& facts : kRealElements) {
    const bool gathers = &kernel == &kernels::gather_voxels(facts.element);
    if (!gathers && &kernel != &kernels::scatter_voxels(facts.element)) continue;
    return with_element(facts.element, [&](auto voxel) -> RowFunction {
      using T = decltype(voxel);
      return gathers ? gather_voxels<T, real> : scatter_voxels<T, real>;
    });
  }
  if (const RowFunction row = cpp_dialect::deconvolution_row<real>(kernel)) return row;
  if (const RowFunction row = cpp_dialect::data_row<real>(kernel)) return row;
  throw Error(Errc::unsupported, fmt::format("the host has no kernel named {}", kernel.name));
}

}  // namespace

void run_on_host(const KernelSpec& kernel, Precision precision, const std::vector<void*>& buffers,
                 const std::vector<KernelParameter>& parameters, const std::array<std::uint64_t, 3>& threads,
                 WorkerPool& pool, const RowsOfThreads& rows) {
  const RowFunction run = precision == Precision::f32 ? row_function<float>(kernel) : row_function<double>(kernel);
  const auto threads_x = threads[0], threads_y = threads[1], threads_z = threads[2];
  const std::uint64_t num_rows = std::min(rows.count, threads_y * threads_z - rows.begin);
  pool.for_each(static_cast<std::int64_t>(num_rows), 16, [&](int, std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int64_t i = row + static_cast<std::int64_t>(rows.begin);
      run({buffers, parameters, threads_x, static_cast<uint>(i) % threads_y, static_cast<uint>(i) / threads_y});
    }
  });
}

}  // namespace convoy::inline v0
