#include <array>
#include <cstring>

#include "device_model/common.hpp"
#include "engine/background_jobs.hpp"
#include "engine/gather.hpp"
#include "engine/holes.hpp"
#include "engine/scatter.hpp"
#include "engine/tile_io.hpp"
#include "planner/host_needs.hpp"

namespace convoy::inline v0 {
namespace {

using Buffer = std::unique_ptr<std::byte[]>;

Index slab_voxels(std::uint64_t box_bytes, Element element) {
  return static_cast<Index>(slab_bytes(box_bytes) / size_of(element));
}

std::size_t offset_bytes(const Shape& shape, const Shape& at, Element element) {
  return static_cast<std::size_t>((at.z * shape.y + at.y) * shape.x + at.x) * size_of(element);
}

/// Reads the slab into its place in a buffer of that shape.
void read_slab(const ImageReader& reader, const PlacedBox& slab, const Shape& shape, std::byte* buffer) {
  const Element element = reader.element();
  if (is_dense_in(shape, slab)) {
    reader.read(slab.from, buffer + offset_bytes(shape, slab.to, element));
    return;
  }
  const Shape& size = slab.from.size;
  const std::size_t row_bytes = static_cast<std::size_t>(size.x) * size_of(element);
  const auto scratch =
      std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(size.z * size.y) * row_bytes);
  reader.read(slab.from, scratch.get());
  for (Index row = 0; row < size.z * size.y; ++row) {
    const Shape to{slab.to.z + row / size.y, slab.to.y + row % size.y, slab.to.x};
    std::memcpy(buffer + offset_bytes(shape, to, element), scratch.get() + static_cast<std::size_t>(row) * row_bytes,
                row_bytes);
  }
}

template <class Real>
class ReaderSource final : public TileSource {
 public:
  ReaderSource(const LoadedPlan& loaded, const ImageReaders& readers, const RunNeeds& needs)
      : plan_(loaded.plan),
        session_(*loaded.session),
        readers_(readers),
        rules_(needs.rules),
        num_parts_(num_parts(plan_.spec, readers.front()->element())),
        weighing_(plan_, session_, needs.weights),
        jobs_(num_disk_threads()) {
    for (TileBoxes& tile : boxes_) tile.resize(static_cast<std::size_t>(kernel_fan(plan_.spec).num_images()));
  }

  std::size_t tiles_ahead() const override { return boxes_.size(); }

  void begin(const TileIndex& tile) override {
    TileBoxes& boxes = boxes_[num_begun_++ % boxes_.size()];
    for (std::size_t i = 0; i < boxes.size(); ++i) {
      begin_reading(*readers_.at(static_cast<std::size_t>(tile.image) * boxes.size() + i), tile, boxes[i]);
    }
  }

  InputSums supply(const TileIndex& tile, int set) override {
    supplied_ = &boxes_[num_supplied_ % boxes_.size()];
    if (tile.part + 1 == num_parts_) ++num_supplied_;
    InputSums sums;
    for (std::size_t i = 0; i < supplied_->size(); ++i) sums.add(supply_one(tile, i, set));
    if (weighing_.of_inputs()) weighing_.spread_input(tile, set);
    return sums;
  }

  std::vector<Index> holes(const TileIndex& tile) override {
    return makes_holes(plan_.spec) ? find_holes(plan_, tile, supplied_->front().cover.input) : std::vector<Index>();
  }

  InputSums scan_input(const TileIndex&) override { return {}; }
  InputSums look_again() override { return {}; }
  /// Reading the rest only to count would take too long.
  InputSums all_unusable(const InputSums& met) override { return met; }

 private:
  struct ReadBox {
    TileCover cover;
    Buffer voxels;
    BackgroundJobs::Group reading;
  };
  using TileBoxes = std::vector<ReadBox>;  // of the images that a tile is of

