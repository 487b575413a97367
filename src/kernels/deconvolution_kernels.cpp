#include "kernels/deconvolution_kernels.hpp"

#include "bodies.hpp"
#include "kernels/spec_parts.hpp"

namespace convoy::kernels {
namespace {

Parameters window() { return joined({per_axis("frame"), per_axis("begin"), per_axis("window")}); }

}  // namespace

const KernelSpec indicate{"indicate", {read("observed"), write("known")}, window(), bodies::k_indicate};

const KernelSpec invert_weights{"invert_weights",
                                {read("image"), write("weights")},
                                joined({elements(), {{"least", f32}}}),
                                bodies::k_invert_weights};

const KernelSpec start_estimate{"start_estimate",
                                {read("observed"), read("weights"), read("scalars"), write("estimate"), write("image")},
                                joined({window(), {{"from_observed", u32}}}),
                                bodies::k_start_estimate};

const KernelSpec start_acceleration{"start_acceleration",
                                    {read("estimate"), write("previous"), write("gradient")},
                                    elements(),
                                    bodies::k_start_acceleration};

const KernelSpec ratio{"ratio", {read("observed"), read("scalars"), write("image")}, window(), bodies::k_ratio};

const KernelSpec damped_ratio{
    "damped_ratio", {read("observed"), read("scalars"), write("image")}, window(), bodies::k_damped_ratio};

const KernelSpec residual{
    "residual", {read("observed"), read("scalars"), write("image")}, window(), bodies::k_residual};

const KernelSpec shift{
    "shift", {read("image"), write("shifted")}, joined({per_axis("frame"), per_axis("shift")}), bodies::k_shift};

const KernelSpec regularize_tv{
    "regularize_tv",
    {read("estimate"), read("scalars"), write("image")},
    joined({per_axis("frame"), {{"strength", f32}, {"inverse_x", f32}, {"inverse_y", f32}, {"inverse_z", f32}}}),
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

const KernelSpec extrapolate{"extrapolate",
                             {read("scalars"), write("previous"), write("estimate"), write("image")},
                             elements(),
                             bodies::k_extrapolate};

const KernelSpec extrapolate_agreed{
    "extrapolate_agreed",
    {read("scalars"), read("consensus"), write("previous"), write("estimate"), write("image")},
    elements(),
    bodies::k_extrapolate_agreed};

const KernelSpec noise_ratio{"noise_ratio",
                             {read("noise"), read("scalars"), read("image"), write("consensus")},
                             window(),
                             bodies::k_noise_ratio};

const KernelSpec keep_window{"keep_window", {write("image")}, window(), bodies::k_keep_window};

const KernelSpec agreement{
    "agreement", {read("image"), read("weights"), write("consensus")}, elements(), bodies::k_agreement};

const KernelSpec propose_agreed{"propose_agreed",
                                {read("weights"), read("estimate"), read("scalars"), read("consensus"), write("image")},
                                elements(),
                                bodies::k_propose_agreed};

const KernelSpec start_momentum{
    "start_momentum", {read("estimate"), write("previous")}, elements(), bodies::k_start_momentum};

const KernelSpec momentum_factor{
    "momentum_factor", {write("scalars")}, {{"most_high", f32}, {"most_low", f32}}, bodies::k_momentum_factor};

const KernelSpec acceleration_factor{
    "acceleration_factor", {read("products"), write("scalars")}, {{"num_sums", u32}}, bodies::k_acceleration_factor};

const KernelSpec crop{"crop",
                      {read("source"), write("cropped")},
                      joined({{{"frame_x", u32}, {"frame_y", u32}}, per_axis("begin"), per_axis("size")}),
                      bodies::k_crop};

const KernelSpec sum_divergence{
    "sum_divergence",
    {read("observed"), read("image"), read("scalars"), write("partials")},
    joined(
        {{{"frame_x", u32}, {"frame_y", u32}}, per_axis("begin"), {{"window_x", u32}, {"window_y", u32}}, strides()}),
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
                                   {read("spectrum", KernelBuffer::Kind::real2), write("response")},
                                   {{"place", u32}},
                                   bodies::k_remember_response};

const KernelSpec wiener_filter{"wiener_filter",
                               {read("response"), write("spectrum", KernelBuffer::Kind::real2)},
                               joined({elements(), {{"noise", f32}, {"sum_of_psf", f32}}}),
                               bodies::k_wiener_filter};

const std::vector<const KernelSpec*>& of_deconvolution() {
  static const std::vector<const KernelSpec*> list{&indicate,
                                                   &invert_weights,
                                                   &start_estimate,
                                                   &start_acceleration,
                                                   &ratio,
                                                   &damped_ratio,
                                                   &residual,
                                                   &shift,
                                                   &regularize_tv,
                                                   &propose_product,
                                                   &propose_step,
                                                   &accept,
                                                   &accelerate,
                                                   &extrapolate,
                                                   &extrapolate_agreed,
                                                   &noise_ratio,
                                                   &keep_window,
                                                   &agreement,
                                                   &propose_agreed,
                                                   &start_momentum,
                                                   &momentum_factor,
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
