// Richardson-Lucy and its kin as they are written in books: double precision, direct sums, one voxel after the other.
// What the library must agree with; made to be read.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

#include "convoy/convoy.hpp"

namespace plain {

using convoy::Index;
using convoy::Shape;

struct Volume {
  Shape shape;
  std::vector<double> values;

  explicit Volume(const Shape& of, double value = 0)
      : shape(of), values(static_cast<std::size_t>(num_voxels(of)), value) {}
  double& at(Index z, Index y, Index x) { return values[static_cast<std::size_t>((z * shape.y + y) * shape.x + x)]; }
  double at(Index z, Index y, Index x) const {
    return values[static_cast<std::size_t>((z * shape.y + y) * shape.x + x)];
  }
  double sum() const {
    double total = 0;
    for (const double value : values) total += value;
    return total;
  }
};

template <class Body>
void for_each(const Shape& shape, const Body& body) {
  for (Index z = 0; z < shape.z; ++z)
    for (Index y = 0; y < shape.y; ++y)
      for (Index x = 0; x < shape.x; ++x) body(z, y, x);
}

/// The blur of an unknown that reaches `before` voxels beyond the image on the low sides. `center` is the PSF voxel on
/// which a point source stays.
class Blur {
 public:
  Blur(const Volume& psf, const Shape& image, const Shape& unknown, const Shape& before, const Shape& center)
      : psf_(psf), image_(image), unknown_(unknown), before_(before), center_(center) {}

  Volume apply(const Volume& unknown) const {
    Volume image(image_);
    for_each_pair([&](double weight, Index i, Index u) { image.values[at(i)] += weight * unknown.values[at(u)]; });
    return image;
  }
  Volume adjoint(const Volume& image) const {
    Volume unknown(unknown_);
    for_each_pair([&](double weight, Index i, Index u) { unknown.values[at(u)] += weight * image.values[at(i)]; });
    return unknown;
  }

 private:
  static std::size_t at(Index i) { return static_cast<std::size_t>(i); }

  /// Calls pair(psf weight, image voxel, unknown voxel) for every pair that light connects.
  template <class Pair>
  void for_each_pair(const Pair& pair) const {
    for_each(image_, [&](Index z, Index y, Index x) {
      for_each(psf_.shape, [&](Index c, Index b, Index a) {
        const Index uz = z + before_.z - c + center_.z;
        const Index uy = y + before_.y - b + center_.y;
        const Index ux = x + before_.x - a + center_.x;
        if (uz < 0 || uy < 0 || ux < 0 || uz >= unknown_.z || uy >= unknown_.y || ux >= unknown_.x) return;
        pair(psf_.at(c, b, a), (z * image_.y + y) * image_.x + x, (uz * unknown_.y + uy) * unknown_.x + ux);
      });
    });
  }