  /// Of the images that the tile is of, the one of that number.
  InputSums supply_one(const TileIndex& tile, std::size_t number, int set) {
    ReadBox& box = (*supplied_)[number];
    jobs_.wait(box.reading);
    TileInput& input = box.cover.input;
    auto* const port = reinterpret_cast<Real*>(session_.port(ports::input_of(static_cast<Index>(number)), set));
    const int first_piece = static_cast<int>(number) * input_pieces(plan_).count();
    const PieceFilled upload = [&](int piece) { session_.upload_piece(set, first_piece + piece, nullptr); };
    const PieceFilled filled = weighing_.of_inputs() ? PieceFilled() : upload;
    const Element element = readers_.front()->element();
    if (is_complex(element)) {
      input.voxels = ImageView(box.voxels.get(), element, box.cover.shape).part(tile.part);
    } else if (tile.part == 1) {
      gather_missing(plan_, input, rules_, port, filled);
      return {};
    }
    return gather_tile(plan_, input, rules_, port, filled);
  }

  void begin_reading(const ImageReader& reader, const TileIndex& tile, ReadBox& box) {
    const Element element = reader.element();
    if (!box.voxels) {
      box.voxels = std::make_unique_for_overwrite<std::byte[]>(largest_cover_bytes(plan_, size_of(element)));
    }
    box.cover = cover_of(plan_, tile);
    box.cover.input.voxels = {box.voxels.get(), element, box.cover.shape};
    const Index num_slab_voxels = slab_voxels(largest_cover_bytes(plan_, size_of(element)), element);
    std::vector<BackgroundJobs::Job> jobs;
    for (const PlacedBox& placed : box.cover.boxes) {
      for (const PlacedBox& slab : slabs_of(placed, reader.chunk(), num_slab_voxels)) {
        jobs.emplace_back([&reader, &box, slab] { read_slab(reader, slab, box.cover.shape, box.voxels.get()); });
      }
    }
    jobs_.add(box.reading, std::move(jobs));
  }

  const Plan& plan_;
  backend::Session& session_;
  const ImageReaders& readers_;
  const VoxelRules& rules_;
  int num_parts_;
  TileWeighing<Real> weighing_;
  std::size_t num_begun_ = 0;
  std::size_t num_supplied_ = 0;
  TileBoxes* supplied_ = nullptr;  // the last
  std::array<TileBoxes, device_model::kBoxesInHand> boxes_;
  BackgroundJobs jobs_;  // ends before the boxes go
};

/// Writes a box's voxels, slab by slab, on the threads of `jobs`.
void begin_writing(BackgroundJobs& jobs, BackgroundJobs::Group& group, ImageWriter& writer, const Box& box,
                   const std::byte* voxels) {
  std::vector<BackgroundJobs::Job> slabs;
  const Element element = writer.element();
  const Index num_slab_voxels =
      slab_voxels(static_cast<std::uint64_t>(num_voxels(box.size)) * size_of(element), element);
  for (const PlacedBox& slab : slabs_of({box, {0, 0, 0}}, writer.chunk(), num_slab_voxels)) {
    const std::byte* from = voxels + offset_bytes(box.size, slab.to, element);
    slabs.emplace_back([&writer, slab, from] { writer.write(slab.from, from); });
  }
  jobs.add(group, std::move(slabs));
}

template <class Real>
class WriterSink final : public TileSink {
 public:
  WriterSink(const LoadedPlan& loaded, const ImageWriters& writers, const RunNeeds& needs)
      : plan_(loaded.plan),
        fan_(kernel_fan(plan_.spec)),
        session_(*loaded.session),
        writers_(writers),
        holed_(plan_, needs.rules),
        weighing_(plan_, session_, needs.weights),
        jobs_(num_disk_threads()) {
    for (TileBoxes& tile : boxes_) tile.resize(static_cast<std::size_t>(fan_.num_results()));
  }

  void prepare(const TileIndex&, int) override {}

  OutputSums take(const TileIndex& tile, int set, std::vector<Index> holes) override {
    if (holed_.keeps(tile)) {
      session_.wait(set);
      holed_.keep(reinterpret_cast<const Real*>(session_.port(ports::output, set)));
      return {};
    }
    if (weighing_.of_outputs()) {
      session_.wait(set);
      weighing_.gather_outputs(tile, set);
    }
    TileBoxes& boxes = boxes_[next_ % boxes_.size()];
    if (!is_complex(writers_.front()->element()) || tile.part == 1) ++next_;
    OutputSums sums;
    for (std::size_t i = 0; i < boxes.size(); ++i) sums.add(take_one(tile, i, set, holes, boxes[i]));
    return sums;
  }

