#include "deconvolution.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

#include "convoy/convoy.hpp"
#include "report.hpp"
#include "selftest/oracle.hpp"
#include "tests/support/plain_deconvolution.hpp"
#include "times.hpp"

namespace convoy::bench {
namespace {

using Json = nlohmann::ordered_json;

/// Of 10 iterations in float32 from plain double precision.
constexpr double kTolerance = 1e-4;
constexpr Index kCheckedIterations = 10;
constexpr double kFluxTolerance = 1e-4;

/// A lit scene: positive, uneven, of equal seeds.
std::vector<float> make_scene(const Shape& shape) {
  std::vector<float> voxels(static_cast<std::size_t>(num_voxels(shape)));
  std::mt19937 random(11);
  for (float& voxel : voxels) voxel = static_cast<float>(random() % 1000) + (random() % 997 == 0 ? 20000.0f : 10.0f);
  return voxels;
}

std::vector<float> make_psf(const Shape& shape) {
  std::vector<float> voxels(static_cast<std::size_t>(num_voxels(shape)));
  const auto sigma = [](Index k) { return k > 1 ? static_cast<double>(k) / 10 : 0.0; };
  fill_gaussian_psf(MutableImageView(voxels, shape), {sigma(shape.z), sigma(shape.y), sigma(shape.x)});
  return voxels;
}

/// The case made so small that direct sums in double precision take a moment.
BenchCase small_enough_for_sums(const BenchCase& whole) {
  BenchCase small = whole;
  for (int axis = 0; axis < 3; ++axis) {
    const Index k = whole.kernel[axis];
    small.image[axis] = std::min<Index>(whole.image[axis], 16 + axis);
    small.kernel[axis] = std::min<Index>(k, k % 2 == 0 ? 8 : 7);
  }
  return small;
}

plain::Volume to_volume(const std::vector<float>& voxels, const Shape& shape) {
  plain::Volume volume(shape);
  volume.values.assign(voxels.begin(), voxels.end());
  return volume;
}

struct Method {
  Edges edges;
  Acceleration acceleration;
};

class DeconvolutionCase {
 public:
  DeconvolutionCase(const BenchCase& which, const Method& method, const Options& options, Device device)
      : which_(which), options_(options), device_(std::move(device)), psf_(make_psf(which.kernel)) {
    spec_.image = which.image;
    spec_.psf = which.kernel;
    spec_.edges = method.edges;
    spec_.acceleration = method.acceleration;
    deconvolver_options_.plan.memory_limit_bytes = options.memory_limit_bytes;
    scene_ = make_scene(which.image);
    output_.resize(scene_.size());
  }

  Json run() {
    Json json = describe();
    try {
      check_against_sums(json);
      check_and_account(json);
      const bool passed = !json.contains("failure");
      json["passed"] = passed;
      if (passed && !options_.check_only) time(json);
    } catch (const Error& problem) {
      json["passed"] = false;
      json["failure"] = problem.what();
    }
    return json;
  }

 private:
  Json describe() const {
    const DeviceInfo& device = device_.info();
    return {{"case", which_.name},
            {"scale", which_.scale},
            {"image_zyx", zyx(which_.image)},
            {"kernel_zyx", zyx(which_.kernel)},
            {"mode", "deconvolution"},
            {"edges", name(spec_.edges)},
            {"acceleration", name(spec_.acceleration)},
            {"precision", "f32"},
            {"implementation", "convoy"},
            {"backend", device.id.substr(0, device.id.find(':'))},
            {"device_id", device.id},
            {"device", device.name},
            {"driver", device.driver}};
  }

  /// A small case of the same parities, against the definition; the definition has no reflected edges.
  void check_against_sums(Json& json) const {
    if (spec_.edges == Edges::reflect) return;
    const BenchCase small = small_enough_for_sums(which_);
    DeconvolutionSpec spec = spec_;
    spec.image = small.image;
    spec.psf = small.kernel;
    spec.iterations = kCheckedIterations;
    const std::vector<float> scene = make_scene(spec.image);
    const std::vector<float> psf = make_psf(spec.psf);
    std::vector<float> output(scene.size(), std::numeric_limits<float>::quiet_NaN());
    Deconvolver(spec, ImageView(psf, spec.psf), device_)
        .run(ImageView(scene, spec.image), MutableImageView(output, spec.image));
    const plain::Result truth = plain::restore(to_volume(scene, spec.image), to_volume(psf, spec.psf), spec);
    const double error = oracle::relative_l2(output, truth.image.values);
    json["error_relative_l2"] = error;
    json["tolerance_relative_l2"] = kTolerance;
    json["num_voxels_checked"] = output.size();
    if (!(error <= kTolerance))
      json["failure"] = fmt::format("{} iterations are off by {:.2g}", spec.iterations, error);
  }

  /// The case itself: flux and likelihood are kept over a few iterations. And what it holds meanwhile.
  void check_and_account(Json& json) {
    DeconvolutionSpec few = spec_;
    few.iterations = 4;
    DeconvolverOptions options = deconvolver_options_;
    options.curve = true;
    const std::uint64_t free_before = device_.limits().free_bytes;
    Deconvolver deconvolver(few, ImageView(psf_, spec_.psf), device_, options);
    const DeconvolutionReport report = run(deconvolver);
    const std::uint64_t free_after = device_.limits().free_bytes;
    put(json, deconvolver.plan(), report);
    if (device_.info().type != DeviceType::cpu && free_before > free_after) {
      json["driver_device_bytes"] = free_before - free_after;
    }
    const std::string failure = broken_promise(report);
    if (!failure.empty()) json["failure"] = failure;
  }

