#include "kernels/cpp_row.hpp"
#include "kernels/deconvolution_kernels.hpp"

namespace convoy::cpp_dialect {
namespace {

using std::sqrt;

template <class real>
struct Indicate : OnWindow {
  using OnWindow::OnWindow;
  void run(const Row& r) const {
    const real* observed = r.buffer<real>(0);
    real* known = r.buffer<real>(1);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/indicate.body"
      }();
    }
  }
};

template <class real>
struct InvertWeights : OnElements {
  using OnElements::OnElements;
  void run(const Row& r) const {
    const real* image = r.buffer<real>(0);
    real* weights = r.buffer<real>(1);
    const float least = r.number(2);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/invert_weights.body"
      }();
    }
  }
};

template <class real>
struct StartEstimate : OnWindow {
  using OnWindow::OnWindow;
  void run(const Row& r) const {
    const real* observed = r.buffer<real>(0);
    const real* weights = r.buffer<real>(1);
    const real* scalars = r.buffer<real>(2);
    real* estimate = r.buffer<real>(3);
    real* image = r.buffer<real>(4);
    const uint from_observed = r.whole(9);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/start_estimate.body"
      }();
    }
  }
};

template <class real>
struct StartAcceleration : OnElements {
  using OnElements::OnElements;
  void run(const Row& r) const {
    const real* estimate = r.buffer<real>(0);
    real* previous = r.buffer<real>(1);
    real* gradient = r.buffer<real>(2);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/start_acceleration.body"
      }();
    }
  }
};

template <class real>
struct Ratio : OnWindow {
  using OnWindow::OnWindow;
  void run(const Row& r) const {
    const real* observed = r.buffer<real>(0);
    const real* scalars = r.buffer<real>(1);
    real* image = r.buffer<real>(2);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/ratio.body"
      }();
    }
  }
};

template <class real>
struct DampedRatio : OnWindow {
  using OnWindow::OnWindow;
  void run(const Row& r) const {
    const real* observed = r.buffer<real>(0);
    const real* scalars = r.buffer<real>(1);
    real* image = r.buffer<real>(2);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/damped_ratio.body"
      }();
    }
  }
};

template <class real>
struct Residual : OnWindow {
  using OnWindow::OnWindow;
  void run(const Row& r) const {
    const real* observed = r.buffer<real>(0);
    const real* scalars = r.buffer<real>(1);
    real* image = r.buffer<real>(2);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/residual.body"
      }();
    }
  }
};

template <class real>
struct Shift : OnFrame {
  using OnFrame::OnFrame;
  void run(const Row& r) const {
    const real* image = r.buffer<real>(0);
    real* shifted = r.buffer<real>(1);
    const uint shift_x = r.whole(3), shift_y = r.whole(4), shift_z = r.whole(5);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/shift.body"
      }();
    }
  }
};

template <class real>
struct RegularizeTv : OnFrame {
  using OnFrame::OnFrame;
  void run(const Row& r) const {
    const real* estimate = r.buffer<real>(0);
    const real* scalars = r.buffer<real>(1);
    real* image = r.buffer<real>(2);
    const float strength = r.number(3), inverse_x = r.number(4), inverse_y = r.number(5), inverse_z = r.number(6);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/regularize_tv.body"
      }();
    }
  }
};

template <class real>
struct ProposeProduct : OnElements {
  using OnElements::OnElements;
  void run(const Row& r) const {
    const real* weights = r.buffer<real>(0);
    const real* estimate = r.buffer<real>(1);
    const real* scalars = r.buffer<real>(2);
    real* image = r.buffer<real>(3);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/propose_product.body"
      }();
    }
  }
};

template <class real>
struct ProposeStep : OnElements {
  using OnElements::OnElements;
  void run(const Row& r) const {
    const real* weights = r.buffer<real>(0);
    const real* estimate = r.buffer<real>(1);
    const real* scalars = r.buffer<real>(2);
    real* image = r.buffer<real>(3);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/propose_step.body"
      }();
    }
  }
};

template <class real>
struct Accept : OnElements {
  using OnElements::OnElements;
  void run(const Row& r) const {
    const real* image = r.buffer<real>(0);
    real* estimate = r.buffer<real>(1);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/accept.body"
      }();
    }
  }
};

template <class real>
struct Accelerate : OnElements {
  using OnElements::OnElements;
  void run(const Row& r) const {
    const real* scalars = r.buffer<real>(0);
    real* previous = r.buffer<real>(1);
    real* gradient = r.buffer<real>(2);
    real* estimate = r.buffer<real>(3);
    real* image = r.buffer<real>(4);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/accelerate.body"
      }();
    }
  }
};

