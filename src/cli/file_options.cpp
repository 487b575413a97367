#include "cli/file_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/path_text.hpp"
#include "cli/command_line.hpp"
#include "cli/process_memory.hpp"
#include "convoy/convolution.hpp"
#include "convoy/error.hpp"
#include "convoy/plan.hpp"

namespace convoy::cli {
namespace {

void have_memory_taken(const std::vector<Device>& devices) {
  ConvolutionSpec spec;
  spec.image = {8, 8, 8};
  spec.kernel = {3, 3, 3};
  const std::vector<float> kernel(27, 1);
  Convolver(spec, {kernel, spec.kernel}, devices);
}

}  // namespace

void FileOptions::add_to(CLI::App& command) {
  add_image_options_to(command);
  add_ram_limit_to(command);
  command.add_flag(
      "--resume", resume,
      "Continue an output that was interrupted, and keep this one if it is; what is there is verified first, and a "
      "changed image is found by its checksum (beyond 1 GiB by samples and times of change) and refused");
  add_overwrite(command, overwrite);
  add_ome_zarr(command, ome_zarr);
}

void FileOptions::add_ram_limit_to(CLI::App& command) {
  add_memory_limit(command, "--ram-limit", ram_limit_bytes,
                   "Most memory of the machine for the whole program, as in 2GiB (default: what is free)");
}

std::vector<std::unique_ptr<ImageFileReader>> FileOptions::open(const std::string& path) const {
  OpenOptions options = open_options();
  options.cache_bytes = most_cache_bytes();
  return open_as_asked([&] { return open_images(path, options); });
}

CreateOptions FileOptions::create_options(JobDescription job) const {
  return {resume, std::move(job), most_cache_bytes(), overwrite, ome_zarr};
}

std::uint64_t FileOptions::record_bytes() const {
  constexpr std::uint64_t kRecordBytes = 384;  // estimated
  return resume ? kRecordBytes : 0;
}

std::string FileOptions::warning_of_unfinished(const std::string& output_path) const {
  if (resume || !is_unfinished(output_path)) return "";
  return fmt::format(
      "an interrupted run left an unfinished '{}' that this one does not touch; --resume would continue it",
      output_path);
}

std::uint64_t FileOptions::most_cache_bytes() const {
  constexpr std::uint64_t kShareOfCache = 8;
  const std::uint64_t usual = OpenOptions().cache_bytes;
  return ram_limit_bytes > 0 ? std::min(usual, ram_limit_bytes / kShareOfCache) : usual;
}

std::uint64_t FileOptions::host_bytes_beside_plan(const std::vector<Device>& devices,
                                                  std::uint64_t caches_bytes) const {
  constexpr std::uint64_t kReserve = std::uint64_t{24} << 20;  // tables of transforms, stacks, readers' buffers
  constexpr std::uint64_t kCompiledReserve = std::uint64_t{48}
                                             << 20;  // code of one device, and what compiling it takes
  const auto compiles = [](const Device& device) { return !device.info().id.starts_with("cpu"); };
  if (ram_limit_bytes > 0) {
    have_memory_taken(devices);
    return_freed_memory();
  }
  const auto num_compiling = static_cast<std::uint64_t>(std::count_if(devices.begin(), devices.end(), compiles));
  return resident_host_bytes() + kReserve + num_compiling * kCompiledReserve + caches_bytes;
}

std::uint64_t FileOptions::bytes_beside(const std::vector<std::unique_ptr<ImageFileReader>>& masks) {
  if (masks.empty()) return 0;
  const ImageFileReader& mask = *masks.front();
  return static_cast<std::uint64_t>(num_voxels(mask.shape())) * size_of(mask.element());
}

std::uint64_t FileOptions::host_memory_limit_bytes(std::uint64_t other_bytes, bool deterministic) const {
  if (ram_limit_bytes == 0) return 0;
  const std::uint64_t left_bytes = ram_limit_bytes - std::min(ram_limit_bytes, other_bytes);
  if (deterministic && left_bytes >= ram_limit_bytes / 2) return ram_limit_bytes / 2;
  if (!deterministic && left_bytes > 0) return left_bytes;
  if (deterministic) {
    throw OutOfMemory(
        fmt::format("--ram-limit {} leaves less than half of it for the convolution, which --deterministic counts on: "
                    "program, kernel, tables and buffers take {}; raise it",
                    bytes_to_text(ram_limit_bytes), bytes_to_text(other_bytes)),
        other_bytes, ram_limit_bytes / 2, "--ram-limit");
  }
  throw OutOfMemory(
      fmt::format("--ram-limit {} leaves nothing for the convolution: program, kernel, tables and buffers take {}; "
                  "raise it well above that",
                  bytes_to_text(ram_limit_bytes), bytes_to_text(other_bytes)),
      other_bytes, ram_limit_bytes, "--ram-limit");
}

JobDescription describe_image(const std::string& path, const ImageOptions& options) {
  const auto& size = options.voxel_size;
  JobDescription job{
      {"image", describe_input(path)},
      {"axes", options.axes.empty() ? "the file's" : options.axes},
      {"series", options.series ? std::to_string(*options.series) : "the only one"},
      {"voxel size", size ? fmt::format("{},{},{} {}", size->z, size->y, size->x, size->unit) : "the file's"}};
  if (const auto& raw = options.raw) {
    job.emplace_back("raw layout", fmt::format("{} {} from {}{}", to_text(raw->shape), raw->type, raw->offset_bytes,
                                               raw->big_endian ? ", big-endian" : ""));
  }
  return job;
}

ImageReaders readers_of(const std::vector<std::unique_ptr<ImageFileReader>>& images) {
  ImageReaders readers;
  for (const auto& image : images) readers.push_back(image.get());
  return readers;
}

InputGuard::InputGuard(std::string path, bool also_stores) : path_(std::move(path)) {
  std::error_code problem;
  is_guarded_ = also_stores || !std::filesystem::is_directory(path_from(path_), problem);
  if (is_guarded_) stamp_ = input_stamp(path_);
}

void InputGuard::require_unchanged() const {
  if (!is_guarded_) return;
  const std::string now = input_stamp(path_);
  if (now == stamp_) return;
  throw Error(Errc::io,
              fmt::format("{}: was changed while it was read ({}, then {}): the output would be of two images "
                          "and is not written; run it again when nothing writes to the image any more",
                          path_, stamp_, now));
}

}  // namespace convoy::cli