  const Volume& psf_;
  Shape image_, unknown_, before_, center_;
};

inline Shape center_of(const Shape& psf) { return {psf.z / 2, psf.y / 2, psf.x / 2}; }

/// What the iterations of one problem share.
struct Model {
  Blur blur;
  Volume known;    ///< 1 where there is a datum
  Volume weights;  ///< the adjoint of known
  double mean = 0;
};

/// Edges zero or noncirculant; the whole unknown after so many iterations, and the part that lies on the image.
struct Result {
  Volume unknown;
  Volume image;
  std::vector<double> divergence;  ///< of the start and every iteration
};

/// 1 - lambda div(grad e / |grad e|) at one voxel: forward differences, backward divergence.
inline double tv_damping(const Volume& e, Index z, Index y, Index x, double softness,
                         const convoy::DeconvolutionSpec& spec) {
  const double smallest = *std::min_element(spec.voxel_size.begin(), spec.voxel_size.end());
  const double hz = spec.voxel_size[0] / smallest, hy = spec.voxel_size[1] / smallest,
               hx = spec.voxel_size[2] / smallest;
  struct Flow {
    double z = 0, y = 0, x = 0;
  };
  const auto flow = [&](Index c, Index b, Index a) -> Flow {
    if (c < 0 || b < 0 || a < 0) return {};
    const double here = e.at(c, b, a);
    const double dz = c + 1 < e.shape.z ? (e.at(c + 1, b, a) - here) / hz : 0;
    const double dy = b + 1 < e.shape.y ? (e.at(c, b + 1, a) - here) / hy : 0;
    const double dx = a + 1 < e.shape.x ? (e.at(c, b, a + 1) - here) / hx : 0;
    const double steepness = std::sqrt(dz * dz + dy * dy + dx * dx + softness * softness);
    return {dz / steepness, dy / steepness, dx / steepness};
  };
  const Flow here = flow(z, y, x);
  const double divergence =
      (here.z - flow(z - 1, y, x).z) / hz + (here.y - flow(z, y - 1, x).y) / hy + (here.x - flow(z, y, x - 1).x) / hx;
  return std::max(0.1, 1 - spec.tv * divergence);
}

/// A sample of each datum's noise: its fourth difference along x over sqrt(70), with the sign that its place has.
inline Volume noise_of(const Volume& data) {
  Volume noise(data.shape);
  if (data.shape.x < 5) return noise;
  Index place = 0;
  for_each(data.shape, [&](Index z, Index y, Index x) {
    auto bits = static_cast<std::uint64_t>(place++) + 0x9e3779b97f4a7c15U;
    bits = (bits ^ (bits >> 33U)) * 0xff51afd7ed558ccdU;
    bits = (bits ^ (bits >> 33U)) * 0xc4ceb9fe1a85ec53U;
    const bool negative = ((bits ^ (bits >> 33U)) & 1U) != 0;
    const Index c = std::clamp<Index>(x, 2, data.shape.x - 3);
    const double difference = data.at(z, y, c - 2) - 4 * data.at(z, y, c - 1) + 6 * data.at(z, y, c) -
                              4 * data.at(z, y, c + 1) + data.at(z, y, c + 2);
    noise.at(z, y, x) = (negative ? -1 : 1) * difference / std::sqrt(70.0);
  });
  return noise;
}

/// Where both halves of the data agree which way to go, as far as gradients are smooth: above 0.
inline Volume consensus_of(const Model& model, const Volume& data, const Volume& blurred, const Volume& correction,
                           double background) {
  Volume ratio = noise_of(data);
  for (std::size_t i = 0; i < ratio.values.size(); ++i) {
    ratio.values[i] /= std::max(blurred.values[i] + background, 1e-6 * model.mean);
  }
  Volume agreement = model.blur.adjoint(ratio);
  for (std::size_t u = 0; u < agreement.values.size(); ++u) {
    const double weight = model.weights.values[u];
    const double change = correction.values[u] / weight - 1, noise = agreement.values[u] / weight;
    agreement.values[u] = weight > 0.01 ? change * change - noise * noise : 0;
  }
  return model.blur.adjoint(model.blur.apply(agreement));
}

/// One step of Richardson-Lucy or Landweber from an estimate; adds the estimate's divergence to the list.
inline Volume next_estimate(const Model& model, const Volume& data, const Volume& estimate,
                            const convoy::DeconvolutionSpec& spec, std::vector<double>& divergences) {
  const bool landweber = spec.algorithm == convoy::Algorithm::landweber;
  const Volume blurred = model.blur.apply(estimate);
  Volume ratio(data.shape);
  double divergence = 0;
  for (std::size_t i = 0; i < ratio.values.size(); ++i) {
    if (model.known.values[i] == 0) continue;
    const double d = std::max(data.values[i], 0.0);
    const double b = std::max(blurred.values[i] + spec.background, 1e-6 * model.mean);
    ratio.values[i] = landweber ? d - blurred.values[i] - spec.background : d / b;
    divergence += b - d + (d > 0 ? d * std::log(d / b) : 0);
  }
  divergences.push_back(divergence);
  const Volume correction = model.blur.adjoint(ratio);
  std::optional<Volume> consensus;
  if (spec.stop == convoy::Stop::gradient_consensus) {
    consensus = consensus_of(model, data, blurred, correction, spec.background);
  }
  Volume next(estimate.shape);
  for_each(estimate.shape, [&](Index z, Index y, Index x) {
    const double weight = model.weights.at(z, y, x);
    if (weight <= 0.01) return;
    const double before = estimate.at(z, y, x);
    if (landweber) {
      const double stepped = before + spec.relaxation * correction.at(z, y, x);
      next.at(z, y, x) = spec.clip ? std::max(0.0, stepped) : stepped;
      return;
    }
    if (consensus && consensus->at(z, y, x) <= 0) {
      next.at(z, y, x) = before;
      return;
    }
    next.at(z, y, x) = before * correction.at(z, y, x) / weight;
    if (spec.tv > 0) next.at(z, y, x) /= tv_damping(estimate, z, y, x, 1e-3 * model.mean, spec);
  });
  return next;
}

/// Between p and what it was: a step further the same way, that never reaches 0.
inline double ahead_of(double p, double before, double factor) {
  const double fall = factor * (before - p);
  if (fall <= 0) return p - fall;
  return p > 0 ? p * p / (p + fall) : 0;
}

/// The estimate that the next step shall start from: by Biggs and Andrews, or by momentum of set length.
class Extrapolation {
 public:
  Extrapolation(const Volume& start, convoy::Acceleration kind)
      : kind_(kind), previous_(start), gradient_(start.shape) {}

