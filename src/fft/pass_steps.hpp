// The passes of one step of a program: which kernels, on which slots, with how many threads.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "convoy/device.hpp"
#include "fft/passes.hpp"
#include "program/program.hpp"

namespace convoy::inline v0 {

struct NativeSlots {
  SlotId image = 0;
  SlotId work = 0;
  SlotId spectrum = 0;
  SlotId product = 0;  ///< of Convolve::Part::product
  SlotId tables = 0;
  SlotId progress = 0;
  const Convolve::Arrays* arrays = nullptr;  ///< then `image` is the caller's, and the output has a slot of its own
  SlotId output() const { return arrays != nullptr ? arrays->output_slot : image; }
};

/// Tiles that a launch of the step reads from the image's slot, or writes: geometry.batch of them, or of every kernel
/// as many.
Index tiles_in(const Convolve& step);
Index tiles_out(const Convolve& step);

/// Appends the passes of one step.
class PassSteps {
 public:
  PassSteps(const FftGeometry& geometry, const Limits& limits, const NativeSlots& slots, std::vector<Step>& steps)
      : g_(geometry), limits_(limits), slots_(slots), steps_(steps) {}

  /// The rows of a box of kernel number `number` of `num`, from `source` into the cleared spectra.
  void place_kernel(SlotId source, const std::array<Index, 3>& size, const std::array<Index, 3>& place, Index number,
                    Index num);
  /// And the columns of all.
  void transform_kernels(Index num);
  /// The element of the spectrum that is the kernel's sum: that of frequency 0, which rows do not store first.
  Index place_of_sum() const;
  void convolve(const Convolve& step);

  /// The three parts of a convolution that can be run on some planes only, if planes can be done in one launch.
  bool has_planes() const { return limits_.workgroups_may_wait && g_.num_axes == 3 && shape_of_planes(); }
  void planes_forward(Index first, Index count);
  void product(bool conjugate);
  void planes_inverse(Index first, Index count);

 private:
  struct PlaneKernel {
    PlaneShape shape;
    PlaneSchedule schedule;
    KernelHandle kernel;
  };

  void forward();
  void inverse();
  void product_apart(bool conjugate, bool adds);
  void product_of_kernels(const Convolve& step);
  void lines(bool conjugate);
  void tiles(bool conjugate);
  void rows_forward();
  void rows_inverse();
  void columns_forward(int axis, SlotId data, const kernels::Columns& columns);
  void columns_inverse(int axis);
  PlaneKernel plane_kernel(bool forth) const;
  void append_planes(const PlaneKernel& planes, SlotId image, bool forth, Index first, Index count);
  void append_rows(KernelSpec kernel, SlotId image, bool forth, const std::array<std::uint64_t, 3>& threads);
  void append(KernelSpec kernel, int axis, std::vector<SlotId> slots, const std::array<std::uint64_t, 3>& threads);
  void append_step(const KernelHandle& kernel, std::vector<SlotId> slots, const std::vector<std::uint32_t>& parameters,
                   const std::array<std::uint64_t, 3>& threads);
  std::vector<std::uint32_t> with_first_tile(std::vector<std::uint32_t> parameters, bool forth) const;

  int last_axis() const { return g_.num_axes - 1; }
  bool takes_planes() const;
  std::optional<PlaneShape> shape_of_planes() const;
  PassShape shape_of_lines() const;
  TileShape shape_of_tiles() const;
  PassShape shape_of_rows() const;
  PassShape shape_of_columns(int axis) const;
  double scale() const;
  std::uint64_t width_bytes() const;
  Index block() const;
  Index num_columns() const { return g_.padded[0] / 2 + 1; }
  /// Complex numbers of a plane of a block of columns.
  Index plane() const { return block() * work_rows(); }
  Index work_rows() const { return g_.num_axes > 2 ? g_.padded[1] : g_.extent[1]; }
  Index tile() const { return plane() * g_.extent[2]; }
  Index work_block() const { return tile() * g_.batch; }
  std::array<Index, 3> planes() const { return planes_of_batch(g_); }
  Index spectrum_block() const { return block() * g_.spectrum_extents()[1] * g_.spectrum_extents()[2]; }
  Index spectrum_elements() const;
  kernels::Rows rows_of(const std::array<Index, 3>& size, Index rows_of_block) const;
  kernels::Rows rows_of_image(bool forth) const;
  kernels::Columns columns_of(int axis, const std::array<Index, 3>& extent) const;
  std::uint32_t table_begin(int axis) const;
  KernelHandle kernel_of(KernelSpec kernel) const;

  const FftGeometry g_;
  const Limits& limits_;
  const NativeSlots slots_;
  std::vector<Step>& steps_;
  std::optional<PlaneKernel> forward_;
  std::optional<PlaneKernel> inverse_;
};

}  // namespace convoy::inline v0
