#include "kernels/cpp_kernels.hpp"

#include <fmt/format.h>

#include <bit>
#include <cmath>

#include "common/voxel_rows.hpp"
#include "convoy/error.hpp"
#include "kernels/cpp_dialect.hpp"
#include "kernels/deconvolution_kernels.hpp"

namespace convoy {
namespace {

using cpp_dialect::natural_log;
using cpp_dialect::uint;

/// What a row of threads (0 .. threads_x - 1, thread_y, thread_z) works on.
struct Row {
  const std::vector<void*>& buffers;
  const std::vector<KernelParameter>& parameters;
  uint threads_x;
  uint y;
  uint z;

  template <class T>
  T* buffer(std::size_t i) const {
    return static_cast<T*>(buffers[i]);
  }
  uint whole(std::size_t i) const { return parameters[i].bits; }
  float number(std::size_t i) const { return std::bit_cast<float>(parameters[i].bits); }
};

template <class real>
void place_kernel(const Row& r) {
  const real* source = r.buffer<real>(0);
  real* spectrum = r.buffer<real>(1);
  const uint size_x = r.whole(0), size_y = r.whole(1), size_z = r.whole(2);
  const uint shift_x = r.whole(3), shift_y = r.whole(4), shift_z = r.whole(5);
  const uint padded_x = r.whole(6), padded_y = r.whole(7), padded_z = r.whole(8);
  const uint pitch = r.whole(9), plane_rows = r.whole(10);
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
void indicate(const Row& r) {
  const real* observed = r.buffer<real>(0);
  real* image = r.buffer<real>(1);
  const uint frame_x = r.whole(0), frame_y = r.whole(1), frame_z = r.whole(2);
  const uint begin_x = r.whole(3), begin_y = r.whole(4), begin_z = r.whole(5);
  const uint window_x = r.whole(6), window_y = r.whole(7), window_z = r.whole(8);
  const uint thread_y = r.y, thread_z = r.z;
  for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
    [&] {
#include "kernels/indicate.body"
    }();
  }
}

template <class real>
void invert_weights(const Row& r) {
  const real* image = r.buffer<real>(0);
  real* weights = r.buffer<real>(1);
  const uint count = r.whole(0), row = r.whole(1);
  const float least = r.number(2);
  const uint thread_y = r.y;
  for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
    [&] {
#include "kernels/invert_weights.body"
    }();
  }
}

template <class real>
void start_estimate(const Row& r) {
  const real* observed = r.buffer<real>(0);
  const real* weights = r.buffer<real>(1);
  const real* scalars = r.buffer<real>(2);
  real* estimate = r.buffer<real>(3);
  real* image = r.buffer<real>(4);
  const uint frame_x = r.whole(0), frame_y = r.whole(1), frame_z = r.whole(2);
  const uint begin_x = r.whole(3), begin_y = r.whole(4), begin_z = r.whole(5);
  const uint window_x = r.whole(6), window_y = r.whole(7), window_z = r.whole(8);
  const uint from_observed = r.whole(9);
  const uint thread_y = r.y, thread_z = r.z;
  for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
    [&] {
#include "kernels/start_estimate.body"
    }();
  }
}

template <class real>
void ratio(const Row& r) {
  const real* observed = r.buffer<real>(0);
  const real* scalars = r.buffer<real>(1);
  real* image = r.buffer<real>(2);
  const uint frame_x = r.whole(0), frame_y = r.whole(1), frame_z = r.whole(2);
  const uint begin_x = r.whole(3), begin_y = r.whole(4), begin_z = r.whole(5);
  const uint window_x = r.whole(6), window_y = r.whole(7), window_z = r.whole(8);
  const uint thread_y = r.y, thread_z = r.z;
  for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
    [&] {
#include "kernels/ratio.body"
    }();
  }
}

template <class real>
void update_estimate(const Row& r) {
  const real* weights = r.buffer<real>(0);
  real* estimate = r.buffer<real>(1);
  real* image = r.buffer<real>(2);
  const uint count = r.whole(0), row = r.whole(1);
  const uint thread_y = r.y;
  for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
    [&] {
#include "kernels/update_estimate.body"
    }();
  }
}

template <class real>
void crop(const Row& r) {
  const real* estimate = r.buffer<real>(0);
  real* cropped = r.buffer<real>(1);
  const uint frame_x = r.whole(0), frame_y = r.whole(1);
  const uint begin_x = r.whole(2), begin_y = r.whole(3), begin_z = r.whole(4);
  const uint size_x = r.whole(5), size_y = r.whole(6), size_z = r.whole(7);
  const uint thread_y = r.y, thread_z = r.z;
  for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
    [&] {
#include "kernels/crop.body"
    }();
  }
}

