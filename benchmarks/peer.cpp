#include "peer.hpp"

#include <algorithm>

namespace convoy::bench {
namespace {

Index next_7_smooth(Index at_least) {
  const auto is_smooth = [](Index length) {
    for (const Index factor : {2, 3, 5, 7}) {
      while (length % factor == 0) length /= factor;
    }
    return length == 1;
  };
  while (!is_smooth(at_least)) ++at_least;
  return at_least;
}

}  // namespace

Shape peer_padding(const ConvolutionSpec& spec) {
  Shape padded;
  for (int axis = 0; axis < 3; ++axis) {
    const Index n = spec.image[axis];
    padded[axis] = spec.mode == Mode::circular ? n : next_7_smooth(n + spec.kernel[axis] - 1);
  }
  return padded;
}

Shape crop_offset(const ConvolutionSpec& spec) {
  Shape offset{0, 0, 0};
  for (int axis = 0; axis < 3; ++axis) {
    if (spec.mode == Mode::same) offset[axis] = spec.kernel[axis] / 2;
    if (spec.mode == Mode::valid) offset[axis] = std::min(spec.image[axis], spec.kernel[axis]) - 1;
  }
  return offset;
}

template <class Real>
void place_kernel(const Problem& problem, const Shape& padded, Index pitch, Real* target) {
  const Shape& k = problem.spec.kernel;
  const Shape origin = problem.spec.mode == Mode::circular ? center_of(k) : Shape{0, 0, 0};
  std::fill_n(target, padded.z * padded.y * pitch, Real(0));
  const auto place = [&](Index at, int axis) {
    return ((at - origin[axis]) % padded[axis] + padded[axis]) % padded[axis];
  };
  const float* voxel = problem.kernel.data();
  for (Index z = 0; z < k.z; ++z) {
    for (Index y = 0; y < k.y; ++y) {
      Real* row = target + (place(z, 0) * padded.y + place(y, 1)) * pitch;
      for (Index x = 0; x < k.x; ++x) row[place(x, 2)] += static_cast<Real>(*voxel++);
    }
  }
}

template void place_kernel(const Problem&, const Shape&, Index, float*);
template void place_kernel(const Problem&, const Shape&, Index, double*);

}  // namespace convoy::bench
