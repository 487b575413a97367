// The devices of a Deconvolver, each with the PSF that it restores with at the moment; all cut images into the same
// fast tiles.
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "deconvolution/psf_set.hpp"
#include "deconvolution/restorer.hpp"

namespace convoy::inline v0 {

/// Works on its own; of exact tiles, several devices that share each convolution.
struct RestoringDevice {
  std::vector<Device> devices;
  std::unique_ptr<Restorer> restorer{};
  Index psf = 0;  ///< that the restorer has
  std::exception_ptr problem{};

  bool takes_part() const { return problem == nullptr; }
  std::string failure() const;
};

class RestoringDevices {
 public:
  /// All with the first PSF. Of several devices those that refuse are left out; throws their causes if all do. The
  /// arguments must outlive it.
  RestoringDevices(const PsfSet& psfs, const std::vector<Device>& devices, const DeconvolverOptions& options,
                   RunProgress& progress);

  std::vector<RestoringDevice>& all() { return all_; }
  const DeconvolutionPlan& plan() const { return plan_; }
  /// Gives the device this PSF. Throws what make_engine throws, and OutOfMemory when there is less room than before.
  Restorer& with_psf(RestoringDevice& device, Index psf);
  /// The devices' memory that convoy holds, and the most that it was; each device once.
  std::uint64_t used_bytes() const;
  std::uint64_t peak_bytes() const;
  /// After a run in which nobody was left to work. Throws.
  [[noreturn]] void throw_none_left();
  std::vector<DeviceShare> shares(const std::vector<Index>& pieces_done) const;
  void require_alive() const;  ///< still this process' own
  void release();

 private:
  void make(RestoringDevice& device, Index psf);
  void attempt(RestoringDevice& device, Index psf);
  void plan_for_several();

  const PsfSet& psfs_;
  const DeconvolverOptions& options_;
  RunProgress& progress_;
  PlanOptions plan_options_;
  std::vector<Device> given_;
  std::vector<RestoringDevice> all_;
  DeconvolutionPlan plan_;
  std::optional<FastTiling> tiling_;
};

}  // namespace convoy::inline v0
