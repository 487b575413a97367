// A rank as a workplace of `convoy convolve` and `convoy deconvolve`: its devices, its part, and the output that it
// shares.
#pragma once

#include <optional>
#include <string>

#include "cli/rank_context.hpp"
#include "mpi/output_server.hpp"
#include "mpi/world.hpp"

namespace convoy::mpi {

/// How a rank's run ended.
struct Outcome {
  int exit_code = 0;
  std::string problem;  ///< empty: none
};

class MpiRank final : public cli::RankContext {
 public:
  explicit MpiRank(const World& world);

  bool is_root() const override { return world_.rank() == 0; }
  std::string usual_devices() const override { return "all"; }
  /// Devices go round the ranks of a machine, or ranks round the devices if those are fewer.
  std::vector<Device> own_devices(std::vector<Device> chosen) override;
  /// One of as many regions as there are ranks, or a few less where the output cannot be cut so.
  std::optional<ConvolutionSpec> own_part(const ConvolutionSpec& whole) override;
  /// Whole images; of a single one a region in fast tiles whose cores all ranks have.
  std::optional<cli::DeconvolutionShare> own_share(const DeconvolutionSpec& whole, Index num_images,
                                                   const std::function<PlanOptions()>& options,
                                                   const std::vector<Device>& on) override;
  std::unique_ptr<ImageFileWriter> create(const std::string& path, const Shape& shape, Element element,
                                          const ImageMetadata& metadata, const CreateOptions& options) override;
  void limit(PlanOptions& options, const std::vector<Device>& on) override;
  void share(cli::ConvolveRecord& record) override;
  void share(cli::DeconvolveRecord& record) override;

  /// Sends the others the outcome of this rank, and waits until all have ended. Returns how the job went: on rank 0
  /// with the problem, elsewhere with the exit code alone. Call once, after the last use.
  Outcome end(const Outcome& own);

 private:
  std::optional<cli::DeconvolutionShare> own_images(const DeconvolutionSpec& whole, Index num_images);
  std::optional<cli::DeconvolutionShare> own_region(const DeconvolutionSpec& whole, PlanOptions options,
                                                    const std::vector<Device>& on);
  Shape core_of_tiles(const DeconvolutionSpec& whole, const PlanOptions& options, const std::vector<Device>& on);

  const World& world_;
  std::optional<OutputServer> server_;  // rank 0
  int num_sharing_devices_ = 1;
  Box part_;               // of the output that is written
  std::string part_text_;  // of a deconvolution
  std::string told_;
};

}  // namespace convoy::mpi
