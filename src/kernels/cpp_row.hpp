// A kernel on the host, row by row: what the rows of all kernels have in common.
#pragma once

#include <bit>
#include <vector>

#include "kernels/cpp_dialect.hpp"
#include "kernels/kernel_spec.hpp"

namespace convoy::cpp_dialect {

/// What a row of threads (0 .. threads_x - 1, y, z) works on.
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

/// The place of a row of threads, as the bodies call it.
struct Plain {
  uint thread_y, thread_z;
  explicit Plain(const Row& r) : thread_y(r.y), thread_z(r.z) {}
};

struct OnElements : Plain {
  uint count, row;
  explicit OnElements(const Row& r) : Plain(r), count(r.whole(0)), row(r.whole(1)) {}
};

struct OnStrides : OnElements {
  uint num_threads, thread_stride, num_steps, step_stride;
  explicit OnStrides(const Row& r)
      : OnElements(r),
        num_threads(r.whole(2)),
        thread_stride(r.whole(3)),
        num_steps(r.whole(4)),
        step_stride(r.whole(5)) {}
};

struct OnFrame : Plain {
  uint frame_x, frame_y, frame_z;
  explicit OnFrame(const Row& r) : Plain(r), frame_x(r.whole(0)), frame_y(r.whole(1)), frame_z(r.whole(2)) {}
};

struct OnWindow : OnFrame {
  uint begin_x, begin_y, begin_z, window_x, window_y, window_z;
  explicit OnWindow(const Row& r)
      : OnFrame(r),
        begin_x(r.whole(3)),
        begin_y(r.whole(4)),
        begin_z(r.whole(5)),
        window_x(r.whole(6)),
        window_y(r.whole(7)),
        window_z(r.whole(8)) {}
};

using RowFunction = void (*)(const Row&);

template <class Kernel>
void run_row(const Row& row) {
  Kernel(row).run(row);
}

/// Null if the kernel is none of kernels::of_deconvolution().
template <class real>
RowFunction deconvolution_row(const KernelSpec& kernel);
/// Null if the kernel is none of kernels::of_data().
template <class real>
RowFunction data_row(const KernelSpec& kernel);

}  // namespace convoy::cpp_dialect
