#include "kernels/kernel_spec.hpp"

#include <bit>

#include "bodies.hpp"
#include "kernels/data_kernels.hpp"
#include "kernels/deconvolution_kernels.hpp"
#include "kernels/spec_parts.hpp"

namespace convoy::inline v0 {

KernelParameter parameter(std::uint32_t value) { return {value}; }
KernelParameter parameter(float value) { return {std::bit_cast<std::uint32_t>(value)}; }

std::array<std::uint64_t, 3> num_groups(const KernelSpec& kernel, const std::array<std::uint64_t, 3>& threads) {
  std::array<std::uint64_t, 3> groups{};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    groups[axis] = (threads[axis] + kernel.workgroup[axis] - 1) / kernel.workgroup[axis];
  }
  return groups;
}

std::uint64_t shared_bytes(const KernelSpec& kernel, Precision precision) {
  return kernel.num_shared * (precision == Precision::f32 ? 8 : 16);
}

}  // namespace convoy::inline v0

namespace convoy::kernels {
namespace {

/// The numbers of BoundaryRule.
Parameters boundary_rule() { return joined({{{"boundary", u32}}, per_axis("period"), {{"offset", u32}}}); }

KernelBuffer voxels(const char* name, bool writable, Element element) {
  return {.name = name, .kind = KernelBuffer::Kind::voxel, .writable = writable, .element = element};
}

/// The same kernel for every kind of real voxel.
class PerElement {
 public:
  template <class Make>
  explicit PerElement(const Make& make) {
    for (const ElementFacts& facts : kRealElements) kernels_[static_cast<std::size_t>(facts.element)] = make(facts);
  }
  const KernelSpec& operator[](Element element) const { return kernels_.at(static_cast<std::size_t>(element)); }

 private:
  std::array<KernelSpec, kRealElements.size()> kernels_;
};

}  // namespace

const KernelSpec place_kernel{.name = "place_kernel",
                              .buffers = {read("source"), write("spectrum")},
                              .parameters = joined({per_axis("size"),
                                                    per_axis("shift"),
                                                    per_axis("padded"),
                                                    {{"pitch", u32}, {"plane_rows", u32}, {"number", u32}}}),
                              .body = bodies::k_place_kernel};

const KernelSpec multiply_spectrum{
    .name = "multiply_spectrum",
    .buffers = {read("spectrum", KernelBuffer::Kind::real2), write("work", KernelBuffer::Kind::real2)},
    .parameters = {{"count", u32}, {"row", u32}, {"scale", f32}, {"sign", f32}},
    .body = bodies::k_multiply_spectrum};

const KernelSpec add_product{
    .name = "add_product",
    .buffers = {read("spectrum", KernelBuffer::Kind::real2), read("work", KernelBuffer::Kind::real2),
                write("product", KernelBuffer::Kind::real2)},
    .parameters = {{"count", u32}, {"row", u32}, {"sign", f32}, {"adds", u32}},
    .body = bodies::k_add_product};

const KernelSpec weigh{.name = "weigh",
                       .buffers = {read("tile"), read("weights"), write("result")},
                       .parameters = joined({per_axis("extent"), {{"adds", u32}}}),
                       .body = bodies::k_weigh};

const KernelSpec known_share{
    .name = "known_share",
    .buffers = {read("missing"), write("share")},
    .parameters =
        joined({per_axis("extent"),
                {{"sum_high", f32}, {"sum_low", f32}, {"least_high", f32}, {"least_low", f32}, {"unknown", f32}}}),
    .body = bodies::k_known_share};

const KernelSpec convolve_direct{
    .name = "convolve_direct",
    .buffers = {read("image"), read("taps"), write("result")},
    .parameters = joined({per_axis("count"),
                          per_axis("size"),
                          {{"extent_x", u32}, {"extent_y", u32}, {"taps_begin", u32}, {"adds", u32}, {"row", u32}}}),
    .body = bodies::k_convolve_direct};

const KernelSpec fold_voxels{.name = "fold_voxels",
                             .buffers = {read("tile"), write("sums")},
                             .parameters = joined({{{"extent_x", u32}, {"extent_y", u32}},
                                                   per_axis("count"),
                                                   per_axis("begin"),
                                                   per_axis("raw_begin"),
                                                   per_axis("raw_count"),
                                                   per_axis("size"),
                                                   per_axis("stride"),
                                                   boundary_rule(),
                                                   {{"origin", u32}, {"reversed", u32}}}),
                             .body = bodies::k_fold_voxels};

const KernelSpec& gather_voxels(Element image) {
  static const PerElement kernels([](const ElementFacts& element) {
    return KernelSpec{
        .name = std::string("gather_") + element.name,
        .buffers = {voxels("image", false, element.element), write("tile")},
        .parameters =
            joined({per_axis("extent"),
                    per_axis("input"),
                    per_axis("begin"),
                    per_axis("size"),
                    per_axis("stride"),
                    boundary_rule(),
                    {{"outside_high", f32}, {"outside_low", f32}, {"shown", u32}, {"origin", u32}, {"reversed", u32}}}),
        .body = bodies::k_gather_voxels};
  });
  return kernels[image];
}

const KernelSpec& scatter_voxels(Element output) {
  static const PerElement kernels([](const ElementFacts& element) {
    return KernelSpec{.name = std::string("scatter_") + element.name,
                      .buffers = {read("tile"), voxels("voxels", true, element.element)},
                      .parameters = joined({{{"extent_x", u32}, {"extent_y", u32}},
                                            per_axis("count"),
                                            per_axis("begin"),
                                            per_axis("stride"),
                                            {{"origin", u32}, {"reversed", u32}}}),
                      .body = bodies::k_scatter_voxels};
  });
  return kernels[output];
}

const std::vector<const KernelSpec*>& all() {
  static const std::vector<const KernelSpec*> list = [] {
    std::vector<const KernelSpec*> kernels{&place_kernel, &multiply_spectrum, &add_product, &weigh,
                                           &known_share,  &convolve_direct,   &fold_voxels};
    kernels.insert(kernels.end(), of_deconvolution().begin(), of_deconvolution().end());
    kernels.insert(kernels.end(), of_data().begin(), of_data().end());
    for (const ElementFacts& facts : kRealElements) {
      kernels.push_back(&gather_voxels(facts.element));
      kernels.push_back(&scatter_voxels(facts.element));
    }
    return kernels;
  }();
  return list;
}

}  // namespace convoy::kernels
