#include "kernels/data_kernels.hpp"

#include "bodies.hpp"
#include "kernels/spec_parts.hpp"

namespace convoy::kernels {
namespace {

Parameters high_and_low(const std::string& name) { return {{name + "_high", f32}, {name + "_low", f32}}; }
Parameters box() {
  return joined({{{"window_x", u32}, {"window_y", u32}}, per_axis("begin"), {{"size_x", u32}, {"size_y", u32}}});
}
Parameters rule() { return joined({high_and_low("saturation"), {{"keeps_negative", u32}}}); }

}  // namespace

const KernelSpec sum_data{
    "sum_data", {read("observed"), write("partials")}, joined({box(), rule(), strides()}), bodies::k_sum_data};

const KernelSpec sum_noise{"sum_noise",
                           {read("observed"), read("units"), write("partials")},
                           joined({box(), rule(), {{"axis", u32}, {"back", u32}}, strides()}),
                           bodies::k_sum_noise};

const KernelSpec take_units{"take_units",
                            {read("sums"), write("units")},
                            joined({{{"num_sums", u32}}, high_and_low("background"), high_and_low("scale")}),
                            bodies::k_take_units};

const KernelSpec take_scalars{"take_scalars",
                              {read("sums"), read("units"), write("scalars")},
                              joined({{{"num_sums", u32}, {"start_rule", u32}},
                                      high_and_low("background"),
                                      high_and_low("start"),
                                      high_and_low("step"),
                                      {{"least_start_part", f32},
                                       {"least_blurred_part", f32},
                                       {"softness_part", f32},
                                       {"least_threshold", f32},
                                       {"highest_start", f32}}}),
                              bodies::k_take_scalars};

const KernelSpec admit{"admit", {read("units"), write("observed")}, joined({elements(), rule()}), bodies::k_admit};

const KernelSpec in_units{"in_units", {read("units"), write("voxels")}, elements(), bodies::k_in_units};

const std::vector<const KernelSpec*>& of_data() {
  static const std::vector<const KernelSpec*> list{&sum_data,     &sum_noise, &take_units,
                                                   &take_scalars, &admit,     &in_units};
  return list;
}

}  // namespace convoy::kernels
