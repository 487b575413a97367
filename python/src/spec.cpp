#include "spec.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <initializer_list>
#include <optional>
#include <utility>

#include "arrays.hpp"

namespace convoy::python {
namespace {

template <class T>
T get(const nb::dict& options, const char* key) {
  return nb::cast<T>(options[key]);
}

const char* word(Precision value) { return value == Precision::f64 ? "float64" : "float32"; }
template <class T>
const char* word(T value) {
  return name(value);
}

/// The one of `values` whose word the option is.
template <class T>
T choice(const nb::dict& options, const char* key, std::initializer_list<T> values) {
  const auto text = get<std::string>(options, key);
  std::string known;
  for (const T value : values) {
    if (text == word(value)) return value;
    known += std::string(known.empty() ? "'" : ", '") + word(value) + "'";
  }
  throw nb::value_error((std::string(key) + " is '" + text + "', which is none of " + known).c_str());
}

Shape shape_of(const nb::dict& options, const char* key) {
  const auto extents = get<std::vector<Index>>(options, key);
  return {extents.at(0), extents.at(1), extents.at(2)};
}

Origin origin_of(const nb::dict& options) {
  if (!nb::isinstance<nb::str>(options["origin"])) return Origin::at(shape_of(options, "origin"));
  return {
      choice(options, "origin", {Origin::Rule::center, Origin::Rule::scipy, Origin::Rule::first, Origin::Rule::peak}),
      {0, 0, 0}};
}

std::optional<Box> region_of(const nb::dict& options) {
  if (options["region"].is_none()) return {};
  const auto axes = get<std::vector<std::pair<Index, Index>>>(options, "region");
  Box box;
  for (int axis = 0; axis < 3; ++axis) {
    const auto& [begin, end] = axes.at(static_cast<std::size_t>(axis));
    box.begin[axis] = begin;
    box.size[axis] = end - begin;
  }
  return box;
}

NonFinite non_finite_of(const nb::dict& options) {
  return choice(options, "nan", {NonFinite::error, NonFinite::zero, NonFinite::interpolate});
}
Precision precision_of(const nb::dict& options) {
  return choice(options, "precision", {Precision::f32, Precision::f64});
}

}  // namespace

ConvolutionSpec convolution_spec(const nb::dict& options) {
  ConvolutionSpec spec;
  spec.image = shape_of(options, "image");
  spec.kernel = shape_of(options, "kernel");
  spec.mode = choice(options, "mode", {Mode::full, Mode::same, Mode::valid, Mode::circular});
  spec.boundary = choice(
      options, "boundary",
      {Boundary::zero, Boundary::constant, Boundary::reflect, Boundary::nearest, Boundary::wrap, Boundary::mirror});
  spec.constant = get<double>(options, "cval");
  spec.origin = origin_of(options);
  spec.operation = choice(options, "operation", {Operation::convolve, Operation::correlate, Operation::flip});
  spec.precision = precision_of(options);
  spec.normalize_kernel = get<bool>(options, "normalize");
  spec.non_finite = non_finite_of(options);
  spec.preserve_nan = get<bool>(options, "preserve_nan");
  spec.no_data = get<std::optional<double>>(options, "no_data");
  spec.region = region_of(options);
  spec.batch = get<Index>(options, "batch");
  spec.num_kernels = get<Index>(options, "num_kernels");
  spec.pairing = choice(options, "pairing", {Pairing::all, Pairing::each, Pairing::sum});
  return spec;
}

DeconvolutionSpec deconvolution_spec(const nb::dict& options) {
  DeconvolutionSpec spec;
  spec.image = shape_of(options, "image");
  spec.psf = shape_of(options, "kernel");
  spec.num_psfs = get<Index>(options, "num_kernels");
  spec.algorithm = choice(options, "algorithm", {Algorithm::richardson_lucy, Algorithm::wiener, Algorithm::landweber});
  spec.iterations = get<Index>(options, "iterations");
  spec.acceleration =
      choice(options, "acceleration",
             {Acceleration::automatic, Acceleration::none, Acceleration::biggs, Acceleration::momentum});
  spec.edges = choice(options, "edges", {Edges::noncirculant, Edges::zero, Edges::reflect});
  spec.start = choice(options, "start", {Start::automatic, Start::image, Start::flat, Start::value});
  spec.start_value = get<double>(options, "start_value");
  spec.background = get<double>(options, "background");
  spec.estimate_background = get<bool>(options, "estimate_background");
  spec.tv = get<double>(options, "tv");
  spec.damping = get<double>(options, "damping");
  spec.relaxation = get<double>(options, "relaxation");
  spec.clip = get<bool>(options, "clip");
  const auto voxel = get<std::vector<double>>(options, "voxel_size");
  spec.voxel_size = {voxel.at(0), voxel.at(1), voxel.at(2)};
  spec.wiener_noise = get<double>(options, "noise");
  spec.stop_relative_change = get<double>(options, "stop_relative_change");
  spec.stop = choice(options, "stop", {Stop::none, Stop::gradient_consensus, Stop::discrepancy});
  spec.origin = origin_of(options);
  spec.precision = precision_of(options);
  spec.normalize_psf = get<bool>(options, "normalize");
  spec.psf_negative = choice(options, "psf_negative", {NegativePsf::error, NegativePsf::clip});
  spec.non_finite = non_finite_of(options);
  spec.saturation = get<double>(options, "saturation");
  spec.compatibility = choice(options, "compat", {Compatibility::none, Compatibility::skimage});
  spec.tiles = choice(options, "tiles", {Tiles::exact, Tiles::fast});
  spec.halo = get<double>(options, "halo");
  return spec;
}

PlanOptions plan_options(const nb::dict& options) {
  PlanOptions result;
  result.memory_limit_bytes = get<std::uint64_t>(options, "memory_limit");
  result.host_memory_limit_bytes = get<std::uint64_t>(options, "host_memory_limit");
  result.method = method_from_text(get<std::string>(options, "method"));
  result.path = path_from_text(get<std::string>(options, "path"));
  result.tune = choice(options, "tune", {Tune::off, Tune::model, Tune::measure});
  result.deterministic = get<bool>(options, "deterministic");
  result.scratch = get<std::string>(options, "scratch");
  result.min_tiles = get<Index>(options, "min_tiles");
  if (options.contains("streaming")) {
    const auto how = get<nb::dict>(options, "streaming");
    result.streaming = {.read = element_from_name(get<std::string>(how, "read")),
                        .write = element_from_name(get<std::string>(how, "write")),
                        .read_chunk = shape_of(how, "read_chunk"),
                        .write_chunk = shape_of(how, "write_chunk"),
                        .num_groups = get<Index>(how, "num_groups")};
  }
  return result;
}

std::vector<Device> open_devices(const std::vector<std::string>& ids) {
  std::vector<Device> devices;
  for (const std::string& id : ids) devices.push_back(open_device(id));
  return devices;
}

nb::dict defaults() {
  const ConvolutionSpec convolution;
  const DeconvolutionSpec deconvolution;
  const PlanOptions plan;
  nb::dict c, d, p;
  c["mode"] = word(convolution.mode);
  c["boundary"] = word(convolution.boundary);
  c["cval"] = convolution.constant;
  c["origin"] = word(convolution.origin.rule);
  c["operation"] = word(convolution.operation);
  c["normalize"] = convolution.normalize_kernel;
  c["nan"] = word(convolution.non_finite);
  c["preserve_nan"] = convolution.preserve_nan;
  c["no_data"] = convolution.no_data;
  d["algorithm"] = word(deconvolution.algorithm);
  d["acceleration"] = word(deconvolution.acceleration);
  d["edges"] = word(deconvolution.edges);
  d["start"] = word(deconvolution.start);
  d["background"] = deconvolution.background;
  d["tv"] = deconvolution.tv;
  d["damping"] = deconvolution.damping;
  d["relaxation"] = deconvolution.relaxation;
  d["clip"] = deconvolution.clip;
  d["noise"] = deconvolution.wiener_noise;
  d["stop"] = word(deconvolution.stop);
  d["origin"] = word(deconvolution.origin.rule);
  d["normalize"] = deconvolution.normalize_psf;
  d["psf_negative"] = word(deconvolution.psf_negative);
  d["nan"] = word(deconvolution.non_finite);
  d["saturation"] = deconvolution.saturation;
  d["compat"] = word(deconvolution.compatibility);
  d["tiles"] = word(deconvolution.tiles);
  d["halo"] = deconvolution.halo;
  p["method"] = word(plan.method);
  p["tune"] = word(plan.tune);
  p["deterministic"] = plan.deterministic;
  nb::dict all;
  all["convolution"] = c;
  all["deconvolution"] = d;
  all["plan"] = p;
  return all;
}

nb::tuple to_tuple(const Shape& shape) { return nb::make_tuple(shape.z, shape.y, shape.x); }

namespace {

nb::list to_list(const std::vector<DeviceShare>& shares) {
  nb::list devices;
  for (const DeviceShare& share : shares) {
    nb::dict device;
    device["id"] = share.id;
    device["num_tiles"] = share.num_tiles;
    device["failure"] = share.failure;
    devices.append(device);
  }
  return devices;
}

}  // namespace

nb::list to_list(const Box& box) {
  nb::list axes;
  for (int axis = 0; axis < 3; ++axis) axes.append(nb::make_tuple(box.begin[axis], box.begin[axis] + box.size[axis]));
  return axes;
}

nb::dict to_dict(const RunReport& report) {
  nb::dict result;
  result["elapsed_seconds"] = report.elapsed_seconds;
  result["num_tiles"] = report.num_tiles;
  result["peak_device_bytes"] = report.peak_device_bytes;
  result["kernel_factor"] = report.kernel_factor;
  result["non_finite_voxels"] = report.non_finite_voxels;
  result["nan_voxels"] = report.nan_voxels;
  result["no_data_voxels"] = report.no_data_voxels;
  result["inexact_voxels"] = report.inexact_voxels;
  result["saturated_voxels"] = report.saturated_voxels;
  result["devices"] = to_list(report.devices);
  return result;
}

nb::dict to_dict(const DeconvolutionReport& report) {
  nb::dict result;
  result["iterations"] = report.iterations;
  result["stop_reason"] = name(report.stop_reason);
  result["elapsed_seconds"] = report.elapsed_seconds;
  result["peak_device_bytes"] = report.peak_device_bytes;
  result["missing_voxels"] = report.missing_voxels;
  result["non_finite_voxels"] = report.non_finite_voxels;
  result["saturated_input_voxels"] = report.saturated_input_voxels;
  result["negative_voxels"] = report.negative_voxels;
  result["saturated_voxels"] = report.saturated_voxels;
  result["background"] = report.background;
  result["dim_level"] = report.dim_level;
  result["input_sum"] = report.input_sum;
  result["output_sum"] = report.output_sum;
  result["psf_factor"] = report.psf.factor;
  result["psf_negative_voxels"] = report.psf.negative_voxels;
  result["psf_pedestal_part"] = report.psf.pedestal_part;
  nb::list curve;
  for (const IterationSums& sums : report.curve) {
    nb::dict line;
    line["iteration"] = sums.iteration;
    line["divergence"] = sums.divergence;
    line["modelled_flux"] = sums.modelled_flux;
    line["relative_change"] = sums.relative_change;
    curve.append(line);
  }
  result["curve"] = curve;
  result["iterating_seconds"] = report.iterating_seconds;
  result["negative_sum"] = report.negative_sum;
  result["skipped_tiles"] = report.skipped_tiles;
  result["seam_voxels"] = report.seam.voxels;
  result["seam_relative_l2"] = report.seam.relative_l2;
  result["seam_largest_difference"] = report.seam.largest_difference;
  result["devices"] = to_list(report.devices);
  return result;
}

}  // namespace convoy::python