template <class real>
struct Extrapolate : OnElements {
  using OnElements::OnElements;
  void run(const Row& r) const {
    const real* scalars = r.buffer<real>(0);
    real* previous = r.buffer<real>(1);
    real* estimate = r.buffer<real>(2);
    real* image = r.buffer<real>(3);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/extrapolate.body"
      }();
    }
  }
};

template <class real>
struct ExtrapolateAgreed : OnElements {
  using OnElements::OnElements;
  void run(const Row& r) const {
    const real* scalars = r.buffer<real>(0);
    const real* consensus = r.buffer<real>(1);
    real* previous = r.buffer<real>(2);
    real* estimate = r.buffer<real>(3);
    real* image = r.buffer<real>(4);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/extrapolate_agreed.body"
      }();
    }
  }
};

template <class real>
struct NoiseRatio : OnWindow {
  using OnWindow::OnWindow;
  void run(const Row& r) const {
    const real* noise = r.buffer<real>(0);
    const real* scalars = r.buffer<real>(1);
    const real* image = r.buffer<real>(2);
    real* consensus = r.buffer<real>(3);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/noise_ratio.body"
      }();
    }
  }
};

template <class real>
struct KeepWindow : OnWindow {
  using OnWindow::OnWindow;
  void run(const Row& r) const {
    real* image = r.buffer<real>(0);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/keep_window.body"
      }();
    }
  }
};

template <class real>
struct Agreement : OnElements {
  using OnElements::OnElements;
  void run(const Row& r) const {
    const real* image = r.buffer<real>(0);
    const real* weights = r.buffer<real>(1);
    real* consensus = r.buffer<real>(2);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/agreement.body"
      }();
    }
  }
};

template <class real>
struct ProposeAgreed : OnElements {
  using OnElements::OnElements;
  void run(const Row& r) const {
    const real* weights = r.buffer<real>(0);
    const real* estimate = r.buffer<real>(1);
    const real* scalars = r.buffer<real>(2);
    const real* consensus = r.buffer<real>(3);
    real* image = r.buffer<real>(4);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/propose_agreed.body"
      }();
    }
  }
};

template <class real>
struct StartMomentum : OnElements {
  using OnElements::OnElements;
  void run(const Row& r) const {
    const real* estimate = r.buffer<real>(0);
    real* previous = r.buffer<real>(1);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/start_momentum.body"
      }();
    }
  }
};

template <class real>
struct MomentumFactor : Plain {
  using Plain::Plain;
  void run(const Row& r) const {
    real* scalars = r.buffer<real>(0);
    const float most_high = r.number(0), most_low = r.number(1);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/momentum_factor.body"
      }();
    }
  }
};

template <class real>
struct AccelerationFactor : Plain {
  using Plain::Plain;
  void run(const Row& r) const {
    const real* products = r.buffer<real>(0);
    real* scalars = r.buffer<real>(1);
    const uint num_sums = r.whole(0);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/acceleration_factor.body"
      }();
    }
  }
};

template <class real>
struct Crop : Plain {
  using Plain::Plain;
  void run(const Row& r) const {
    const real* source = r.buffer<real>(0);
    real* cropped = r.buffer<real>(1);
    const uint frame_x = r.whole(0), frame_y = r.whole(1), begin_x = r.whole(2), begin_y = r.whole(3),
               begin_z = r.whole(4), size_x = r.whole(5), size_y = r.whole(6), size_z = r.whole(7);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/crop.body"
      }();
    }
  }
};

template <class real>
struct SumDivergence : Plain {
  using Plain::Plain;
  void run(const Row& r) const {
    const real* observed = r.buffer<real>(0);
    const real* image = r.buffer<real>(1);
    const real* scalars = r.buffer<real>(2);
    real* partials = r.buffer<real>(3);
    const uint frame_x = r.whole(0), frame_y = r.whole(1), begin_x = r.whole(2), begin_y = r.whole(3),
               begin_z = r.whole(4), window_x = r.whole(5), window_y = r.whole(6), count = r.whole(7), row = r.whole(8),
               num_threads = r.whole(9), thread_stride = r.whole(10), num_steps = r.whole(11),
               step_stride = r.whole(12);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/sum_divergence.body"
      }();
    }
  }
};

template <class real>
struct SumChange : OnStrides {
  using OnStrides::OnStrides;
  void run(const Row& r) const {
    const real* image = r.buffer<real>(0);
    const real* estimate = r.buffer<real>(1);
    real* partials = r.buffer<real>(2);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/sum_change.body"
      }();
    }
  }
};