  Volume operator()(const Volume& from, const Volume& next) {
    if (kind_ == convoy::Acceleration::none) return next;
    ++iteration_;
    double ahead = 0, behind = 0, uphill = 0;
    Volume gradient(next.shape);
    for (std::size_t i = 0; i < next.values.size(); ++i) {
      gradient.values[i] = next.values[i] - from.values[i];
      ahead += gradient.values[i] * gradient_.values[i];
      behind += gradient_.values[i] * gradient_.values[i];
      uphill += gradient.values[i] * (next.values[i] - previous_.values[i]);
    }
    double factor = behind > 0 && uphill > 0 ? std::clamp(ahead / behind, 0.0, 1.0) : 0;
    if (kind_ == convoy::Acceleration::momentum) factor = std::min(0.9, 1 - 1.0 / iteration_);
    Volume extrapolated(next.shape);
    for (std::size_t i = 0; i < next.values.size(); ++i) {
      const bool stands = next.values[i] == from.values[i];  // without consensus
      extrapolated.values[i] = stands ? next.values[i] : ahead_of(next.values[i], previous_.values[i], factor);
    }
    previous_ = next;
    gradient_ = gradient;
    return extrapolated;
  }

 private:
  convoy::Acceleration kind_;
  int iteration_ = 0;
  Volume previous_;
  Volume gradient_;
};

/// 1 - variance of the noise over that of the data, by fourth differences of known data along x.
inline double signal_share(const Volume& data, const Model& model) {
  double squares = 0, count = 0, differences = 0, num_differences = 0;
  for_each(data.shape, [&](Index z, Index y, Index x) {
    if (model.known.at(z, y, x) == 0) return;
    squares += std::pow(std::max(data.at(z, y, x), 0.0), 2);
    ++count;
    if (x < 4) return;
    constexpr std::array<double, 5> kWeights{1, -4, 6, -4, 1};
    double difference = 0;
    for (Index i = 0; i < 5; ++i) {
      if (model.known.at(z, y, x - i) == 0) return;
      difference += kWeights[static_cast<std::size_t>(i)] * data.at(z, y, x - i);
    }
    differences += difference * difference;
    ++num_differences;
  });
  const double variance = squares / count - model.mean * model.mean;
  if (num_differences == 0 || !(variance > 0)) return 1;
  return std::clamp(1 - differences / 70 / num_differences / variance, 0.0, 1.0);
}

inline Result restore(const Volume& data, Volume psf, const convoy::DeconvolutionSpec& spec,
                      const std::vector<bool>& missing = {}) {
  const double psf_sum = psf.sum();
  for (double& value : psf.values) value /= psf_sum;
  const bool wide = spec.edges == convoy::Edges::noncirculant;
  const Shape& n = data.shape;
  const Shape& k = psf.shape;
  const Shape center = center_of(k);
  const Shape unknown = wide ? Shape{n.z + k.z - 1, n.y + k.y - 1, n.x + k.x - 1} : n;
  const Shape before = wide ? Shape{k.z - 1 - center.z, k.y - 1 - center.y, k.x - 1 - center.x} : Shape{0, 0, 0};

  Model model{Blur(psf, n, unknown, before, center), Volume(n, 1), Volume(unknown)};
  double sum = 0, count = 0;
  for (std::size_t i = 0; i < data.values.size(); ++i) {
    if (!missing.empty() && missing[i]) model.known.values[i] = 0;
    sum += model.known.values[i] * std::max(data.values[i], 0.0);
    count += model.known.values[i];
  }
  model.mean = sum / count;
  model.weights = model.blur.adjoint(model.known);
  Volume estimate(unknown, spec.start == convoy::Start::value ? spec.start_value : model.mean - spec.background);
  if (spec.start == convoy::Start::image || spec.start == convoy::Start::automatic) {
    const double share = spec.start == convoy::Start::image ? 1 : signal_share(data, model);
    for_each(n, [&](Index z, Index y, Index x) {
      if (model.known.at(z, y, x) == 0) return;
      const double seen = std::max(data.at(z, y, x), 0.0) - spec.background;
      const double mixed = share * seen + (1 - share) * (model.mean - spec.background);
      const double start = std::max(mixed, 0.01 * model.mean);
      estimate.at(z + before.z, y + before.y, x + before.x) = start;
    });
  }
  for (std::size_t u = 0; u < estimate.values.size(); ++u) {
    if (model.weights.values[u] <= 0.01) estimate.values[u] = 0;
  }

  std::vector<double> divergences;
  const bool none =
      spec.acceleration == convoy::Acceleration::automatic && spec.algorithm != convoy::Algorithm::richardson_lucy;
  const bool momentum = spec.acceleration == convoy::Acceleration::automatic && !none;
  Extrapolation extrapolate(estimate, none       ? convoy::Acceleration::none
                                      : momentum ? convoy::Acceleration::momentum
                                                 : spec.acceleration);
  Volume from = estimate;
  for (Index iteration = 0; iteration < spec.iterations; ++iteration) {
    estimate = next_estimate(model, data, from, spec, divergences);
    from = extrapolate(from, estimate);
  }
  next_estimate(model, data, from, spec, divergences);

  Volume image(n);
  for_each(
      n, [&](Index z, Index y, Index x) { image.at(z, y, x) = estimate.at(z + before.z, y + before.y, x + before.x); });
  return {estimate, image, divergences};
}

/// A few bright things, some of them cut by edges, on a faint ramp: what images are made of.
inline Volume scene(const Shape& shape, unsigned seed) {
  Volume volume(shape);
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> bright(50, 200);
  for_each(shape, [&](Index z, Index y, Index x) {
    volume.at(z, y, x) = 5 + 0.2 * static_cast<double>(z + y + x);
    if (random() % 29 == 0) volume.at(z, y, x) += bright(random);
  });
  volume.at(0, 0, 0) = 300;
  volume.at(shape.z - 1, shape.y - 1, shape.x - 1) = 250;
  return volume;
}

/// A lopsided blob that is positive everywhere, of sum 1, with its centre of mass off the middle.
inline Volume lopsided_psf(const Shape& shape) {
  Volume psf(shape);
  const Shape c = center_of(shape);
  for_each(shape, [&](Index z, Index y, Index x) {
    const auto squared = [](Index at, Index middle, double width) {
      const double distance = static_cast<double>(at - middle) / width;
      return distance * distance;
    };
    const double tilt = 1 + 0.1 * static_cast<double>(z) + 0.2 * static_cast<double>(y) + 0.3 * static_cast<double>(x);
    psf.at(z, y, x) = tilt * std::exp(-0.5 * (squared(z, c.z, 1.0) + squared(y, c.y, 1.3) + squared(x, c.x, 1.1)));
  });
  const double sum = psf.sum();
  for (double& value : psf.values) value /= sum;
  return psf;
}

/// What a camera would see of a scene that goes on beyond the image, blurred, with a background and, if `counts`,
/// Poisson noise.
inline Volume observe(const Volume& truth, const Volume& psf, double background, bool counts, unsigned seed) {
  const Blur blur(psf, truth.shape, truth.shape, {0, 0, 0}, center_of(psf.shape));
  Volume seen = blur.apply(truth);
  std::mt19937 random(seed);
  for (double& value : seen.values) {
    value += background;
    if (counts) value = static_cast<double>(std::poisson_distribution<int>(value)(random));
  }
  return seen;
}

}  // namespace plain
