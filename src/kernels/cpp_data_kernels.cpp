#include "kernels/cpp_row.hpp"
#include "kernels/data_kernels.hpp"

namespace convoy::cpp_dialect {
namespace {

using std::isinf;
using std::isnan;

/// The box of the window that is summed up, the rule of what is a datum, and behind `more` other parameters the
/// schedule.
struct OnBox : Plain {
  uint window_x, window_y, begin_x, begin_y, begin_z, size_x, size_y;
  float saturation_high, saturation_low;
  uint keeps_negative;
  uint count, row, num_threads, thread_stride, num_steps, step_stride;
  OnBox(const Row& r, std::size_t more)
      : Plain(r),
        window_x(r.whole(0)),
        window_y(r.whole(1)),
        begin_x(r.whole(2)),
        begin_y(r.whole(3)),
        begin_z(r.whole(4)),
        size_x(r.whole(5)),
        size_y(r.whole(6)),
        saturation_high(r.number(7)),
        saturation_low(r.number(8)),
        keeps_negative(r.whole(9)),
        count(r.whole(10 + more)),
        row(r.whole(11 + more)),
        num_threads(r.whole(12 + more)),
        thread_stride(r.whole(13 + more)),
        num_steps(r.whole(14 + more)),
        step_stride(r.whole(15 + more)) {}
};

template <class real>
struct SumData : OnBox {
  explicit SumData(const Row& r) : OnBox(r, 0) {}
  void run(const Row& r) const {
    const real* observed = r.buffer<real>(0);
    real* partials = r.buffer<real>(1);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/sum_data.body"
      }();
    }
  }
};

template <class real>
struct SumNoise : OnBox {
  explicit SumNoise(const Row& r) : OnBox(r, 2) {}
  void run(const Row& r) const {
    const real* observed = r.buffer<real>(0);
    const real* units = r.buffer<real>(1);
    real* partials = r.buffer<real>(2);
    const uint axis = r.whole(10), back = r.whole(11);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/sum_noise.body"
      }();
    }
  }
};

template <class real>
struct TakeUnits : Plain {
  using Plain::Plain;
  void run(const Row& r) const {
    const real* sums = r.buffer<real>(0);
    real* units = r.buffer<real>(1);
    const uint num_sums = r.whole(0);
    const float background_high = r.number(1), background_low = r.number(2), scale_high = r.number(3),
                scale_low = r.number(4);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/take_units.body"
      }();
    }
  }
};

template <class real>
struct TakeScalars : Plain {
  using Plain::Plain;
  void run(const Row& r) const {
    const real* sums = r.buffer<real>(0);
    const real* units = r.buffer<real>(1);
    real* scalars = r.buffer<real>(2);
    const uint num_sums = r.whole(0), start_rule = r.whole(1);
    const float background_high = r.number(2), background_low = r.number(3), start_high = r.number(4),
                start_low = r.number(5), step_high = r.number(6), step_low = r.number(7),
                least_start_part = r.number(8), least_blurred_part = r.number(9), softness_part = r.number(10),
                least_threshold = r.number(11), highest_start = r.number(12);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/take_scalars.body"
      }();
    }
  }
};

template <class real>
struct Admit : OnElements {
  using OnElements::OnElements;
  void run(const Row& r) const {
    const real* units = r.buffer<real>(0);
    real* observed = r.buffer<real>(1);
    const float saturation_high = r.number(2), saturation_low = r.number(3);
    const uint keeps_negative = r.whole(4);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/admit.body"
      }();
    }
  }
};

template <class real>
struct InUnits : OnElements {
  using OnElements::OnElements;
  void run(const Row& r) const {
    const real* units = r.buffer<real>(0);
    real* voxels = r.buffer<real>(1);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/in_units.body"
      }();
    }
  }
};

}  // namespace

template <class real>
RowFunction data_row(const KernelSpec& kernel) {
  if (&kernel == &kernels::sum_data) return run_row<SumData<real>>;
  if (&kernel == &kernels::sum_noise) return run_row<SumNoise<real>>;
  if (&kernel == &kernels::take_units) return run_row<TakeUnits<real>>;
  if (&kernel == &kernels::take_scalars) return run_row<TakeScalars<real>>;
  if (&kernel == &kernels::admit) return run_row<Admit<real>>;
  if (&kernel == &kernels::in_units) return run_row<InUnits<real>>;
  return nullptr;
}

template RowFunction data_row<float>(const KernelSpec&);
template RowFunction data_row<double>(const KernelSpec&);

}  // namespace convoy::cpp_dialect
