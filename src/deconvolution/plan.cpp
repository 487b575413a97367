#include "convoy/error.hpp"
#include "deconvolution/plans.hpp"
#include "deconvolution/spec.hpp"
#include "deconvolution/frame.hpp"

namespace convoy {

std::array<FrameAxis, 3> frame_axes(const DeconvolutionSpec& spec) {
  return {frame_axis(spec, 0), frame_axis(spec, 1), frame_axis(spec, 2)};
}

ConvolutionSpec convolution_of(const DeconvolutionSpec& spec, const Shape& frame, Operation operation) {
  ConvolutionSpec convolution = blur_of(spec);
  convolution.image = frame;
  convolution.mode = spec.edges == Edges::reflect ? Mode::circular : Mode::same;
  convolution.origin = Origin::at(psf_origin(spec));
  convolution.operation = operation;
  return convolution;
}

bool can_be_tiled(const DeconvolutionSpec& spec) { return spec.algorithm != Algorithm::wiener; }

DeconvolutionPlan make_plan(const DeconvolutionSpec& given, const Limits& limits, const PlanOptions& options) {
  const DeconvolutionSpec spec = settled(given);
  validate(spec);
  if (spec.precision == Precision::f64 && !limits.supports_f64) {
    throw Error(Errc::unsupported, "this device has no double precision; compute in f32 or use the CPU");
  }
  const auto in_tiles = [&](const char* why) {
    return spec.tiles == Tiles::fast ? make_fast_plan(spec, limits, options, why)
                                     : make_tiled_plan(spec, limits, options, why);
  };
  if (options.min_tiles > 1 && can_be_tiled(spec)) return in_tiles("several were asked for");
  try {
    return make_whole_plan(spec, limits, options);
  } catch (const Error& problem) {
    const bool too_large = problem.code() == Errc::out_of_memory || problem.code() == Errc::unsupported;
    if (!too_large || !can_be_tiled(spec)) throw;
    return in_tiles(problem.what());
  }
}

}  // namespace convoy
