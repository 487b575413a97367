// Images in the caller's memory. Where the device reaches that, and it is in the arithmetic's own precision, tiles are
// transferred from and to where they lie, without a port.
#include <algorithm>
#include <utility>

#include "base/boundary_rule.hpp"
#include "engine/checks.hpp"
#include "engine/gather.hpp"
#include "engine/holes.hpp"
#include "engine/scatter.hpp"
#include "engine/tile_io.hpp"

namespace convoy::inline v0 {
namespace {

/// Along one device axis: where in the slot, where in the caller's array, and how many voxels.
struct Span {
  Index in_slot = 0;
  Index in_array = 0;
  Index count = 0;
};

/// Dense rows that follow each other in ascending order, with or without gaps, and so do planes and images.
bool has_plain_rows(const ImageView& array) {
  const Strides strides = array.strides_in_bytes();
  const Strides dense = dense_strides(array.shape, array.element);
  return strides.x == dense.x && strides.y >= dense.y && strides.z >= array.shape.y * strides.y &&
         strides.image >= array.shape.z * strides.z;
}

bool lies_as_on_device(const Plan& plan, const backend::Device& device, const ImageView& array) {
  const Element computed = plan.spec.precision == Precision::f32 ? Element::f32 : Element::f64;
  if (array.element != computed || plan.device_axes[0] != 2 || !has_plain_rows(array)) return false;
  return device.is_dma_accessible(array.data, bytes_of(array).size());
}

/// Of the last transformed axis, only the piece's layers.
void clip_to_piece(const Plan& plan, const Pieces& pieces, int piece, std::array<Span, 3>& spans) {
  if (plan.num_transforms == 1) return;  // lines are one piece
  Span& span = spans[static_cast<std::size_t>(plan.num_transforms - 1)];
  const Index begin = std::max(span.in_slot, pieces.begin_layer(piece));
  const Index end = std::min(span.in_slot + span.count, pieces.end_layer(piece));
  span = {begin, span.in_array + begin - span.in_slot, std::max<Index>(0, end - begin)};
}

backend::HostBox box_of(const Plan& plan, const std::array<Span, 3>& spans, const ImageView& array) {
  const auto u64 = [](Index value) { return static_cast<std::uint64_t>(value); };
  const std::uint64_t real = plan.spec.precision == Precision::f32 ? sizeof(float) : sizeof(double);
  const std::array<Index, 3> in_array = device_strides(plan, array);
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
  box.data = static_cast<std::byte*>(const_cast<void*>(array.data)) + u64(first) * real;
  box.extent = {u64(spans[0].count) * real, u64(spans[1].count), u64(spans[2].count)};
  box.host_pitch_bytes = {u64(in_array[1]) * real, u64(in_array[2]) * real};
  box.slot_pitch_bytes = {u64(in_slot[1]) * real, u64(in_slot[2]) * real};
  return box;
}

/// Whether tiles of the image can be uploaded from where it lies (see input_box for those that still cannot).
bool can_lend(const Plan& plan, const backend::Device& device, const ImageView& image) {
  return plan.spec.non_finite == NonFinite::error && !plan.spec.no_data && lies_as_on_device(plan, device, image);
}

/// Whether tiles can be downloaded to where they belong.
bool can_lend(const Plan& plan, const backend::Device& device, const MutableImageView& output) {
  return !plan.fold_output && !makes_holes(plan.spec) && lies_as_on_device(plan, device, output);
}

/// Whether a tile shows the image and zeros, and nothing else of the image's surroundings.
bool shows_image_and_zeros(const Plan& plan, const std::array<AxisSources, 3>& sources) {
  const Boundary boundary = reading_boundary(plan.spec);
  if (boundary == Boundary::zero || (boundary == Boundary::constant && plan.spec.constant == 0)) return true;
  return std::all_of(sources.begin(), sources.end(), [](const AxisSources& axis) {
    const auto padding = std::find(axis.positions.begin(), axis.positions.end(), kPadding);
    return axis.run_begin == 0 && axis.run_end == padding - axis.positions.begin();
  });
}

/// The part of the image that an input piece of such a tile shows; empty where it shows zeros only.
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
  return box_of(plan, spans, image);
}

/// The part of the output that an output piece of the tile becomes; empty if it lies outside.
backend::HostBox output_box(const Plan& plan, const MutableImageView& output, const std::array<AxisOutputs, 3>& outputs,
                            int piece) {
  std::array<Span, 3> spans;
  for (std::size_t d = 0; d < 3; ++d) spans[d] = {0, outputs[d].begin, outputs[d].count};
  clip_to_piece(plan, output_pieces(plan), piece, spans);
  return box_of(plan, spans, output);
}

template <class Real>
class MemorySource final : public TileSource {
 public:
  MemorySource(const LoadedPlan& loaded, const backend::Device& device, const ImageView& images, const RunNeeds& needs)
      : plan_(loaded.plan),
        fan_(kernel_fan(plan_.spec)),
        session_(*loaded.session),
        images_(images),
        rules_(needs.rules),
        sums_(needs.sums || plan_.fold_output),  // what is folded is not looked at tile by tile
        weighing_(plan_, session_, needs.weights),
        lent_(!weighing_.of_inputs() && can_lend(plan_, device, images)) {}