  static void put(Json& json, const DeconvolutionPlan& plan, const DeconvolutionReport& report) {
    const auto peak = static_cast<double>(report.peak_device_bytes);
    json["path"] = name(plan.convolution.path);
    json["num_tiles"] = plan.convolution.num_tiles();
    json["frame_zyx"] = zyx(plan.frame());
    json["padded_zyx"] = zyx(plan.convolution.padded());
    json["footprint_bytes"] = plan.footprint_bytes;
    json["peak_device_bytes"] = report.peak_device_bytes;
    json["peak_over_footprint"] = peak / static_cast<double>(plan.footprint_bytes);
    json["traffic_bytes"] = plan.traffic_bytes;
  }

  /// Empty if there is none. With reflected edges, flux is kept on the padded image: there it must stay what it was.
  std::string broken_promise(const DeconvolutionReport& report) const {
    if (spec_.acceleration != Acceleration::none) return {};
    const bool reflect = spec_.edges == Edges::reflect;
    const double expected_flux = reflect ? report.curve[1].modelled_flux : report.input_sum;
    for (std::size_t i = 1; i < report.curve.size(); ++i) {
      const IterationSums& sums = report.curve[i];
      const double flux_error = std::abs(sums.modelled_flux / expected_flux - 1);
      if (!(flux_error <= kFluxTolerance)) return fmt::format("flux is off by {:.2g}", flux_error);
      if (!(sums.divergence < report.curve[i - 1].divergence)) {
        return fmt::format("iteration {} raised the divergence to {:.6g}", i, sums.divergence);
      }
    }
    return {};
  }

  DeconvolutionReport run(Deconvolver& deconvolver) {
    return deconvolver.run(ImageView(scene_, spec_.image), MutableImageView(output_, spec_.image));
  }

  void time(Json& json) {
    DeconvolutionSpec many = spec_;
    many.iterations = options_.iterations;
    Deconvolver deconvolver(many, ImageView(psf_, spec_.psf), device_, deconvolver_options_);
    run(deconvolver);  // warms clocks and lazily loaded code
    const double budget_seconds = 10;
    const Times times = time_batches(options_.repeats, budget_seconds, static_cast<int>(many.iterations),
                                     [&] { return run(deconvolver).iterating_seconds; });
    json["iterations"] = many.iterations;
    json["iteration_seconds"] = {{"min", times.min_seconds},
                                 {"median", times.median_seconds},
                                 {"max", times.max_seconds},
                                 {"batch_size", times.batch_size},
                                 {"num_batches", times.num_batches}};
    json["traffic_bytes_per_second"] = static_cast<double>(deconvolver.plan().traffic_bytes) / times.median_seconds;
  }

  BenchCase which_;
  const Options& options_;
  Device device_;
  DeconvolutionSpec spec_;
  DeconvolverOptions deconvolver_options_;
  std::vector<float> psf_;
  std::vector<float> scene_;
  std::vector<float> output_;
};

std::string milliseconds(const Json& result) {
  if (!result.contains("iteration_seconds")) return "-";
  return fmt::format("{:.3f}", 1e3 * result["iteration_seconds"]["median"].get<double>());
}

void print(const Json& result) {
  const auto error = result.contains("error_relative_l2")
                         ? fmt::format("{:.1e}", result["error_relative_l2"].get<double>())
                         : std::string("-");
  const auto peak = result.contains("peak_device_bytes")
                        ? fmt::format("{:.1f}", 1e-6 * result["peak_device_bytes"].get<double>())
                        : std::string("-");
  fmt::print("{:<16}{:<14}{:<14}{:<10}{:>9}{:>14}{:>10}  {}\n", result["case"].get<std::string>(),
             result["edges"].get<std::string>(), result["acceleration"].get<std::string>(),
             result["device_id"].get<std::string>(), error, milliseconds(result), peak, result.value("failure", ""));
  std::fflush(stdout);
}

}  // namespace

bool run_deconvolutions(const Options& options) {
  fmt::print("{:<16}{:<14}{:<14}{:<10}{:>9}{:>14}{:>10}\n", "case", "edges", "acceleration", "on", "error",
             "iteration ms", "peak MB");
  Json document = document_head(options);
  bool all_right = true;
  for (const std::string& backend : options.backends) {
    const Device device = open_device(backend);
    for (const BenchCase& one : options.cases) {
      for (const Edges edges : options.edges) {
        for (const Acceleration acceleration : options.accelerations) {
          Json result = DeconvolutionCase(one, {edges, acceleration}, options, device).run();
          print(result);
          all_right = all_right && result["passed"].get<bool>();
          document["results"].push_back(std::move(result));
          if (!options.json_path.empty()) write_file(options.json_path, document.dump(1) + "\n");
        }
      }
    }
  }
  return all_right;
}

}  // namespace convoy::bench
