#include "c_api/convert.hpp"

namespace convoy::c_api {
namespace {

constexpr Choice<Element> kElementChoices[] = {
    {CONVOY_U8, Element::u8},   {CONVOY_U16, Element::u16},   {CONVOY_F32, Element::f32}, {CONVOY_F64, Element::f64},
    {CONVOY_I8, Element::i8},   {CONVOY_I16, Element::i16},   {CONVOY_U32, Element::u32}, {CONVOY_I32, Element::i32},
    {CONVOY_F16, Element::f16}, {CONVOY_BF16, Element::bf16}, {CONVOY_C64, Element::c64}, {CONVOY_C128, Element::c128}};
constexpr Choice<Precision> kPrecisions[] = {{CONVOY_F32, Precision::f32}, {CONVOY_F64, Precision::f64}};
constexpr Choice<Mode> kModes[] = {{CONVOY_FULL, Mode::full},
                                   {CONVOY_SAME, Mode::same},
                                   {CONVOY_VALID, Mode::valid},
                                   {CONVOY_CIRCULAR, Mode::circular}};
constexpr Choice<Boundary> kBoundaries[] = {
    {CONVOY_BOUNDARY_ZERO, Boundary::zero},       {CONVOY_BOUNDARY_CONSTANT, Boundary::constant},
    {CONVOY_BOUNDARY_REFLECT, Boundary::reflect}, {CONVOY_BOUNDARY_NEAREST, Boundary::nearest},
    {CONVOY_BOUNDARY_WRAP, Boundary::wrap},       {CONVOY_BOUNDARY_MIRROR, Boundary::mirror}};
constexpr Choice<Origin::Rule> kOrigins[] = {{CONVOY_ORIGIN_CENTER, Origin::Rule::center},
                                             {CONVOY_ORIGIN_SCIPY, Origin::Rule::scipy},
                                             {CONVOY_ORIGIN_FIRST, Origin::Rule::first},
                                             {CONVOY_ORIGIN_PEAK, Origin::Rule::peak},
                                             {CONVOY_ORIGIN_AT, Origin::Rule::at}};
constexpr Choice<Operation> kOperations[] = {
    {CONVOY_CONVOLVE, Operation::convolve}, {CONVOY_CORRELATE, Operation::correlate}, {CONVOY_FLIP, Operation::flip}};
constexpr Choice<Pairing> kPairings[] = {
    {CONVOY_PAIRING_ALL, Pairing::all}, {CONVOY_PAIRING_EACH, Pairing::each}, {CONVOY_PAIRING_SUM, Pairing::sum}};
constexpr Choice<NonFinite> kNonFinite[] = {{CONVOY_NON_FINITE_ERROR, NonFinite::error},
                                            {CONVOY_NON_FINITE_ZERO, NonFinite::zero},
                                            {CONVOY_NON_FINITE_INTERPOLATE, NonFinite::interpolate}};
constexpr Choice<Algorithm> kAlgorithms[] = {{CONVOY_RICHARDSON_LUCY, Algorithm::richardson_lucy},
                                             {CONVOY_WIENER, Algorithm::wiener},
                                             {CONVOY_LANDWEBER, Algorithm::landweber}};
constexpr Choice<Acceleration> kAccelerations[] = {{CONVOY_ACCELERATION_AUTO, Acceleration::automatic},
                                                   {CONVOY_ACCELERATION_NONE, Acceleration::none},
                                                   {CONVOY_ACCELERATION_BIGGS, Acceleration::biggs},
                                                   {CONVOY_ACCELERATION_MOMENTUM, Acceleration::momentum}};
constexpr Choice<Edges> kEdges[] = {{CONVOY_EDGES_NONCIRCULANT, Edges::noncirculant},
                                    {CONVOY_EDGES_ZERO, Edges::zero},
                                    {CONVOY_EDGES_REFLECT, Edges::reflect}};
constexpr Choice<Start> kStarts[] = {{CONVOY_START_AUTO, Start::automatic},
                                     {CONVOY_START_IMAGE, Start::image},
                                     {CONVOY_START_FLAT, Start::flat},
                                     {CONVOY_START_VALUE, Start::value}};
constexpr Choice<Compatibility> kCompatibilities[] = {{CONVOY_COMPATIBILITY_NONE, Compatibility::none},
                                                      {CONVOY_COMPATIBILITY_SKIMAGE, Compatibility::skimage}};
constexpr Choice<Stop> kStops[] = {{CONVOY_STOP_NONE, Stop::none},
                                   {CONVOY_STOP_GRADIENT_CONSENSUS, Stop::gradient_consensus},
                                   {CONVOY_STOP_DISCREPANCY, Stop::discrepancy}};
constexpr Choice<Tiles> kTiles[] = {{CONVOY_TILES_EXACT, Tiles::exact}, {CONVOY_TILES_FAST, Tiles::fast}};
constexpr Choice<NegativePsf> kNegativePsf[] = {{CONVOY_NEGATIVE_PSF_ERROR, NegativePsf::error},
                                                {CONVOY_NEGATIVE_PSF_CLIP, NegativePsf::clip}};

Origin origin_from(std::int32_t rule, const std::int64_t (&index)[3]) {
  Origin origin{choose(kOrigins, rule, "origin"), {0, 0, 0}};
  if (origin.rule == Origin::Rule::at) origin.index = shape_from(index);
  return origin;
}

convoy_convolution_spec convolution_defaults() {
  const ConvolutionSpec spec;
  convoy_convolution_spec result{};
  shape_to(spec.image, result.image);
  shape_to(spec.kernel, result.kernel);
  result.mode = number_of(kModes, spec.mode);
  result.boundary = number_of(kBoundaries, spec.boundary);
  result.constant = spec.constant;
  result.origin = number_of(kOrigins, spec.origin.rule);
  result.operation = number_of(kOperations, spec.operation);
  result.precision = number_of(kPrecisions, spec.precision);
  result.normalize_kernel = spec.normalize_kernel ? 1 : 0;
  result.non_finite = number_of(kNonFinite, spec.non_finite);
  result.preserve_nan = spec.preserve_nan ? 1 : 0;
  result.batch = spec.batch;
  result.num_kernels = spec.num_kernels;
  result.pairing = number_of(kPairings, spec.pairing);
  return result;
}

convoy_deconvolution_spec deconvolution_defaults() {
  const DeconvolutionSpec spec;
  convoy_deconvolution_spec result{};
  shape_to(spec.image, result.image);
  shape_to(spec.psf, result.psf);
  result.num_psfs = spec.num_psfs;
  result.iterations = spec.iterations;
  result.algorithm = number_of(kAlgorithms, spec.algorithm);
  result.acceleration = number_of(kAccelerations, spec.acceleration);
  result.edges = number_of(kEdges, spec.edges);
  result.start = number_of(kStarts, spec.start);
  result.start_value = spec.start_value;
  result.background = spec.background;
  result.tv = spec.tv;
  for (std::size_t axis = 0; axis < 3; ++axis) result.voxel_size[axis] = spec.voxel_size[axis];
  result.wiener_noise = spec.wiener_noise;
  result.stop_relative_change = spec.stop_relative_change;
  result.origin = number_of(kOrigins, spec.origin.rule);
  result.precision = number_of(kPrecisions, spec.precision);
  result.normalize_psf = spec.normalize_psf ? 1 : 0;
  result.psf_negative = number_of(kNegativePsf, spec.psf_negative);
  result.non_finite = number_of(kNonFinite, spec.non_finite);
  result.compatibility = number_of(kCompatibilities, spec.compatibility);
  result.saturation = spec.saturation;
  result.tiles = number_of(kTiles, spec.tiles);
  result.halo = spec.halo;
  result.stop = number_of(kStops, spec.stop);
  result.estimate_background = spec.estimate_background ? 1 : 0;
  return result;
}

}  // namespace

Shape shape_from(const std::int64_t (&extents)[3]) { return {extents[0], extents[1], extents[2]}; }

void shape_to(const Shape& shape, std::int64_t* extents) {
  for (int axis = 0; axis < 3; ++axis) extents[axis] = shape[axis];
}

Element element_from(std::int32_t number, const char* what) { return choose(kElementChoices, number, what); }

ConvolutionSpec spec_from(const convoy_convolution_spec* given) {
  const convoy_convolution_spec from = read_struct(given, convolution_defaults(), "spec");
  ConvolutionSpec spec;
  spec.image = shape_from(from.image);
  spec.kernel = shape_from(from.kernel);
  spec.mode = choose(kModes, from.mode, "mode");
  spec.boundary = choose(kBoundaries, from.boundary, "boundary");
  spec.constant = from.constant;
  spec.origin = origin_from(from.origin, from.origin_index);
  spec.operation = choose(kOperations, from.operation, "operation");
  spec.precision = choose(kPrecisions, from.precision, "precision");
  spec.normalize_kernel = from.normalize_kernel != 0;
  spec.non_finite = choose(kNonFinite, from.non_finite, "non_finite");
  spec.preserve_nan = from.preserve_nan != 0;
  if (from.has_no_data != 0) spec.no_data = from.no_data;
  if (from.has_region != 0) spec.region = Box{shape_from(from.region_begin), shape_from(from.region_size)};
  spec.batch = from.batch;
  spec.num_kernels = from.num_kernels;
  spec.pairing = choose(kPairings, from.pairing, "pairing");
  return spec;
}

DeconvolutionSpec spec_from(const convoy_deconvolution_spec* given) {
  const convoy_deconvolution_spec from = read_struct(given, deconvolution_defaults(), "spec");
  DeconvolutionSpec spec;
  spec.image = shape_from(from.image);
  spec.psf = shape_from(from.psf);
  spec.num_psfs = from.num_psfs;
  spec.iterations = from.iterations;
  spec.algorithm = choose(kAlgorithms, from.algorithm, "algorithm");
  spec.acceleration = choose(kAccelerations, from.acceleration, "acceleration");
  spec.edges = choose(kEdges, from.edges, "edges");
  spec.start = choose(kStarts, from.start, "start");
  spec.start_value = from.start_value;
  spec.background = from.background;
  spec.tv = from.tv;
  spec.voxel_size = {from.voxel_size[0], from.voxel_size[1], from.voxel_size[2]};
  spec.wiener_noise = from.wiener_noise;
  spec.stop_relative_change = from.stop_relative_change;
  spec.origin = origin_from(from.origin, from.origin_index);
  spec.precision = choose(kPrecisions, from.precision, "precision");
  spec.normalize_psf = from.normalize_psf != 0;
  spec.psf_negative = choose(kNegativePsf, from.psf_negative, "psf_negative");
  spec.non_finite = choose(kNonFinite, from.non_finite, "non_finite");
  spec.compatibility = choose(kCompatibilities, from.compatibility, "compatibility");
  spec.saturation = from.saturation;
  spec.tiles = choose(kTiles, from.tiles, "tiles");
  spec.halo = from.halo;
  spec.stop = choose(kStops, from.stop, "stop");
  spec.estimate_background = from.estimate_background != 0;
  return spec;
}

}  // namespace convoy::c_api

using namespace convoy::c_api;

int convoy_convolution_spec_init(convoy_convolution_spec* spec, size_t struct_size) {
  return guarded([&] { write_struct(spec, struct_size, convolution_defaults(), "spec"); });
}

int convoy_deconvolution_spec_init(convoy_deconvolution_spec* spec, size_t struct_size) {
  return guarded([&] { write_struct(spec, struct_size, deconvolution_defaults(), "spec"); });
}

int convoy_output_shape(const convoy_convolution_spec* spec, int64_t shape[3], int64_t* num_outputs) {
  return guarded([&] {
    const convoy::ConvolutionSpec read = spec_from(spec);
    shape_to(convoy::output_shape(read), &required(shape, "shape"));
    if (num_outputs != nullptr) *num_outputs = convoy::num_outputs(read);
  });
}