template <class real>
struct SumProducts : OnStrides {
  using OnStrides::OnStrides;
  void run(const Row& r) const {
    const real* image = r.buffer<real>(0);
    const real* estimate = r.buffer<real>(1);
    const real* gradient = r.buffer<real>(2);
    const real* previous = r.buffer<real>(3);
    real* partials = r.buffer<real>(4);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/sum_products.body"
      }();
    }
  }
};

template <class real>
struct AddUp : Plain {
  using Plain::Plain;
  void run(const Row& r) const {
    const real* partials = r.buffer<real>(0);
    real* sums = r.buffer<real>(1);
    const uint num_sums = r.whole(0), num_quantities = r.whole(1), num_partials = r.whole(2);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/add_up.body"
      }();
    }
  }
};

template <class real>
struct PlaceData : OnWindow {
  using OnWindow::OnWindow;
  void run(const Row& r) const {
    const real* observed = r.buffer<real>(0);
    const real* scalars = r.buffer<real>(1);
    real* image = r.buffer<real>(2);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/place_data.body"
      }();
    }
  }
};

template <class real>
struct RememberResponse : Plain {
  using real2 = Real2<real>;
  using Plain::Plain;
  void run(const Row& r) const {
    const real2* spectrum = r.buffer<real2>(0);
    real* response = r.buffer<real>(1);
    const uint place = r.whole(0);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/remember_response.body"
      }();
    }
  }
};

template <class real>
struct WienerFilter : OnElements {
  using real2 = Real2<real>;
  using OnElements::OnElements;
  void run(const Row& r) const {
    const real* response = r.buffer<real>(0);
    real2* spectrum = r.buffer<real2>(1);
    const float noise = r.number(2), sum_of_psf = r.number(3);
    for (uint thread_x = 0; thread_x < r.threads_x; ++thread_x) {
      [&] {
#include "kernels/wiener_filter.body"
      }();
    }
  }
};

}  // namespace

template <class real>
RowFunction deconvolution_row(const KernelSpec& kernel) {
  if (&kernel == &kernels::indicate) return run_row<Indicate<real>>;
  if (&kernel == &kernels::invert_weights) return run_row<InvertWeights<real>>;
  if (&kernel == &kernels::start_estimate) return run_row<StartEstimate<real>>;
  if (&kernel == &kernels::start_acceleration) return run_row<StartAcceleration<real>>;
  if (&kernel == &kernels::ratio) return run_row<Ratio<real>>;
  if (&kernel == &kernels::damped_ratio) return run_row<DampedRatio<real>>;
  if (&kernel == &kernels::residual) return run_row<Residual<real>>;
  if (&kernel == &kernels::shift) return run_row<Shift<real>>;
  if (&kernel == &kernels::regularize_tv) return run_row<RegularizeTv<real>>;
  if (&kernel == &kernels::propose_product) return run_row<ProposeProduct<real>>;
  if (&kernel == &kernels::propose_step) return run_row<ProposeStep<real>>;
  if (&kernel == &kernels::accept) return run_row<Accept<real>>;
  if (&kernel == &kernels::accelerate) return run_row<Accelerate<real>>;
  if (&kernel == &kernels::extrapolate) return run_row<Extrapolate<real>>;
  if (&kernel == &kernels::extrapolate_agreed) return run_row<ExtrapolateAgreed<real>>;
  if (&kernel == &kernels::noise_ratio) return run_row<NoiseRatio<real>>;
  if (&kernel == &kernels::keep_window) return run_row<KeepWindow<real>>;
  if (&kernel == &kernels::agreement) return run_row<Agreement<real>>;
  if (&kernel == &kernels::propose_agreed) return run_row<ProposeAgreed<real>>;
  if (&kernel == &kernels::start_momentum) return run_row<StartMomentum<real>>;
  if (&kernel == &kernels::momentum_factor) return run_row<MomentumFactor<real>>;
  if (&kernel == &kernels::acceleration_factor) return run_row<AccelerationFactor<real>>;
  if (&kernel == &kernels::crop) return run_row<Crop<real>>;
  if (&kernel == &kernels::sum_divergence) return run_row<SumDivergence<real>>;
  if (&kernel == &kernels::sum_change) return run_row<SumChange<real>>;
  if (&kernel == &kernels::sum_products) return run_row<SumProducts<real>>;
  if (&kernel == &kernels::add_up) return run_row<AddUp<real>>;
  if (&kernel == &kernels::place_data) return run_row<PlaceData<real>>;
  if (&kernel == &kernels::remember_response) return run_row<RememberResponse<real>>;
  if (&kernel == &kernels::wiener_filter) return run_row<WienerFilter<real>>;
  return nullptr;
}

template RowFunction deconvolution_row<float>(const KernelSpec&);
template RowFunction deconvolution_row<double>(const KernelSpec&);

}  // namespace convoy::cpp_dialect
