// The PSFs of a Deconvolver, checked and ready to be put on a device, one at a time.
#pragma once

#include <vector>

#include "base/dense_view.hpp"
#include "deconvolution/prepared_psf.hpp"

namespace convoy::inline v0 {

class PsfSet {
 public:
  /// The spec is settled; throws what prepare_psf() throws, of several PSFs with the number of the one.
  PsfSet(const DeconvolutionSpec& spec, const ImageView& psfs);

  Index size() const { return static_cast<Index>(psfs_.size()); }
  const DeconvolutionSpec& spec(Index number) const { return of(number).spec; }  ///< with the PSF's origin
  const PreparedPsf& prepared(Index number) const { return of(number).prepared; }
  const PsfReport& report(Index number) const { return of(number).prepared.report; }
  /// Throws Error(invalid_argument) unless there are as many images of each PSF.
  void require_images_for_each(Index num_images) const;
  /// What the caller may change or free from now on is let go: a lone PSF, or the caller's own voxels of several.
  void end_borrowing();

 private:
  struct Psf {
    DeconvolutionSpec spec;
    PreparedPsf prepared;
  };
  const Psf& of(Index number) const { return psfs_.at(static_cast<std::size_t>(number)); }

  DenseView voxels_;
  std::vector<Psf> psfs_;
};

}  // namespace convoy::inline v0
