#include "engine/memory_tiles.hpp"

#include <utility>

#include "engine/folded_sums.hpp"
#include "engine/gather.hpp"
#include "engine/in_place_memory.hpp"

namespace convoy {
namespace {

template <class Real>
class MemorySource final : public TileSource {
 public:
  MemorySource(const LoadedPlan& loaded, const backend::Device& device, const ImageView& image, const VoxelRules& rules,
               bool sums)
      : plan_(loaded.plan),
        session_(*loaded.session),
        image_(image),
        rules_(rules),
        sums_(sums || plan_.fold_output),  // what is folded is not looked at tile by tile
        lent_(can_lend(plan_, device, image)) {}

  std::size_t tiles_ahead() const override { return 0; }
  void begin(const TileIndex&) override {}

  InputSums supply(const TileIndex& tile, int set) override {
    const TileInput input = input_from_image(plan_, image_, tile);
    if (lends(input)) {
      for (int piece = 0; piece < input_pieces(plan_).count(); ++piece) {
        const backend::HostBox box = input_box(plan_, image_, input.sources, piece);
        session_.upload_piece(set, piece, &box);
      }
      return {};
    }
    return gather_tile(plan_, input, rules_, reinterpret_cast<Real*>(session_.port(ports::input, set)),
                       [&](int piece) { session_.upload_piece(set, piece, nullptr); });
  }

  /// What was not gathered has not been looked at yet.
  InputSums scan_input(const TileIndex& tile) override {
    if (!sums_) return {};
    const TileInput input = input_from_image(plan_, image_, tile);
    return lends(input) ? sum_own_voxels(plan_, input, rules_) : InputSums{};
  }

  /// Once: finite voxels, too, may have outputs that are too large.
  InputSums look_again() override {
    if (!lent_ || sums_ || std::exchange(looked_again_, true)) return {};
    return scan(image_, rules_);
  }

  InputSums all_unusable(const InputSums&) override { return scan(image_, rules_); }

 private:
  bool lends(const TileInput& input) const { return lent_ && shows_image_and_zeros(plan_, input.sources); }

  const Plan& plan_;
  backend::Session& session_;
  ImageView image_;
  const VoxelRules& rules_;
  bool sums_;
  bool lent_;
  bool looked_again_ = false;
};

template <class Real>
class MemorySink final : public TileSink {
 public:
  MemorySink(const LoadedPlan& loaded, const backend::Device& device, const MutableImageView& output, bool sums)
      : plan_(loaded.plan),
        session_(*loaded.session),
        output_(output),
        sums_(sums),
        lent_(can_lend(plan_, device, output)) {}

  void prepare(const TileIndex& tile, int set) override {
    if (!lent_) return;
    const auto outputs = tile_outputs(plan_, tile);
    for (int piece = 0; piece < output_pieces(plan_).count(); ++piece) {
      session_.set_output_target(set, piece, output_box(plan_, output_, outputs, piece));
    }
  }

  OutputSums take(const TileIndex& tile, int set) override {
    const AwaitPiece await = [&](int piece) { session_.wait_piece(set, piece); };
    const TileOutputs outputs = tile_outputs(plan_, tile);
    if (lent_ && sums_) return sum_output_voxels<Real>(plan_, outputs, output_, await);
    if (lent_) return {.sum = one_voxel(outputs, await)};
    return scatter_tile(plan_, outputs, reinterpret_cast<const Real*>(session_.port(ports::output, set)), output_,
                        await);
  }

  void finish() override {}

 private:
  /// One tells of all: a NaN or an infinity in a transform's input is in every output.
  double one_voxel(const TileOutputs& outputs, const AwaitPiece& await) const {
    for (int piece = 0; piece < output_pieces(plan_).count(); ++piece) await(piece);
    const std::array<Index, 3> stride = device_strides(plan_, output_.shape);
    Index first = 0;
    for (std::size_t d = 0; d < 3; ++d) first += outputs[d].begin * stride[d];
    return static_cast<double>(static_cast<const Real*>(output_.data)[first]);
  }

  const Plan& plan_;
  backend::Session& session_;
  MutableImageView output_;
  bool sums_;
  bool lent_;
};

template <class Real>
class ImageInput final : public RunInput {
 public:
  ImageInput(const ImageView& image, const VoxelRules& rules, bool sums) : image_(image), rules_(rules), sums_(sums) {}
  std::unique_ptr<TileSource> source(const PreparedDevice& on) override {
    return std::make_unique<MemorySource<Real>>(on.loaded, on.device.implementation(), image_, rules_, sums_);
  }

 private:
  ImageView image_;
  VoxelRules rules_;
  bool sums_;
};

template <class Real>
class ImageOutput final : public RunOutput {
 public:
  ImageOutput(const MutableImageView& output, bool sums) : output_(output), sums_(sums) {}
  std::unique_ptr<TileSink> sink(const PreparedDevice& on) override {
    return std::make_unique<MemorySink<Real>>(on.loaded, on.device.implementation(), output_, sums_);
  }

 private:
  MutableImageView output_;
  bool sums_;
};

template <class Real>
class FoldedOutput final : public RunOutput {
 public:
  FoldedOutput(const ConvolutionSpec& spec, const MutableImageView& output) : sums_(spec), output_(output) {}
  std::unique_ptr<TileSink> sink(const PreparedDevice& on) override {
    return std::make_unique<FoldingSink<Real>>(on.loaded, sums_);
  }
  OutputSums complete() override { return write_folded(sums_.data(), output_); }

 private:
  FoldedSums<Real> sums_;
  MutableImageView output_;
};

}  // namespace

std::unique_ptr<RunInput> input_from(const Plan& plan, const ImageView& image, const VoxelRules& rules, bool sums) {
  if (plan.spec.precision == Precision::f32) return std::make_unique<ImageInput<float>>(image, rules, sums);
  return std::make_unique<ImageInput<double>>(image, rules, sums);
}

std::unique_ptr<RunOutput> output_to(const Plan& plan, const MutableImageView& output, bool sums) {
  const bool f32 = plan.spec.precision == Precision::f32;
  if (plan.fold_output && f32) return std::make_unique<FoldedOutput<float>>(plan.spec, output);
  if (plan.fold_output) return std::make_unique<FoldedOutput<double>>(plan.spec, output);
  if (f32) return std::make_unique<ImageOutput<float>>(output, sums);
  return std::make_unique<ImageOutput<double>>(output, sums);
}

}  // namespace convoy