  std::size_t tiles_ahead() const override { return 0; }
  void begin(const TileIndex&) override {}

  InputSums supply(const TileIndex& tile, int set) override {
    if (weighing_.of_inputs()) return supply_weighed(tile, set);
    InputSums sums;
    for (Index i = 0; i < fan_.num_images(); ++i) sums.add(supply_one(tile, i, set));
    return sums;
  }

  /// What was not gathered has not been looked at yet.
  std::vector<Index> holes(const TileIndex& tile) override {
    return makes_holes(plan_.spec) ? find_holes(plan_, tile, input_of(tile, 0)) : std::vector<Index>();
  }

  InputSums scan_input(const TileIndex& tile) override {
    InputSums sums;
    for (Index i = 0; sums_ && i < fan_.num_images(); ++i) {
      const TileInput input = input_of(tile, i);
      if (lends(input)) sums.add(sum_own_voxels(plan_, input, rules_));
    }
    return sums;
  }

  /// Once: finite voxels, too, may have outputs that are too large.
  InputSums look_again() override {
    if (!lent_ || sums_ || std::exchange(looked_again_, true)) return {};
    return scan_all();
  }

  InputSums all_unusable(const InputSums&) override { return scan_all(); }

 private:
  TileInput input_of(const TileIndex& tile, Index number) const {
    const ImageView image = images_.image(tile.image * fan_.num_images() + number);
    return input_from_image(plan_, is_complex(image.element) ? image.part(tile.part) : image, tile);
  }
  InputSums scan_all() const {
    if (!is_complex(images_.element)) return scan(images_, rules_);
    InputSums both = scan(images_.part(0), rules_);
    both.add(scan(images_.part(1), rules_));
    return both;
  }
  /// Of the images that the tile is of, the one of that number.
  InputSums supply_one(const TileIndex& tile, Index number, int set) {
    const TileInput input = input_of(tile, number);
    const int first_piece = static_cast<int>(number) * input_pieces(plan_).count();
    Real* const port = reinterpret_cast<Real*>(session_.port(ports::input_of(number), set));
    const auto filled = [&](int piece) { session_.upload_piece(set, first_piece + piece, nullptr); };
    if (tile.part == 1 && !is_complex(images_.element)) {
      gather_missing(plan_, input, rules_, port, filled);
      return {};
    }
    if (lends(input)) {
      for (int piece = 0; piece < input_pieces(plan_).count(); ++piece) {
        const backend::HostBox box = input_box(plan_, input.voxels, input.sources, piece);
        session_.upload_piece(set, first_piece + piece, &box);
      }
      return {};
    }
    return gather_tile(plan_, input, rules_, port, filled);
  }
  InputSums supply_weighed(const TileIndex& tile, int set) {
    const InputSums sums =
        gather_tile(plan_, input_of(tile, 0), rules_, reinterpret_cast<Real*>(session_.port(ports::input, set)));
    weighing_.spread_input(tile, set);
    return sums;
  }
  bool lends(const TileInput& input) const { return lent_ && shows_image_and_zeros(plan_, input.sources); }

  const Plan& plan_;
  KernelFan fan_;
  backend::Session& session_;
  ImageView images_;
  const VoxelRules& rules_;
  bool sums_;
  TileWeighing<Real> weighing_;
  bool lent_;
  bool looked_again_ = false;
};

template <class Real>
class MemorySink final : public TileSink {
 public:
  MemorySink(const LoadedPlan& loaded, const backend::Device& device, const MutableImageView& outputs,
             const RunNeeds& needs)
      : plan_(loaded.plan),
        fan_(kernel_fan(plan_.spec)),
        session_(*loaded.session),
        outputs_(outputs),
        holed_(plan_, needs.rules),
        sums_(needs.sums),
        weighing_(plan_, session_, needs.weights),
        lent_(!weighing_.of_outputs() && can_lend(plan_, device, outputs)) {}

