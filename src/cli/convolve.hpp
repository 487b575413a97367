// `convoy convolve`, and what convoy-mpi does differently.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/report.hpp"
#include "convoy/device.hpp"
#include "convoy/io.hpp"
#include "convoy/plan.hpp"
#include "convoy/spec.hpp"

namespace convoy::cli {

/// A process that convolves: alone here; one of several that share an output in what is derived from it.
class RankContext {
 public:
  virtual ~RankContext() = default;
  /// Whether this process prints and writes the report: the root of an MPI job, or the only process.
  virtual bool is_root() const { return true; }
  /// Of --devices where neither that nor --backend is given; empty: as --backend's default says.
  virtual std::string usual_devices() const { return ""; }
  /// Those of the chosen devices that it uses.
  virtual std::vector<Device> own_devices(std::vector<Device> chosen) { return chosen; }
  /// What it computes of the whole; nothing if there is no work for it.
  virtual std::optional<ConvolutionSpec> own_part(const ConvolutionSpec& whole) { return whole; }
  /// The output: of each image the part that it computes.
  virtual std::unique_ptr<ImageFileWriter> create(const std::string& path, const ConvolutionSpec& whole,
                                                  Element element, const ImageMetadata& metadata,
                                                  const CreateOptions& options) {
    return create_image(path, output_shape(whole), element, metadata, options);
  }
  /// Lowers the limits to its share of what others on this machine use, too.
  virtual void limit(PlanOptions& options, const std::vector<Device>& on) {
    static_cast<void>(options);
    static_cast<void>(on);
  }
  /// Called when the output is complete: sends its own part to the root, or adds theirs to the record.
  virtual void share(ConvolveRecord& record) { static_cast<void>(record); }
};

/// Makes a command of it, which runs when it is parsed. `workplace` must outlive it.
void make_convolve_command(CLI::App& command, RankContext& workplace);

}  // namespace convoy::cli
