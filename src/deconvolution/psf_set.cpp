#include "deconvolution/psf_set.hpp"

#include <fmt/format.h>

#include <cstring>

#include "convoy/error.hpp"
#include "deconvolution/spec.hpp"
#include "planner/origin.hpp"

namespace convoy::inline v0 {
namespace {

DeconvolutionSpec with_origin(DeconvolutionSpec spec, const ImageView& psf) {
  spec.origin = Origin::at(resolve_origin(blur_of(spec), &psf));
  return spec;
}

}  // namespace

PsfSet::PsfSet(const DeconvolutionSpec& spec, const ImageView& psfs) : voxels_(psfs) {
  for (Index number = 0; number < spec.num_psfs; ++number) {
    const ImageView psf = voxels_.view().image(number);
    try {
      const DeconvolutionSpec resolved = with_origin(spec, psf);
      psfs_.push_back({resolved, prepare_psf(resolved, psf)});
    } catch (const Error& problem) {
      if (spec.num_psfs == 1) throw;
      throw Error(problem.code(), fmt::format("PSF {} of {}: {}", number + 1, spec.num_psfs, problem.what()));
    }
  }
}

void PsfSet::require_images_for_each(Index num_images) const {
  if (num_images >= 1 && num_images % size() == 0) return;
  throw Error(Errc::invalid_argument, fmt::format("{} image(s) for {} PSFs; image i has PSF i modulo {}, so give a "
                                                  "multiple of as many",
                                                  num_images, size(), size()));
}

void PsfSet::end_borrowing() {
  for (Psf& psf : psfs_) {
    PreparedPsf& prepared = psf.prepared;
    if (size() == 1) {
      prepared.storage = std::vector<std::byte>();  // = {} would keep its memory
      prepared.view.data = nullptr;
    } else if (prepared.storage.empty()) {
      const auto* voxels = static_cast<const std::byte*>(prepared.view.data);
      prepared.storage.assign(
          voxels, voxels + size_of(prepared.view.element) * static_cast<std::size_t>(num_voxels(prepared.view.shape)));
      prepared.view.data = prepared.storage.data();
    }
  }
  voxels_ = DenseView(ImageView());
}

}  // namespace convoy::inline v0
