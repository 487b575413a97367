#include <fmt/format.h>

#include <cmath>

#include "convoy/deconvolution.hpp"
#include "convoy/error.hpp"

namespace convoy {
namespace {

[[noreturn]] void refuse(const std::string& message) { throw Error(Errc::invalid_argument, message); }

void require_not_negative(double value, const char* what) {
  if (!(value >= 0) || !std::isfinite(value)) refuse(fmt::format("the {} is {}; it must be 0 or more", what, value));
}

}  // namespace

const char* name(Edges value) {
  switch (value) {
    case Edges::noncirculant:
      return "noncirculant";
    case Edges::zero:
      return "zero";
    case Edges::reflect:
      return "reflect";
  }
  return "unknown";
}

const char* name(Start value) {
  switch (value) {
    case Start::mean:
      return "mean";
    case Start::image:
      return "image";
  }
  return "unknown";
}

const char* name(StopReason reason) {
  switch (reason) {
    case StopReason::iterations:
      return "iterations";
    case StopReason::relative_change:
      return "relative_change";
  }
  return "unknown";
}

void validate(const DeconvolutionSpec& spec) {
  ConvolutionSpec blur;  // has the same rules for extents and origin
  blur.image = spec.image;
  blur.kernel = spec.psf;
  blur.origin = spec.origin;
  validate(blur);
  if (spec.iterations < 0) refuse(fmt::format("{} iterations cannot be done", spec.iterations));
  require_not_negative(spec.background, "background");
  require_not_negative(spec.stop_relative_change, "relative change to stop at");
  if (std::isnan(spec.saturation)) refuse("the saturation is not a number");
}

}  // namespace convoy
