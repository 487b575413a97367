// The options that say what to convolve and where, common to `convolve`, `deconvolve` and `plan`.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "cli/image_list.hpp"
#include "convoy/device.hpp"
#include "convoy/io.hpp"
#include "convoy/plan.hpp"
#include "convoy/spec.hpp"

namespace convoy::cli {

/// --path of a command, of what `purpose` says.
void add_path(CLI::App& command, std::optional<Path>& path, const std::string& purpose);

/// --method of a command, likewise.
void add_method(CLI::App& command, Method& method, const std::string& purpose);

struct ConvolutionOptions {
  std::string backend = "auto";
  ConvolutionSpec choices;  ///< all but the shapes
  std::string kernel_axes;  ///< empty: the kernel's file has all of the image's
  std::string region;       ///< empty: all of the output
  std::uint64_t memory_limit_bytes = 0;
  Tune tune = Tune::model;
  std::optional<Path> path;  ///< empty: auto
  Method method = Method::automatic;
  bool deterministic = false;

  /// Adds the options to a command.
  void add_to(CLI::App& command);
  /// Of these, the ones that a deconvolution has too: device, kernel, precision and memory.
  /// choices.normalize_kernel is the default. `kernel` is what the command calls it, and `origin_applies` says when
  /// --origin has a meaning ("" if always).
  void add_common_to(CLI::App& command, const std::string& kernel, const std::string& origin_applies);
  /// --region, of what `meaning` says.
  void add_region_to(CLI::App& command, const std::string& meaning);
  /// --pairing, for commands that take several kernels.
  void add_pairing_to(CLI::App& command);
  /// A usage error for options that contradict one another. Call when the command line is parsed.
  void require_consistent(const CLI::App& command) const;
  ConvolutionSpec spec(const Shape& image, const Shape& kernel) const;
  PlanOptions plan_options() const;
  /// place_kernel() as --kernel-axes says; what does not fit is a usage error.
  void place(Image& kernel, const Shape& image) const;
  /// The kernels of those files, which have commas between them, placed.
  ImageList read_kernels(const std::string& files, const Shape& image) const;
  /// Opens --backend; an unknown name is a usage error.
  Device device() const;
};

}  // namespace convoy::cli
