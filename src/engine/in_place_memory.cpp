#include "engine/in_place_memory.hpp"

#include <algorithm>

#include "base/boundary_rule.hpp"

namespace convoy {
namespace {

/// Along one device axis: where in the slot, where in the caller's array, and how many voxels.
struct Span {
  Index in_slot = 0;
  Index in_array = 0;
  Index count = 0;
};

bool lies_as_on_device(const Plan& plan, const backend::Device& device, const void* data, Element element,
                       const Shape& shape) {
  const Element computed = plan.spec.precision == Precision::f32 ? Element::f32 : Element::f64;
  if (element != computed || plan.device_axes[0] != 2) return false;
  return device.is_dma_accessible(data, static_cast<std::uint64_t>(num_voxels(shape)) * size_of(element));
}

/// Of the last transformed axis, only the piece's layers.
void clip_to_piece(const Plan& plan, const Pieces& pieces, int piece, std::array<Span, 3>& spans) {
  if (plan.num_transforms == 1) return;  // lines are one piece
  Span& span = spans[static_cast<std::size_t>(plan.num_transforms - 1)];
  const Index begin = std::max(span.in_slot, pieces.begin_layer(piece));
  const Index end = std::min(span.in_slot + span.count, pieces.end_layer(piece));
  span = {begin, span.in_array + begin - span.in_slot, std::max<Index>(0, end - begin)};
}

backend::HostBox box_of(const Plan& plan, const std::array<Span, 3>& spans, const void* array, const Shape& shape) {
  const auto u64 = [](Index value) { return static_cast<std::uint64_t>(value); };
  const std::uint64_t real = plan.spec.precision == Precision::f32 ? sizeof(float) : sizeof(double);
  const std::array<Index, 3> in_array = device_strides(plan, shape);
  const Index row = device_axis(plan, 0).extent;
  const std::array<Index, 3> in_slot{1, row, row * device_axis(plan, 1).extent};
  if (std::any_of(spans.begin(), spans.end(), [](const Span& span) { return span.count == 0; })) return {};

  backend::HostBox box;
  Index first = 0;
  for (std::size_t d = 0; d < 3; ++d) {
    first += spans[d].in_array * in_array[d];
    box.slot_offset += u64(spans[d].in_slot * in_slot[d]) * real;
  }
  // A box to read is never written: the seam has one type for both directions.
  box.data = static_cast<std::byte*>(const_cast<void*>(array)) + u64(first) * real;
  box.extent = {u64(spans[0].count) * real, u64(spans[1].count), u64(spans[2].count)};
  box.host_pitch_bytes = {u64(in_array[1]) * real, u64(in_array[2]) * real};
  box.slot_pitch_bytes = {u64(in_slot[1]) * real, u64(in_slot[2]) * real};
  return box;
}

}  // namespace

bool can_lend(const Plan& plan, const backend::Device& device, const ImageView& image) {
  return plan.spec.non_finite == NonFinite::error && !plan.spec.no_data &&
         lies_as_on_device(plan, device, image.data, image.element, image.shape);
}

bool can_lend(const Plan& plan, const backend::Device& device, const MutableImageView& output) {
  return !plan.fold_output && lies_as_on_device(plan, device, output.data, output.element, output.shape);
}

bool shows_image_and_zeros(const Plan& plan, const std::array<AxisSources, 3>& sources) {
  const Boundary boundary = reading_boundary(plan.spec);
  if (boundary == Boundary::zero || (boundary == Boundary::constant && plan.spec.constant == 0)) return true;
  return std::all_of(sources.begin(), sources.end(), [](const AxisSources& axis) {
    const auto padding = std::find(axis.positions.begin(), axis.positions.end(), kPadding);
    return axis.run_begin == 0 && axis.run_end == padding - axis.positions.begin();
  });
}

backend::HostBox input_box(const Plan& plan, const ImageView& image, const std::array<AxisSources, 3>& sources,
                           int piece) {
  std::array<Span, 3> spans;
  for (std::size_t d = 0; d < 3; ++d) {
    const AxisSources& axis = sources[d];
    if (axis.run_begin == axis.run_end) return {};
    spans[d] = {axis.run_begin, axis.positions[static_cast<std::size_t>(axis.run_begin)],
                axis.run_end - axis.run_begin};
  }
  clip_to_piece(plan, input_pieces(plan), piece, spans);
  return box_of(plan, spans, image.data, image.shape);
}

backend::HostBox output_box(const Plan& plan, const MutableImageView& output, const std::array<AxisOutputs, 3>& outputs,
                            int piece) {
  std::array<Span, 3> spans;
  for (std::size_t d = 0; d < 3; ++d) spans[d] = {0, outputs[d].begin, outputs[d].count};
  clip_to_piece(plan, output_pieces(plan), piece, spans);
  return box_of(plan, spans, output.data, output.shape);
}

}  // namespace convoy
