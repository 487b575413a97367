#include "kernels/deconvolution_kernels.hpp"

#include "bodies.hpp"

namespace convoy::kernels {
namespace {

using Parameters = std::vector<KernelSpec::Parameter>;

constexpr auto u32 = KernelSpec::Parameter::Kind::u32;
constexpr auto f32 = KernelSpec::Parameter::Kind::f32;

KernelBuffer read(const char* name) { return {name, KernelBuffer::Kind::real, false}; }
KernelBuffer write(const char* name) { return {name, KernelBuffer::Kind::real, true}; }

Parameters with(Parameters first, const Parameters& more) {
  first.insert(first.end(), more.begin(), more.end());
  return first;
}

Parameters frame() { return {{"frame_x", u32}, {"frame_y", u32}, {"frame_z", u32}}; }
Parameters window() {
  return with(
      frame(),
      {{"begin_x", u32}, {"begin_y", u32}, {"begin_z", u32}, {"window_x", u32}, {"window_y", u32}, {"window_z", u32}});
}
Parameters elements() { return {{"count", u32}, {"row", u32}}; }
Parameters strides() {
  return with(elements(), {{"num_threads", u32}, {"thread_stride", u32}, {"num_steps", u32}, {"step_stride", u32}});
}

}  // namespace

const KernelSpec indicate{"indicate", {read("observed"), write("known")}, window(), bodies::k_indicate};

const KernelSpec invert_weights{
    "invert_weights", {read("image"), write("weights")}, with(elements(), {{"least", f32}}), bodies::k_invert_weights};

const KernelSpec start_estimate{"start_estimate",
                                {read("observed"), read("weights"), read("scalars"), write("estimate"), write("image")},
                                with(window(), {{"from_observed", u32}}),
                                bodies::k_start_estimate};

const KernelSpec start_acceleration{"start_acceleration",
                                    {read("estimate"), write("previous"), write("gradient")},
                                    elements(),
                                    bodies::k_start_acceleration};

const KernelSpec ratio{"ratio", {read("observed"), read("scalars"), write("image")}, window(), bodies::k_ratio};

const KernelSpec residual{
    "residual", {read("observed"), read("scalars"), write("image")}, window(), bodies::k_residual};

const KernelSpec shift{"shift",
                       {read("image"), write("shifted")},
                       with(frame(), {{"shift_x", u32}, {"shift_y", u32}, {"shift_z", u32}}),
                       bodies::k_shift};

const KernelSpec regularize_tv{
    "regularize_tv",
    {read("estimate"), read("scalars"), write("image")},
    with(frame(), {{"strength", f32}, {"inverse_x", f32}, {"inverse_y", f32}, {"inverse_z", f32}}),
    bodies::k_regularize_tv};

const KernelSpec propose_product{"propose_product",
                                 {read("weights"), read("estimate"), read("scalars"), write("image")},
                                 elements(),
                                 bodies::k_propose_product};

const KernelSpec propose_step{"propose_step",
                              {read("weights"), read("estimate"), read("scalars"), write("image")},
                              elements(),
                              bodies::k_propose_step};

const KernelSpec accept{"accept", {read("image"), write("estimate")}, elements(), bodies::k_accept};

const KernelSpec accelerate{"accelerate",
                            {read("scalars"), write("previous"), write("gradient"), write("estimate"), write("image")},
                            elements(),
                            bodies::k_accelerate};

const KernelSpec acceleration_factor{
    "acceleration_factor", {read("products"), write("scalars")}, {{"num_sums", u32}}, bodies::k_acceleration_factor};

const KernelSpec crop{"crop",
                      {read("source"), write("cropped")},
                      {{"frame_x", u32},
                       {"frame_y", u32},
                       {"begin_x", u32},
                       {"begin_y", u32},
                       {"begin_z", u32},
                       {"size_x", u32},
                       {"size_y", u32},
                       {"size_z", u32}},
                      bodies::k_crop};

const KernelSpec sum_divergence{"sum_divergence",
                                {read("observed"), read("image"), read("scalars"), write("partials")},
                                with({{"frame_x", u32},
                                      {"frame_y", u32},
                                      {"begin_x", u32},
                                      {"begin_y", u32},
                                      {"begin_z", u32},
                                      {"window_x", u32},
                                      {"window_y", u32}},
                                     strides()),
                                bodies::k_sum_divergence};

const KernelSpec sum_change{
    "sum_change", {read("image"), read("estimate"), write("partials")}, strides(), bodies::k_sum_change};

const KernelSpec sum_products{"sum_products",
                              {read("image"), read("estimate"), read("gradient"), read("previous"), write("partials")},
                              strides(),
                              bodies::k_sum_products};

const KernelSpec add_up{"add_up",
                        {read("partials"), write("sums")},
                        {{"num_sums", u32}, {"num_quantities", u32}, {"num_partials", u32}},
                        bodies::k_add_up};

const KernelSpec place_data{
    "place_data", {read("observed"), read("scalars"), write("image")}, window(), bodies::k_place_data};

const KernelSpec remember_response{"remember_response",
                                   {{"spectrum", KernelBuffer::Kind::real2, false}, write("response")},
                                   {{"place", u32}},
                                   bodies::k_remember_response};

const KernelSpec wiener_filter{"wiener_filter",
                               {read("response"), {"spectrum", KernelBuffer::Kind::real2, true}},
                               with(elements(), {{"noise", f32}, {"sum_of_psf", f32}}),
                               bodies::k_wiener_filter};

const std::vector<const KernelSpec*>& of_deconvolution() {
  static const std::vector<const KernelSpec*> list{&indicate,
                                                   &invert_weights,
                                                   &start_estimate,
                                                   &start_acceleration,
                                                   &ratio,
                                                   &residual,
                                                   &shift,
                                                   &regularize_tv,
                                                   &propose_product,
                                                   &propose_step,
                                                   &accept,
                                                   &accelerate,
                                                   &acceleration_factor,
                                                   &crop,
                                                   &sum_divergence,
                                                   &sum_change,
                                                   &sum_products,
                                                   &add_up,
                                                   &place_data,
                                                   &remember_response,
                                                   &wiener_filter};
  return list;
}

}  // namespace convoy::kernels
