// By which algorithm a convolution is computed.
#pragma once

#include <string>

#include "convoy/export.h"

namespace convoy::inline v0 {

/// All give the same numbers to rounding; a plan chooses by predicted time.
enum class Method {
  automatic,  ///< the one that is predicted to be the fastest
  fft,        ///< by transforms: best for large kernels. Its rounding errors are spread over the whole tile
  direct,     ///< the sum over the kernel's voxels: best for small ones. Where the image is 0, so is the result
  separable   ///< one sum along each axis, of kernels that are sums of a few products f(z) * g(y) * h(x)
};
CONVOY_API const char* name(Method method);  ///< "auto", "fft" ...
/// Throws Error(invalid_argument) for other words than "auto", "fft", "direct" and "separable".
CONVOY_API Method method_from_text(const std::string& text);

}  // namespace convoy::inline v0
