#include "cli/deconvolution_options.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "cli/command_line.hpp"

namespace convoy::cli {
namespace {

template <class Value>
auto name_function() {
  return [](Value value) { return name(value); };
}

const char* missing_name(NonFinite value) { return value == NonFinite::error ? "error" : "mask"; }

/// "gradient-consensus", "discrepancy", "relative:1e-4" or "none".
void set_stop(const std::string& text, DeconvolutionSpec& choices) {
  for (const Stop stop : {Stop::none, Stop::gradient_consensus, Stop::discrepancy}) {
    if (text != name(stop)) continue;
    choices.stop = stop;
    choices.stop_relative_change = 0;
    return;
  }
  constexpr std::string_view kRelative = "relative:";
  double value = 0;
  if (text.starts_with(kRelative)) {
    const char* const begin = text.data() + kRelative.size();
    const char* const end = text.data() + text.size();
    const auto [stopped, problem] = std::from_chars(begin, end, value);
    if (problem == std::errc() && stopped == end && value > 0 && value < 1) {
      choices.stop_relative_change = value;
      return;
    }
  }
  throw CLI::ValidationError("--stop", fmt::format("'{}' is none of none, gradient-consensus, discrepancy and "
                                                   "relative:X with X between 0 and 1",
                                                   text));
}

/// All of the text, if that is a finite number.
std::optional<double> number_from(const std::string& text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, problem] = std::from_chars(text.data(), end, value);
  if (problem != std::errc() || stopped != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

/// "auto" or a number, not below 0.
void set_background(const std::string& text, DeconvolutionSpec& choices) {
  const auto value = number_from(text);
  choices.estimate_background = text == "auto";
  if (!choices.estimate_background && !(value && *value >= 0)) {
    throw CLI::ValidationError("--background", fmt::format("'{}' is neither auto nor a number from 0 on", text));
  }
  choices.background = value.value_or(0);
}

/// "auto", "image", "flat" or a number above 0.
void set_start(const std::string& text, DeconvolutionSpec& choices) {
  for (const Start start : {Start::automatic, Start::image, Start::flat}) {
    if (text != name(start)) continue;
    choices.start = start;
    return;
  }
  const auto value = number_from(text);
  if (!value || !(*value > 0)) {
    throw CLI::ValidationError("--start", fmt::format("'{}' is none of auto, image, flat and a number above 0", text));
  }
  choices.start = Start::value;
  choices.start_value = *value;
}

/// Along axes whose length is not known, neighbours are as far apart as along the finest axis.
std::array<double, 3> spacing_from(const VoxelSize& size) {
  std::array<double, 3> spacing{size.z, size.y, size.x};
  const auto is_known = [](double length) { return length > 0 && std::isfinite(length); };
  double finest = 0;
  for (const double length : spacing) {
    if (is_known(length) && (finest == 0 || length < finest)) finest = length;
  }
  for (double& length : spacing) {
    if (!is_known(length)) length = finest > 0 ? finest : 1;
  }
  return spacing;
}

}  // namespace

void DeconvolutionOptions::add_to(CLI::App& command) {
  add_method_to(command);
  add_choice(command, "--nan", choices.non_finite, {NonFinite::error, NonFinite::zero}, missing_name,
             "What to do with NaN and infinite image voxels; mask takes them as missing (default error)");
  common.add_region_to(command, "Restore only this part of the image, in fast tiles that read what lies round it");
  common.choices.normalize_kernel = choices.normalize_psf;
  common.add_common_to(command, "PSF", "");
}

void DeconvolutionOptions::add_method_to(CLI::App& command) {
  add_choice(
      command, "--algorithm", choices.algorithm, {Algorithm::richardson_lucy, Algorithm::wiener, Algorithm::landweber},
      name_function<Algorithm>(),
      "rl: Richardson-Lucy, for counted light; landweber: least squares; wiener: one linear filter (default rl)");
  command
      .add_option("--iterations", choices.iterations,
                  "Iterations, at most (default 25, or 200 with --stop gradient-consensus or discrepancy)")
      ->type_name("N")
      ->check(whole_number(0, 1000000));
  add_choice(
      command, "--acceleration", choices.acceleration,
      {Acceleration::automatic, Acceleration::none, Acceleration::biggs, Acceleration::momentum},
      name_function<Acceleration>(),
      "Several times fewer iterations, by a step ahead. momentum: of a set length, for one image more of memory; "
      "biggs: of a measured length, for two; auto: momentum for rl (default auto)");
  add_choice(command, "--edges", choices.edges, {Edges::noncirculant, Edges::zero, Edges::reflect},
             name_function<Edges>(),
             "Where light may come from: noncirculant lets it come from beyond the image, zero does not, reflect takes "
             "the image's reflection (default noncirculant)");
  command
      .add_option_function<std::string>(
          "--background", [this](const std::string& text) { set_background(text, choices); },
          "Constant background in the image, a camera's offset for one; auto: as dim as a twentieth of it (default 0)")
      ->type_name("auto|B");
  command
      .add_option_function<std::string>(
          "--start", [this](const std::string& text) { set_start(text, choices); },
          "What to start from: the image, a flat image of the same mean or of a value above 0, or, auto, the image as "
          "far as it is not noise (default auto)")
      ->type_name("auto|image|flat|VALUE");
  command
      .add_option_function<std::string>(
          "--stop", [this](const std::string& text) { set_stop(text, choices); },
          "What ends the iterations. gradient-consensus: each voxel ends where its next change would follow noise, at "
          "two "
          "and a half times the work an iteration; discrepancy: when noise explains what is left; relative: when an "
          "iteration changes less than this part of the result (default none)")
      ->type_name("gradient-consensus|discrepancy|relative:X|none");
  command.add_option("--tv", choices.tv, "Prefer flat patches: weight of the total variation, say 0.01 (default 0)")
      ->type_name("LAMBDA")
      ->check(zero_or_above());
  command
      .add_option("--damping", choices.damping,
                  "Follow data from the blur only where they differ by more than so many standard deviations of the "
                  "noise, which is measured, say 3; for rl (default 0: everywhere)")
      ->type_name("SIGMAS")
      ->check(zero_or_above());
  command
      .add_option("--relaxation", choices.relaxation, "Step of --algorithm landweber, above 0 and below 2 (default 1)")
      ->type_name("X")
      ->check(above_zero());
  command.add_flag("--clip,!--no-clip", choices.clip,
                   "Of --algorithm landweber: voxels below 0 become 0 (default), or stay");
  command
      .add_option("--noise", choices.wiener_noise,
                  "Noise power over signal power, for --algorithm wiener (default 0.001)")
      ->type_name("R")
      ->check(zero_or_above());
  command.add_option("--saturation", choices.saturation, "Take voxels of this value and above as missing")
      ->type_name("V");
  add_choice(command, "--psf-negative", choices.psf_negative, {NegativePsf::error, NegativePsf::clip},
             name_function<NegativePsf>(),
             "What to do with negative voxels of the PSF; clip takes them as 0, with a warning (default clip)");
  add_choice(command, "--compat", choices.compatibility, {Compatibility::none, Compatibility::skimage},
             name_function<Compatibility>(),
             "skimage: the numbers of skimage.restoration.richardson_lucy (default none)");
  add_choice(command, "--tiles", choices.tiles, {Tiles::exact, Tiles::fast}, name_function<Tiles>(),
             "For images beyond device memory; exact: each convolution of each iteration in tiles, equal to the whole; "
             "fast: all iterations of a tile at once, with a halo and an error at the seams (default exact)");
  command
      .add_option("--halo", choices.halo,
                  "Of fast tiles, in PSF extents: voxels beyond each side that are restored with it (default 1)")
      ->type_name("X")
      ->check(zero_or_above());
  command
      .add_option("--scratch", scratch,
                  "Where host memory (--ram-limit) does not hold estimate and data of exact tiles, keep them in a file "
                  "of this folder, or in this new file, that is gone when the run ends (default: fast tiles then)")
      ->type_name("FOLDER|FILE")
      ->check(not_empty());
  add_shape(
      command, "--core", core,
      "Of fast tiles: their size without halo, the first at the image's begin; regions in tiles of the same cores "
      "are what the whole has there, bit by bit (default: as they fit)");
}

void DeconvolutionOptions::require_consistent(const CLI::App& command) const {
  const auto given = [&](const char* name) {
    const CLI::Option* option = command.get_option_no_throw(name);
    return option != nullptr && option->count() > 0;
  };
  const auto belongs_to = [&](const char* option, Algorithm algorithm) {
    if (!given(option) || choices.algorithm == algorithm) return;
    throw CLI::ValidationError(option, fmt::format("has no meaning with --algorithm {}; it belongs to {}",
                                                   name(choices.algorithm), name(algorithm)));
  };
  belongs_to("--noise", Algorithm::wiener);
  for (const char* option : {"--relaxation", "--clip"}) belongs_to(option, Algorithm::landweber);
  for (const char* option : {"--acceleration", "--tv", "--damping", "--compat"})
    belongs_to(option, Algorithm::richardson_lucy);
  if (choices.algorithm == Algorithm::wiener) {
    for (const char* option : {"--iterations", "--start", "--stop"}) {
      if (given(option))
        throw CLI::ValidationError(option, "has no meaning with --algorithm wiener: it does not iterate");
    }
  }
  if (given("--region") && given("--tiles") && choices.tiles == Tiles::exact) {
    throw CLI::ValidationError("--region", "is restored in fast tiles; leave --tiles exact out");
  }
  for (const char* option : {"--halo", "--core"}) {
    if (!given(option) || in_fast_tiles()) continue;
    throw CLI::ValidationError(option, "has no meaning with exact tiles; it belongs to --tiles fast");
  }
  if (choices.compatibility == Compatibility::none) return;
  for (const char* option : {"--edges", "--background", "--start", "--acceleration", "--tv", "--damping", "--mask",
                             "--saturation", "--nan", "--origin", "--normalize", "--no-normalize", "--psf-negative"}) {
    if (given(option))
      throw CLI::ValidationError(option, "is what scikit-image has; leave it out with --compat skimage");
  }
}

DeconvolutionSpec DeconvolutionOptions::spec(const Shape& image, const Shape& psf) const {
  DeconvolutionSpec spec = choices;
  spec.image = image;
  spec.psf = psf;
  if (!common.region.empty()) spec.region = box_from_text(common.region, image);
  if (in_fast_tiles()) spec.tiles = Tiles::fast;
  spec.origin = common.choices.origin;
  spec.precision = common.choices.precision;
  spec.normalize_psf = common.choices.normalize_kernel;
  return spec;
}

DeconvolutionSpec DeconvolutionOptions::spec_for(const ImageFileReader& image, const ImageList& psfs) const {
  DeconvolutionSpec spec = this->spec(image.shape(), psfs.shape);
  spec.num_psfs = psfs.count;
  if (const auto& size = image.metadata().voxel_size) spec.voxel_size = spacing_from(*size);
  return spec;
}

Element DeconvolutionOptions::output_element(const std::optional<Element>& asked) const {
  return asked.value_or(common.choices.precision == Precision::f64 ? Element::f64 : Element::f32);
}

PlanOptions DeconvolutionOptions::plan_options() const {
  PlanOptions options = common.plan_options();
  if (core.z > 0) options.tile_output = core;
  options.scratch = scratch;
  return options;
}

}  // namespace convoy::cli
