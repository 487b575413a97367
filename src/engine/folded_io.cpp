#include <type_traits>

#include "engine/scatter.hpp"
#include "engine/tile_io.hpp"
#include "planner/host_needs.hpp"

namespace convoy::inline v0 {
namespace {

class FoldingSink final : public TileSink {
 public:
  FoldingSink(const LoadedPlan& loaded, FoldedSums& sums) : loaded_(loaded), sums_(sums) {}

  void prepare(const TileIndex&, int) override {}
  OutputSums take(const TileIndex& tile, int set, std::vector<Index>) override {
    sums_.add(loaded_, tile, set);
    return {};
  }
  void finish() override {}

 private:
  const LoadedPlan& loaded_;
  FoldedSums& sums_;
};

}  // namespace

FoldedSums::FoldedSums(const ConvolutionSpec& spec, const Weights* weights) : weights_(weights) {
  const auto voxels = static_cast<std::size_t>(num_voxels(output_shape(spec)) * num_outputs(spec));
  if (spec.precision == Precision::f32) {
    sums_.emplace<std::vector<float>>(voxels);
  } else {
    sums_.emplace<std::vector<double>>(voxels);
  }
}

std::unique_ptr<TileSink> FoldedSums::sink(const LoadedPlan& loaded) {
  return std::make_unique<FoldingSink>(loaded, *this);
}

void FoldedSums::add(const LoadedPlan& loaded, const TileIndex& tile, int set) {
  loaded.session->wait(set);
  const KernelFan fan = kernel_fan(loaded.plan.spec);
  const std::lock_guard lock(mutex_);
  std::visit(
      [&](auto& sums) {
        using Real = typename std::remove_reference_t<decltype(sums)>::value_type;
        TileWeighing<Real> weighing(loaded.plan, *loaded.session, weights_);
        if (weighing.of_outputs()) weighing.gather_outputs(tile, set);
        for (Index i = 0; i < fan.num_results(); ++i) {
          const std::byte* const port = loaded.session->port(ports::output_of(fan, i), set);
          const Index first = (tile.image * fan.num_results() + i) * num_voxels(output_shape(loaded.plan.spec));
          fold_tile(loaded.plan, tile, reinterpret_cast<const Real*>(port), sums.data() + first);
        }
      },
      sums_);
}

OutputSums FoldedSums::write(const MutableImageView& output) const {
  return std::visit([&](const auto& sums) { return write_folded(sums.data(), output); }, sums_);
}

OutputSums FoldedSums::write(const std::vector<ImageWriter*>& writers) const {
  OutputSums total;
  std::visit(
      [&](const auto& sums) {
        const auto* from = sums.data();
        for (ImageWriter* writer : writers) {
          total.add(write_folded(from, *writer));
          from += num_voxels(writer->shape());
        }
      },
      sums_);
  return total;
}

template <class Real>
OutputSums write_folded(const Real* sums, ImageWriter& writer) {
  const Shape shape = writer.shape();
  const Element element = writer.element();
  const std::uint64_t bytes = static_cast<std::uint64_t>(num_voxels(shape)) * size_of(element);
  const auto slab_voxels = static_cast<Index>(slab_bytes(bytes) / size_of(element));
  OutputSums total;
  std::vector<std::byte> voxels;
  for (const PlacedBox& slab : slabs_of({{{0, 0, 0}, shape}, {0, 0, 0}}, writer.chunk(), slab_voxels)) {
    voxels.resize(static_cast<std::size_t>(num_voxels(slab.from.size)) * size_of(element));
    const Index first = (slab.to.z * shape.y + slab.to.y) * shape.x + slab.to.x;
    total.add(write_folded(sums + first, MutableImageView{voxels.data(), element, slab.from.size}));
    writer.write(slab.from, voxels.data());
  }
  return total;
}
template OutputSums write_folded(const float*, ImageWriter&);
template OutputSums write_folded(const double*, ImageWriter&);

}  // namespace convoy::inline v0