template <class real>
void sum_divergence(const Row& r) {
  const real* observed = r.buffer<real>(0);
  const real* image = r.buffer<real>(1);
  const real* scalars = r.buffer<real>(2);
  real* partials = r.buffer<real>(3);
  const uint frame_x = r.whole(0), frame_y = r.whole(1);
  const uint begin_x = r.whole(2), begin_y = r.whole(3), begin_z = r.whole(4);
  const uint window_x = r.whole(5), window_y = r.whole(6);
  const uint count = r.whole(7), row = r.whole(8), num_threads = r.whole(9);
  const uint thread_stride = r.whole(10), num_steps = r.whole(11), step_stride = r.whole(12);
  const uint thread_y = r.y;
  for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
    [&] {
#include "kernels/sum_divergence.body"
    }();
  }
}

template <class real>
void sum_change(const Row& r) {
  const real* image = r.buffer<real>(0);
  const real* weights = r.buffer<real>(1);
  const real* estimate = r.buffer<real>(2);
  real* partials = r.buffer<real>(3);
  const uint count = r.whole(0), row = r.whole(1), num_threads = r.whole(2);
  const uint thread_stride = r.whole(3), num_steps = r.whole(4), step_stride = r.whole(5), first = r.whole(6);
  const uint thread_y = r.y;
  for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
    [&] {
#include "kernels/sum_change.body"
    }();
  }
}

template <class real>
void add_up(const Row& r) {
  const real* partials = r.buffer<real>(0);
  real* sums = r.buffer<real>(1);
  const uint num_sums = r.whole(0), num_quantities = r.whole(1), num_partials = r.whole(2);
  const uint thread_y = r.y;
  for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
    [&] {
#include "kernels/add_up.body"
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
  const uint boundary = r.whole(15), replaces_non_finite = r.whole(18);
  const float outside_high = r.number(16), outside_low = r.number(17);
  const uint thread_y = r.y, thread_z = r.z;
  for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
    [&] {
#include "kernels/gather_voxels.body"
    }();
  }
}

template <class T, class real>
void scatter_voxels(const Row& r) {
  using std::rint;
  const auto to_voxel = [](real value) { return static_cast<T>(value); };
  const real* tile = r.buffer<real>(0);
  T* voxels = r.buffer<T>(1);
  const uint extent_x = r.whole(0), extent_y = r.whole(1);
  const uint count_x = r.whole(2), count_y = r.whole(3), count_z = r.whole(4);
  const uint begin_x = r.whole(5), begin_y = r.whole(6), begin_z = r.whole(7);
  const uint stride_x = r.whole(8), stride_y = r.whole(9), stride_z = r.whole(10);
  const uint highest = r.whole(11);
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
  const uint reflects = r.whole(20);
  const uint thread_y = r.y, thread_z = r.z;
  for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
    [&] {
#include "kernels/fold_voxels.body"
    }();
  }
}

using RowFunction = void (*)(const Row&);

template <class real>
RowFunction row_function(const KernelSpec& kernel) {
  if (&kernel == &kernels::place_kernel) return place_kernel<real>;
  if (&kernel == &kernels::multiply_spectrum) return multiply_spectrum<real>;
  if (&kernel == &kernels::indicate) return indicate<real>;
  if (&kernel == &kernels::invert_weights) return invert_weights<real>;
  if (&kernel == &kernels::start_estimate) return start_estimate<real>;
  if (&kernel == &kernels::ratio) return ratio<real>;
  if (&kernel == &kernels::update_estimate) return update_estimate<real>;
  if (&kernel == &kernels::crop) return crop<real>;
  if (&kernel == &kernels::sum_divergence) return sum_divergence<real>;
  if (&kernel == &kernels::sum_change) return sum_change<real>;
  if (&kernel == &kernels::add_up) return add_up<real>;
  if (&kernel == &kernels::fold_voxels) return fold_voxels<real>;
  for (const Element element : {Element::u8, Element::u16, Element::f32, Element::f64}) {
    const bool gathers = &kernel == &kernels::gather_voxels(element);
    if (!gathers && &kernel != &kernels::scatter_voxels(element)) continue;
    return with_element(element, [&](auto voxel) -> RowFunction {
      using T = decltype(voxel);
      return gathers ? gather_voxels<T, real> : scatter_voxels<T, real>;
    });
  }
  throw Error(Errc::unsupported, fmt::format("the host has no kernel named {}", kernel.name));
}

}  // namespace

void run_on_host(const KernelSpec& kernel, Precision precision, const std::vector<void*>& buffers,
                 const std::vector<KernelParameter>& parameters, const std::array<std::uint64_t, 3>& threads,
                 WorkerPool& pool) {
  const RowFunction run = precision == Precision::f32 ? row_function<float>(kernel) : row_function<double>(kernel);
  const auto [threads_x, threads_y, threads_z] = threads;
  pool.for_each(static_cast<std::int64_t>(threads_y * threads_z), 16, [&](int, std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      run({buffers, parameters, threads_x, static_cast<uint>(i) % threads_y, static_cast<uint>(i) / threads_y});
    }
  });
}

}  // namespace convoy
