// Problems of deconvolution, and the library's answer to them on the device under test.
#pragma once

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "selftest/oracle.hpp"
#include "support/device_under_test.hpp"
#include "support/plain_deconvolution.hpp"

namespace restoring {

using namespace convoy;
using plain::Volume;

inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

struct Problem {
  Shape image{7, 10, 13};
  Shape psf{3, 4, 5};
  double background = 0;
  bool counts = true;

  Volume kernel() const { return plain::lopsided_psf(psf); }
  Volume data() const { return plain::observe(plain::scene(image, 1), kernel(), background, counts, 2); }
  DeconvolutionSpec spec(Edges edges, Index iterations) const {
    DeconvolutionSpec spec;
    spec.image = image;
    spec.psf = psf;
    spec.edges = edges;
    spec.iterations = iterations;
    spec.background = background;
    return spec;
  }
};

struct Outcome {
  std::vector<double> image;
  DeconvolutionReport report;

  double largest() const { return *std::max_element(image.begin(), image.end()); }
  double smallest() const { return *std::min_element(image.begin(), image.end()); }
};

template <class Real>
Outcome restore_as(const DeconvolutionSpec& spec, const Volume& data, const Volume& psf, bool curve,
                   const std::optional<std::vector<std::uint8_t>>& mask, const PlanOptions& plan) {
  const std::vector<Real> voxels(data.values.begin(), data.values.end());
  const std::vector<Real> weights(psf.values.begin(), psf.values.end());
  DeconvolverOptions options;
  options.curve = curve;
  options.sentinels = true;
  options.plan = plan;
  Deconvolver deconvolver(spec, ImageView(weights, spec.psf), device_under_test(), options);
  std::vector<Real> output(voxels.size(), static_cast<Real>(kNan));
  std::optional<ImageView> mask_view;
  if (mask) mask_view = ImageView(*mask, spec.image);
  Outcome outcome;
  outcome.report = deconvolver.run(ImageView(voxels, spec.image), MutableImageView(output, spec.image), mask_view);
  outcome.image.assign(output.begin(), output.end());
  return outcome;
}

inline Outcome restore(const DeconvolutionSpec& spec, const Volume& data, const Volume& psf, bool curve = false,
                       const std::optional<std::vector<std::uint8_t>>& mask = {}, const PlanOptions& plan = {}) {
  return spec.precision == Precision::f32 ? restore_as<float>(spec, data, psf, curve, mask, plan)
                                          : restore_as<double>(spec, data, psf, curve, mask, plan);
}

inline std::vector<float> to_f32(const Volume& volume) { return {volume.values.begin(), volume.values.end()}; }

inline double difference(const Outcome& outcome, const plain::Result& truth) {
  return oracle::relative_l2(outcome.image, truth.image.values);
}

inline const std::vector<Problem>& problems() {
  static const std::vector<Problem> few{{}};
  static const std::vector<Problem> many{{},
                                         {{8, 9, 12}, {4, 3, 4}},
                                         {{6, 11, 9}, {1, 5, 2}, 12.5},
                                         {{1, 17, 20}, {1, 4, 5}},
                                         {{1, 1, 40}, {1, 1, 6}, 3},
                                         {{4, 5, 6}, {9, 6, 14}}};
  return plans_are_costly() ? few : many;
}

inline const std::vector<Edges> kEdges{Edges::noncirculant, Edges::zero, Edges::reflect};

}  // namespace restoring
