#include "cli/deconvolution_job.hpp"

#include <fmt/format.h>

namespace convoy::cli {

JobDescription describe_deconvolution(const DeconvolutionSpec& spec, const Shape& core, const ImageView& psfs,
                                      const std::string& mask_path) {
  const Shape& at = spec.origin.index;
  const bool origin_given = spec.origin.rule == Origin::Rule::at;
  const auto number = [](double value) { return fmt::format("{}", value); };
  JobDescription job{{"PSF", fmt::format("of checksum {}", checksum(psfs.as_one()))},
                     {"mask", mask_path.empty() ? "none" : describe_input(mask_path)},
                     {"algorithm", name(spec.algorithm)},
                     {"iterations", std::to_string(spec.iterations)},
                     {"acceleration", name(spec.acceleration)},
                     {"edges", name(spec.edges)},
                     {"background", spec.estimate_background ? "auto" : number(spec.background)},
                     {"start", spec.start == Start::value ? number(spec.start_value) : name(spec.start)},
                     {"total variation", number(spec.tv)},
                     {"damping", number(spec.damping)},
                     {"relaxation", fmt::format("{}{}", spec.relaxation, spec.clip ? "" : ", not clipped")},
                     {"noise", number(spec.wiener_noise)},
                     {"stop", spec.stop == Stop::none ? number(spec.stop_relative_change) : name(spec.stop)},
                     {"saturation", number(spec.saturation)},
                     {"origin", origin_given ? fmt::format("{},{},{}", at.z, at.y, at.x) : name(spec.origin.rule)},
                     {"precision", name(spec.precision)},
                     {"normalization", spec.normalize_psf ? "on" : "off"},
                     {"negative PSF", name(spec.psf_negative)},
                     {"NaN", spec.non_finite == NonFinite::zero ? "missing" : "refused"},
                     {"compatibility", name(spec.compatibility)},
                     {"region", spec.region ? to_text(*spec.region) : "all"},
                     {"tiles", fmt::format("{}, halo {}, cores {}", name(spec.tiles), spec.halo,
                                           core.z > 0 ? to_text(core) : "as they fit")}};
  if (psfs.batch > 1) job.emplace_back("number of PSFs", std::to_string(psfs.batch));
  return job;
}

}  // namespace convoy::cli
