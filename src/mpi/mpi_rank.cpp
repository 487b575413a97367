#include "mpi/mpi_rank.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/host_memory.hpp"
#include "convoy/error.hpp"
#include "mpi/regions.hpp"
#include "mpi/remote_output.hpp"

namespace convoy::mpi {
namespace {

using Json = nlohmann::json;

/// Of what the machine has free, for all ranks on it together.
constexpr double kShareOfHostMemory = 0.9;

Json to_json(const World& world, const Box& part, const cli::ConvolveRecord& record) {
  Json devices = Json::array();
  for (std::size_t i = 0; i < record.devices.size(); ++i) {
    const DeviceShare share = i < record.run.devices.size() ? record.run.devices[i] : DeviceShare{};
    devices.push_back({{"id", record.devices[i].id},
                       {"name", record.devices[i].name},
                       {"num_tiles", share.num_tiles},
                       {"failure", share.failure}});
  }
  return {{"host", world.host()},
          {"part", to_text(part)},
          {"devices", devices},
          {"run_seconds", record.times.run_seconds},
          {"num_tiles", record.run.num_tiles},
          {"skipped_tiles", record.run.skipped_tiles},
          {"saturated_voxels", record.run.saturated_voxels},
          {"non_finite_voxels", record.run.non_finite_voxels},
          {"nan_voxels", record.run.nan_voxels},
          {"no_data_voxels", record.run.no_data_voxels},
          {"inexact_voxels", record.run.inexact_voxels},
          {"lowest_voxel", record.run.lowest_voxel},
          {"highest_voxel", record.run.highest_voxel},
          {"dynamic_range", record.run.dynamic_range},
          {"rounding_error", record.run.rounding_error},
          {"output_sum", record.run.output_sum},
          {"peak_device_bytes", record.run.peak_device_bytes}};
}

/// JSON has no NaN: a null is one.
double number(const Json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

void add(cli::ConvolveRecord& record, int rank, const Json& sent) {
  record.ranks.push_back({rank, sent.at("host"), sent.at("part"), sent.at("num_tiles"), sent.at("run_seconds")});
  if (rank == 0) return;
  for (const Json& device : sent.at("devices")) {
    DeviceInfo info;
    info.id = fmt::format("{} of rank {}", device.at("id").get<std::string>(), rank);
    info.name = device.at("name");
    record.devices.push_back(info);
    record.run.devices.push_back({info.id, device.at("num_tiles"), device.at("failure")});
  }
  record.run.num_tiles += sent.at("num_tiles").get<Index>();
  record.run.skipped_tiles += sent.at("skipped_tiles").get<Index>();
  record.run.saturated_voxels += sent.at("saturated_voxels").get<Index>();
  record.run.non_finite_voxels += sent.at("non_finite_voxels").get<Index>();
  record.run.nan_voxels += sent.at("nan_voxels").get<Index>();
  record.run.no_data_voxels += sent.at("no_data_voxels").get<Index>();
  record.run.inexact_voxels += sent.at("inexact_voxels").get<Index>();
  record.run.lowest_voxel = std::fmin(record.run.lowest_voxel, number(sent.at("lowest_voxel")));
  record.run.highest_voxel = std::fmax(record.run.highest_voxel, number(sent.at("highest_voxel")));
  record.run.dynamic_range = std::fmax(record.run.dynamic_range, number(sent.at("dynamic_range")));
  record.run.rounding_error = std::fmax(record.run.rounding_error, number(sent.at("rounding_error")));
  record.run.output_sum += sent.at("output_sum").get<double>();
  record.run.peak_device_bytes =
      std::max(record.run.peak_device_bytes, sent.at("peak_device_bytes").get<std::uint64_t>());
}

}  // namespace

MpiRank::MpiRank(const World& world) : world_(world) {
  if (world_.rank() == 0) server_.emplace(world_);
}

std::vector<Device> MpiRank::own_devices(std::vector<Device> chosen) {
  const auto num_devices = static_cast<int>(chosen.size());
  const int num_ranks = world_.num_local_ranks();
  std::vector<Device> own;
  for (int place = world_.local_rank() % num_devices; place < num_devices; place += num_ranks) {
    own.push_back(chosen[static_cast<std::size_t>(place)]);
  }
  num_sharing_devices_ = (num_ranks + num_devices - 1) / num_devices;
  return own;
}

std::optional<ConvolutionSpec> MpiRank::own_part(const ConvolutionSpec& whole) {
  const std::vector<Box> regions = regions_for(whole, world_.num_ranks());
  if (static_cast<std::size_t>(world_.rank()) >= regions.size()) return {};
  ConvolutionSpec own = whole;
  own.region = part_ = regions[static_cast<std::size_t>(world_.rank())];
  if (whole.region) {
    for (int axis = 0; axis < 3; ++axis) part_.begin[axis] -= whole.region->begin[axis];
  }
  return own;
}

std::unique_ptr<ImageFileWriter> MpiRank::create(const std::string& path, const Shape& shape, Element element,
                                                 const ImageMetadata& metadata, const CreateOptions& options) {
  if (!server_) return send_output(world_, element, part_);
  return share_output(*server_, create_image(path, shape, element, metadata, options), part_);
}

void MpiRank::limit(PlanOptions& options, const std::vector<Device>& on) {
  if (options.host_memory_limit_bytes == 0) {
    const double share = options.deterministic ? 0.5 * static_cast<double>(total_host_bytes())
                                               : kShareOfHostMemory * static_cast<double>(available_host_bytes());
    options.host_memory_limit_bytes = static_cast<std::uint64_t>(share / world_.num_local_ranks());
  }
  if (options.memory_limit_bytes > 0 || num_sharing_devices_ == 1) return;
  for (const Device& device : on) {
    const Limits limits = device.limits();
    const std::uint64_t whole = options.deterministic
                                    ? limits.total_bytes / 2
                                    : limits.free_bytes - std::min(limits.free_bytes, limits.reserve_bytes);
    const std::uint64_t share = whole / static_cast<std::uint64_t>(num_sharing_devices_);
    if (options.memory_limit_bytes == 0 || share < options.memory_limit_bytes) options.memory_limit_bytes = share;
  }
}

void MpiRank::share(cli::ConvolveRecord& record) {
  const Json own = to_json(world_, part_, record);
  told_ = own.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (!server_) return;
  add(record, 0, own);
  for (const auto& [rank, sent] : server_->wait_for_others()) add(record, rank, Json::parse(sent));
}

Outcome MpiRank::end(const Outcome& own) {
  if (server_) {
    const auto failure_elsewhere = server_->failure();
    if (own.exit_code != 0) server_->stop(own.problem);
    server_->end();
    server_.reset();
    if (own.exit_code == 0 || !failure_elsewhere) return own;
    return {own.exit_code, *failure_elsewhere};
  }
  const bool failed = own.exit_code != 0;
  const std::string text =
      failed ? fmt::format("rank {} of {} ({}): {}", world_.rank(), world_.num_ranks(), world_.host(), own.problem)
             : told_;
  const Answer answer = world_.ask({RequestKind::end, 0, {{failed ? 1 : 0, 0, 0}, {}}},
                                   std::as_bytes(std::span(text.data(), text.size())));
  return {failed ? own.exit_code : answer.goes_on ? 0 : 1, ""};
}

}  // namespace convoy::mpi
