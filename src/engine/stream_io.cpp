#include <array>
#include <cstring>
#include <utility>

#include "device_model/common.hpp"
#include "engine/background_jobs.hpp"
#include "engine/gather.hpp"
#include "engine/holes.hpp"
#include "engine/scatter.hpp"
#include "engine/tile_io.hpp"
#include "planner/host_needs.hpp"

namespace convoy {
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
  ReaderSource(const LoadedPlan& loaded, const ImageReaders& readers, const VoxelRules& rules)
      : plan_(loaded.plan),
        session_(*loaded.session),
        readers_(readers),
        rules_(rules),
        num_parts_(is_complex(readers.front()->element()) ? 2 : num_parts(plan_.spec)),
        jobs_(num_disk_threads()) {}

  std::size_t tiles_ahead() const override { return boxes_.size(); }

  void begin(const TileIndex& tile) override {
    ReadBox& box = boxes_[num_begun_++ % boxes_.size()];
    const ImageReader& reader = *readers_[static_cast<std::size_t>(tile.image)];
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

  InputSums supply(const TileIndex& tile, int set) override {
    supplied_ = &boxes_[num_supplied_ % boxes_.size()];
    if (tile.part + 1 == num_parts_) ++num_supplied_;
    jobs_.wait(supplied_->reading);
    TileInput& input = supplied_->cover.input;
    Real* const port = reinterpret_cast<Real*>(session_.port(ports::input, set));
    const PieceFilled filled = [&](int piece) { session_.upload_piece(set, piece, nullptr); };
    const Element element = readers_.front()->element();
    if (is_complex(element)) {
      input.voxels = ImageView(supplied_->voxels.get(), element, supplied_->cover.shape).part(tile.part);
    } else if (tile.part == 1) {
      gather_missing(plan_, input, rules_, port, filled);
      return {};
    }
    return gather_tile(plan_, input, rules_, port, filled);
  }

  std::vector<Index> holes(const TileIndex& tile) override { return find_holes(plan_, tile, supplied_->cover.input); }

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

  const Plan& plan_;
  backend::Session& session_;
  const ImageReaders& readers_;
  const VoxelRules& rules_;
  int num_parts_;
  std::size_t num_begun_ = 0;
  std::size_t num_supplied_ = 0;
  ReadBox* supplied_ = nullptr;  // the last
  std::array<ReadBox, device_model::kBoxesInHand> boxes_;
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
  WriterSink(const LoadedPlan& loaded, const ImageWriters& writers, const VoxelRules& rules)
      : plan_(loaded.plan),
        session_(*loaded.session),
        writers_(writers),
        holed_(plan_, rules),
        jobs_(num_disk_threads()) {}

  void prepare(const TileIndex&, int) override {}

  OutputSums take(const TileIndex& tile, int set, std::vector<Index> holes) override {
    if (holed_.keeps(tile)) {
      session_.wait(set);
      holed_.keep(reinterpret_cast<const Real*>(session_.port(ports::output, set)));
      return {};
    }
    WrittenBox& written = boxes_[next_ % boxes_.size()];
    jobs_.wait(written.writing);
    if (!written.voxels) written.voxels = std::make_unique_for_overwrite<std::byte[]>(largest_output_bytes());
    ImageWriter& writer = *writers_[static_cast<std::size_t>(tile.image)];
    const Box box = output_box_of(plan_, tile);
    TileOutputs outputs = tile_outputs(plan_, tile);
    for (AxisOutputs& axis : outputs) axis.begin = 0;
    const MutableImageView whole(written.voxels.get(), writer.element(), box.size);
    const bool is_pair = is_complex(whole.element);
    const OutputSums sums = put(outputs, set, std::move(holes), is_pair ? whole.part(tile.part) : whole);
    if (is_pair && tile.part == 0) return sums;
    begin_writing(jobs_, written.writing, writer, box, written.voxels.get());
    ++next_;
    return sums;
  }

  void finish() override {
    for (WrittenBox& box : boxes_) jobs_.wait(box.writing);
  }

 private:
  struct WrittenBox {
    Buffer voxels;
    BackgroundJobs::Group writing;
  };

  OutputSums put(const TileOutputs& outputs, int set, std::vector<Index> holes, const MutableImageView& to) {
    Real* const port = reinterpret_cast<Real*>(session_.port(ports::output, set));
    if (!makes_holes(plan_.spec)) {
      return scatter_tile(plan_, outputs, port, to, [&](int piece) { session_.wait_piece(set, piece); });
    }
    session_.wait(set);
    return holed_.write(outputs, port, std::move(holes), to);
  }

  std::size_t largest_output_bytes() const {
    std::size_t bytes = size_of(writers_.front()->element());
    for (const AxisPlan& axis : plan_.axes) bytes *= static_cast<std::size_t>(axis.tile_output);
    return bytes;
  }

  const Plan& plan_;
  backend::Session& session_;
  const ImageWriters& writers_;
  HoledOutputs<Real> holed_;
  std::size_t next_ = 0;
  std::array<WrittenBox, device_model::kBoxesInHand> boxes_;
  BackgroundJobs jobs_;
};

template <class Real>
TileIo stream_io_of(const PreparedDevice& on, const ImageReaders& readers, const ImageWriters& writers,
                    const VoxelRules& rules, FoldedSums* folded) {
  TileIo io;
  io.source = std::make_unique<ReaderSource<Real>>(on.loaded, readers, rules);
  io.sink = folded != nullptr ? folded->sink(on.loaded) : std::make_unique<WriterSink<Real>>(on.loaded, writers, rules);
  return io;
}

}  // namespace

TileIo stream_io(const PreparedDevice& on, const ImageReaders& readers, const ImageWriters& writers,
                 const VoxelRules& rules, FoldedSums* folded) {
  const bool f32 = on.loaded.plan.spec.precision == Precision::f32;
  return f32 ? stream_io_of<float>(on, readers, writers, rules, folded)
             : stream_io_of<double>(on, readers, writers, rules, folded);
}

RunTiles missing_tiles(const Plan& plan, const ImageWriters& writers) {
  RunTiles tiles{plan.num_tiles() * static_cast<Index>(writers.size()), {}};
  if (!plan.fold_output) {
    tiles.held = [&](Index number) {
      const TileIndex tile = tile_index(plan, number);
      return writers[static_cast<std::size_t>(tile.image)]->holds(output_box_of(plan, tile));
    };
  }
  return tiles;
}

}  // namespace convoy