  void finish() override {
    for (TileBoxes& boxes : boxes_) {
      for (WrittenBox& box : boxes) jobs_.wait(box.writing);
    }
  }

 private:
  struct WrittenBox {
    Buffer voxels;
    BackgroundJobs::Group writing;
  };
  using TileBoxes = std::vector<WrittenBox>;  // of the outputs that a tile is of

  /// Of the outputs that the tile is of, the one of that number. A complex one is written with its second part.
  OutputSums take_one(const TileIndex& tile, std::size_t number, int set, const std::vector<Index>& holes,
                      WrittenBox& written) {
    ImageWriter& writer = *writers_.at(static_cast<std::size_t>(tile.image * fan_.num_results()) + number);
    jobs_.wait(written.writing);
    if (!written.voxels) written.voxels = std::make_unique_for_overwrite<std::byte[]>(largest_output_bytes(writer));
    const Box box = output_box_of(plan_, tile);
    const MutableImageView whole(written.voxels.get(), writer.element(), box.size);
    const bool is_pair = is_complex(whole.element);
    const OutputSums sums = put(tile, number, set, holes, is_pair ? whole.part(tile.part) : whole);
    if (!is_pair || tile.part == 1) begin_writing(jobs_, written.writing, writer, box, written.voxels.get());
    return sums;
  }

  OutputSums put(const TileIndex& tile, std::size_t number, int set, const std::vector<Index>& holes,
                 const MutableImageView& to) {
    TileOutputs outputs = tile_outputs(plan_, tile);
    for (AxisOutputs& axis : outputs) axis.begin = 0;
    auto* const port = reinterpret_cast<Real*>(session_.port(ports::output_of(fan_, static_cast<Index>(number)), set));
    if (makes_holes(plan_.spec)) {
      session_.wait(set);
      return holed_.write(outputs, port, holes, to);
    }
    const int first_piece = static_cast<int>(number) * output_pieces(plan_).count();
    const auto await = [&](int piece) { session_.wait_piece(set, first_piece + piece); };
    return scatter_tile(plan_, outputs, port, to, weighing_.of_outputs() ? AwaitPiece() : AwaitPiece(await));
  }

  std::size_t largest_output_bytes(const ImageWriter& writer) const {
    std::size_t bytes = size_of(writer.element());
    for (const AxisPlan& axis : plan_.axes) bytes *= static_cast<std::size_t>(axis.tile_output);
    return bytes;
  }

  const Plan& plan_;
  KernelFan fan_;
  backend::Session& session_;
  const ImageWriters& writers_;
  HoledOutputs<Real> holed_;
  TileWeighing<Real> weighing_;
  std::size_t next_ = 0;
  std::array<TileBoxes, device_model::kBoxesInHand> boxes_;
  BackgroundJobs jobs_;
};

template <class Real>
TileIo stream_io_of(const PreparedDevice& on, const ImageReaders& readers, const ImageWriters& writers,
                    const RunNeeds& needs) {
  TileIo io;
  io.source = std::make_unique<ReaderSource<Real>>(on.loaded, readers, needs);
  io.sink = needs.folded != nullptr ? needs.folded->sink(on.loaded)
                                    : std::make_unique<WriterSink<Real>>(on.loaded, writers, needs);
  return io;
}

}  // namespace

TileIo stream_io(const PreparedDevice& on, const ImageReaders& readers, const ImageWriters& writers,
                 const RunNeeds& needs) {
  const bool f32 = on.loaded.plan.spec.precision == Precision::f32;
  return f32 ? stream_io_of<float>(on, readers, writers, needs) : stream_io_of<double>(on, readers, writers, needs);
}

RunTiles missing_tiles(const Plan& plan, const ImageWriters& writers) {
  const Index results = kernel_fan(plan.spec).num_results();
  RunTiles tiles{plan.num_tiles() * (static_cast<Index>(writers.size()) / results), {}};
  if (plan.fold_output) return tiles;
  tiles.held = [&plan, &writers, results](Index number) {
    const TileIndex tile = tile_index(plan, number);
    const Box box = output_box_of(plan, tile);
    for (Index i = 0; i < results; ++i) {
      if (!writers[static_cast<std::size_t>(tile.image * results + i)]->holds(box)) return false;
    }
    return true;
  };
  return tiles;
}

}  // namespace convoy::inline v0
