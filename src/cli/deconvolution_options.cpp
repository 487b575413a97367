#include "cli/deconvolution_options.hpp"

#include <charconv>

#include "cli/command_line.hpp"

namespace convoy::cli {
namespace {

template <class Value>
auto name_of() {
  return [](Value value) { return name(value); };
}

const char* missing_name(NonFinite value) { return value == NonFinite::error ? "error" : "mask"; }

/// "relative:1e-4" or "none".
double stop_from_text(const std::string& text) {
  if (text == "none") return 0;
  constexpr std::string_view kRelative = "relative:";
  double value = 0;
  if (text.starts_with(kRelative)) {
    const char* const begin = text.data() + kRelative.size();
    const char* const end = text.data() + text.size();
    const auto [stopped, problem] = std::from_chars(begin, end, value);
    if (problem == std::errc() && stopped == end && value > 0 && value < 1) return value;
  }
  throw CLI::ValidationError("--stop", fmt::format("'{}' is neither none nor relative:X with X between 0 and 1", text));
}

}  // namespace

void DeconvolutionOptions::add_to(CLI::App& command) {
  command.add_option("--iterations", choices.iterations, "Iterations, at most (default 25)")
      ->type_name("N")
      ->check(CLI::Range(Index{0}, Index{1000000}));
  add_choice(command, "--edges", choices.edges, {Edges::noncirculant, Edges::zero, Edges::reflect}, name_of<Edges>(),
             "Where light may come from: noncirculant lets it come from beyond the image, zero does not, reflect takes "
             "the image's reflection (default noncirculant)");
  command.add_option("--background", choices.background, "Constant background in the image (default 0)")
      ->type_name("B")
      ->check(CLI::NonNegativeNumber);
  add_choice(command, "--start", choices.start, {Start::mean, Start::image}, name_of<Start>(),
             "What to start from: a flat image of the same mean, or the image itself (default mean)");
  command
      .add_option_function<std::string>(
          "--stop", [this](const std::string& text) { choices.stop_relative_change = stop_from_text(text); },
          "End when an iteration changes less than this part of the result (default none)")
      ->type_name("relative:X|none");
  command.add_option("--saturation", choices.saturation, "Take voxels of this value and above as missing")
      ->type_name("V");
  add_choice(command, "--nan", choices.non_finite, {NonFinite::error, NonFinite::zero}, missing_name,
             "What to do with NaN and infinite image voxels; mask takes them as missing (default error)");
  common.add_common_to(command);
}

DeconvolutionSpec DeconvolutionOptions::spec(const Shape& image, const Shape& psf) const {
  DeconvolutionSpec spec = choices;
  spec.image = image;
  spec.psf = psf;
  spec.origin = common.choices.origin;
  spec.precision = common.choices.precision;
  spec.normalize_psf = common.choices.normalize_kernel;
  return spec;
}

}  // namespace convoy::cli