  void prepare(const TileIndex& tile, int set) override {
    if (!lent_) return;
    const auto outputs = tile_outputs(plan_, tile);
    for (Index i = 0; i < fan_.num_results(); ++i) {
      const MutableImageView output = output_of(tile, i);
      for (int piece = 0; piece < num_pieces(); ++piece) {
        session_.set_output_target(set, first_piece(i) + piece, output_box(plan_, output, outputs, piece));
      }
    }
  }

  OutputSums take(const TileIndex& tile, int set, std::vector<Index> holes) override {
    if (weighing_.of_outputs()) {
      session_.wait(set);
      weighing_.gather_outputs(tile, set);
    }
    if (makes_holes(plan_.spec)) return take_holed(tile, set, std::move(holes));
    OutputSums sums;
    for (Index i = 0; i < fan_.num_results(); ++i) sums.add(take_one(tile, i, set));
    return sums;
  }

  void finish() override {}

 private:
  int num_pieces() const { return output_pieces(plan_).count(); }
  int first_piece(Index number) const { return static_cast<int>(number) * num_pieces(); }
  MutableImageView output_of(const TileIndex& tile, Index number) const {
    const MutableImageView output = outputs_.image(tile.image * fan_.num_results() + number);
    return is_complex(output.element) ? output.part(tile.part) : output;
  }
  OutputSums take_holed(const TileIndex& tile, int set, std::vector<Index> holes) {
    session_.wait(set);
    Real* const port = reinterpret_cast<Real*>(session_.port(ports::output, set));
    if (!holed_.keeps(tile)) {
      return holed_.write(tile_outputs(plan_, tile), port, std::move(holes), output_of(tile, 0));
    }
    holed_.keep(port);
    return {};
  }
  /// Of the outputs that the tile is of, the one of that number.
  OutputSums take_one(const TileIndex& tile, Index number, int set) {
    const AwaitPiece await = [&](int piece) { session_.wait_piece(set, first_piece(number) + piece); };
    const TileOutputs outputs = tile_outputs(plan_, tile);
    const MutableImageView output = output_of(tile, number);
    // Without a transform an output depends on its own voxels only, so all are read.
    if (lent_ && (sums_ || sums_directly(plan_.path))) return sum_output_voxels<Real>(plan_, outputs, output, await);
    if (lent_) return {.sum = one_voxel(outputs, output, await)};
    const std::byte* const port = session_.port(ports::output_of(fan_, number), set);
    return scatter_tile(plan_, outputs, reinterpret_cast<const Real*>(port), output,
                        weighing_.of_outputs() ? AwaitPiece() : await);
  }
  /// One stands for all: a NaN or an infinity in a transform's input is in every output.
  double one_voxel(const TileOutputs& outputs, const MutableImageView& output, const AwaitPiece& await) const {
    for (int piece = 0; piece < output_pieces(plan_).count(); ++piece) await(piece);
    const std::array<Index, 3> stride = device_strides(plan_, output);
    Index first = 0;
    for (std::size_t d = 0; d < 3; ++d) first += outputs[d].begin * stride[d];
    return static_cast<double>(static_cast<const Real*>(output.data)[first]);
  }

  const Plan& plan_;
  KernelFan fan_;
  backend::Session& session_;
  MutableImageView outputs_;
  HoledOutputs<Real> holed_;
  bool sums_;
  TileWeighing<Real> weighing_;
  bool lent_;
};

template <class Real>
TileIo memory_io_of(const PreparedDevice& on, const ImageView& image, const MutableImageView& output,
                    const RunNeeds& needs) {
  const backend::Device& device = implementation_of(on.device);
  TileIo io;
  io.source = std::make_unique<MemorySource<Real>>(on.loaded, device, image, needs);
  io.sink = needs.folded != nullptr ? needs.folded->sink(on.loaded)
                                    : std::make_unique<MemorySink<Real>>(on.loaded, device, output, needs);
  return io;
}

}  // namespace

TileIo memory_io(const PreparedDevice& on, const ImageView& image, const MutableImageView& output,
                 const RunNeeds& needs) {
  const bool f32 = on.loaded.plan.spec.precision == Precision::f32;
  return f32 ? memory_io_of<float>(on, image, output, needs) : memory_io_of<double>(on, image, output, needs);
}

}  // namespace convoy::inline v0
