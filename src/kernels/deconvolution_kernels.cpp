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

const Parameters& window() {
  static const Parameters parameters{{"frame_x", u32},  {"frame_y", u32},  {"frame_z", u32},
                                     {"begin_x", u32},  {"begin_y", u32},  {"begin_z", u32},
                                     {"window_x", u32}, {"window_y", u32}, {"window_z", u32}};
  return parameters;
}

const Parameters& grid_stride() {
  static const Parameters parameters{{"count", u32},         {"row", u32},       {"num_threads", u32},
                                     {"thread_stride", u32}, {"num_steps", u32}, {"step_stride", u32}};
  return parameters;
}

}  // namespace

const KernelSpec indicate{"indicate", {read("observed"), write("image")}, window(), bodies::k_indicate};

const KernelSpec invert_weights{"invert_weights",
                                {read("image"), write("weights")},
                                {{"count", u32}, {"row", u32}, {"least", f32}},
                                bodies::k_invert_weights};

const KernelSpec start_estimate{"start_estimate",
                                {read("observed"), read("weights"), read("scalars"), write("estimate"), write("image")},
                                with(window(), {{"from_observed", u32}}),
                                bodies::k_start_estimate};

const KernelSpec ratio{"ratio", {read("observed"), read("scalars"), write("image")}, window(), bodies::k_ratio};

const KernelSpec update_estimate{"update_estimate",
                                 {read("weights"), write("estimate"), write("image")},
                                 {{"count", u32}, {"row", u32}},
                                 bodies::k_update_estimate};

const KernelSpec crop{"crop",
                      {read("estimate"), write("cropped")},
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
                                     grid_stride()),
                                bodies::k_sum_divergence};

const KernelSpec sum_change{"sum_change",
                            {read("image"), read("weights"), read("estimate"), write("partials")},
                            with(grid_stride(), {{"first", u32}}),
                            bodies::k_sum_change};

const KernelSpec add_up{"add_up",
                        {read("partials"), write("sums")},
                        {{"num_sums", u32}, {"num_quantities", u32}, {"num_partials", u32}},
                        bodies::k_add_up};

const std::vector<const KernelSpec*>& of_deconvolution() {
  static const std::vector<const KernelSpec*> list{&indicate,       &invert_weights,  &start_estimate,
                                                   &ratio,          &update_estimate, &crop,
                                                   &sum_divergence, &sum_change,      &add_up};
  return list;
}

}  // namespace convoy::kernels
