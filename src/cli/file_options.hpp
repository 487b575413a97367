// The options that say how images are read from files and written to them, and how much memory that may take.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cli/image_options.hpp"
#include "convoy/device.hpp"
#include "convoy/io.hpp"

namespace convoy::cli {

struct FileOptions : ImageOptions {
  std::uint64_t ram_limit_bytes = 0;
  bool resume = false;
  bool overwrite = false;
  OmeZarr ome_zarr = OmeZarr::v0_4;

  void add_to(CLI::App& command);
  void add_ram_limit_to(CLI::App& command);
  /// All images of the file. A usage error if --axes are none.
  std::vector<std::unique_ptr<ImageFileReader>> open(const std::string& path) const;
  CreateOptions create_options(JobDescription job) const;
  /// Of an unfinished output that this run neither continues nor touches; empty if there is none.
  std::string warning_of_unfinished(const std::string& output_path) const;
  /// Host memory for each box that is written: the journal's, with --resume.
  std::uint64_t record_bytes() const;
  /// What --ram-limit leaves to a convolution, for PlanOptions, beside `other_bytes`; 0 without --ram-limit. Throws
  /// OutOfMemory if that is nothing. `other_bytes` change a little from run to run, so `deterministic` takes half of
  /// --ram-limit, and throws OutOfMemory if less is left.
  std::uint64_t host_memory_limit_bytes(std::uint64_t other_bytes, bool deterministic) const;
  /// Host memory that a plan does not count: what the program holds now, and what it will take beside the plan, with
  /// `caches_bytes` of readers and writers. With --ram-limit, the devices are made to work first, so that what their
  /// drivers and compilers keep is counted.
  std::uint64_t host_bytes_beside_plan(const std::vector<Device>& devices, std::uint64_t caches_bytes) const;
  /// Of the mask that is in memory beside its image.
  static std::uint64_t bytes_beside(const std::vector<std::unique_ptr<ImageFileReader>>& masks);

 private:
  std::uint64_t most_cache_bytes() const;
};

/// What an interrupted --resume run leaves, for set_interrupt_text().
inline constexpr const char* kInterruptedButKept =
    "what is written is kept: the same command with --resume continues it";

/// Of the image at that path and the options it is read with, what a resumable job depends on.
JobDescription describe_image(const std::string& path, const ImageOptions& options);

ImageReaders readers_of(const std::vector<std::unique_ptr<ImageFileReader>>& images);

/// An input that must not be changed while it is read.
class InputGuard {
 public:
  /// A store's files are many, and all must be looked at: that is done if `also_stores`.
  InputGuard(std::string path, bool also_stores);
  /// Throws Error(io) if it was changed since.
  void require_unchanged() const;

 private:
  std::string path_;
  std::string stamp_;
  bool is_guarded_ = false;
};

}  // namespace convoy::cli
