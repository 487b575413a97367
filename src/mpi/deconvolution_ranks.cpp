// What ranks restore, and what they tell of it.
#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "convoy/error.hpp"
#include "mpi/mpi_rank.hpp"
#include "mpi/regions.hpp"
#include "mpi/remote_output.hpp"

namespace convoy::mpi {
namespace {

using RankJson = nlohmann::json;

/// Of `count` things in order, those of one rank: first and one past the last.
std::pair<Index, Index> range_of(Index count, int rank, int num_ranks) {
  return {count * rank / num_ranks, count * (rank + 1) / num_ranks};
}

RankJson report_to_json(const DeconvolutionReport& run) {
  return {{"iterations", run.iterations},
          {"stop_reason", static_cast<int>(run.stop_reason)},
          {"iterating_seconds", run.iterating_seconds},
          {"peak_device_bytes", run.peak_device_bytes},
          {"missing_voxels", run.missing_voxels},
          {"non_finite_voxels", run.non_finite_voxels},
          {"saturated_input_voxels", run.saturated_input_voxels},
          {"negative_voxels", run.negative_voxels},
          {"negative_sum", run.negative_sum},
          {"saturated_voxels", run.saturated_voxels},
          {"background", run.background},
          {"dim_level", run.dim_level},
          {"input_sum", run.input_sum},
          {"output_sum", run.output_sum},
          {"seam_voxels", run.seam.voxels},
          {"seam_relative_l2", run.seam.relative_l2},
          {"seam_largest_difference", run.seam.largest_difference},
          {"skipped_tiles", run.skipped_tiles}};
}

/// JSON has no infinite numbers: a null is one.
double sum_from(const RankJson& value) {
  return value.is_null() ? std::numeric_limits<double>::infinity() : value.get<double>();
}

DeconvolutionReport report_from(const RankJson& sent) {
  DeconvolutionReport run;
  run.iterations = sent.at("iterations");
  run.stop_reason = static_cast<StopReason>(sent.at("stop_reason").get<int>());
  run.iterating_seconds = sent.at("iterating_seconds");
  run.peak_device_bytes = sent.at("peak_device_bytes");
  run.missing_voxels = sent.at("missing_voxels");
  run.non_finite_voxels = sent.at("non_finite_voxels");
  run.saturated_input_voxels = sent.at("saturated_input_voxels");
  run.negative_voxels = sent.at("negative_voxels");
  run.negative_sum = sum_from(sent.at("negative_sum"));
  run.saturated_voxels = sent.at("saturated_voxels");
  run.background = sum_from(sent.at("background"));
  run.dim_level = sum_from(sent.at("dim_level"));
  run.input_sum = sum_from(sent.at("input_sum"));
  run.output_sum = sum_from(sent.at("output_sum"));
  run.seam = {sent.at("seam_voxels"), sum_from(sent.at("seam_relative_l2")),
              sum_from(sent.at("seam_largest_difference"))};
  run.skipped_tiles = sent.at("skipped_tiles");
  return run;
}

/// All ranks of a single image look through the whole of it: that counts once.
void forget_input(DeconvolutionReport& run) {
  run.missing_voxels = run.non_finite_voxels = run.saturated_input_voxels = run.negative_voxels = 0;
  run.negative_sum = run.input_sum = 0;
}

RankJson to_json(const World& world, const std::string& part, const cli::DeconvolveRecord& record) {
  RankJson devices = RankJson::array();
  Index num_tiles = 0;
  for (std::size_t i = 0; i < record.devices.size(); ++i) {
    const DeviceShare share = i < record.run.devices.size() ? record.run.devices[i] : DeviceShare{};
    num_tiles += share.num_tiles;
    devices.push_back({{"id", record.devices[i].id},
                       {"name", record.devices[i].name},
                       {"num_tiles", share.num_tiles},
                       {"failure", share.failure}});
  }
  return {{"host", world.host()},   {"part", part},
          {"devices", devices},     {"run_seconds", record.times.run_seconds},
          {"num_tiles", num_tiles}, {"run", report_to_json(record.run)}};
}

void add(cli::DeconvolveRecord& record, int rank, const RankJson& sent) {
  record.ranks.push_back({rank, sent.at("host"), sent.at("part"), sent.at("num_tiles"), sent.at("run_seconds")});
  if (rank == 0) return;
  for (const RankJson& device : sent.at("devices")) {
    DeviceInfo info;
    info.id = fmt::format("{} of rank {}", device.at("id").get<std::string>(), rank);
    info.name = device.at("name");
    record.devices.push_back(info);
    record.run.devices.push_back({info.id, device.at("num_tiles"), device.at("failure")});
  }
  DeconvolutionReport run = report_from(sent.at("run"));
  run.psf = record.run.psf;
  if (record.num_images == 1) forget_input(run);
  record.run.add(run);
}

}  // namespace

std::optional<cli::DeconvolutionShare> MpiRank::own_share(const DeconvolutionSpec& whole, Index num_images,
                                                          const std::function<PlanOptions()>& options,
                                                          const std::vector<Device>& on) {
  if (world_.num_ranks() > 1 && num_images == 1) return own_region(whole, options(), on);
  return own_images(whole, num_images);
}

/// Those that follow each other; where there are fewer time points than ranks, those of a few PSFs.
std::optional<cli::DeconvolutionShare> MpiRank::own_images(const DeconvolutionSpec& whole, Index num_images) {
  cli::DeconvolutionShare share{whole, {}, 0, {}};
  const Index num_groups = num_images / whole.num_psfs;
  const bool by_psf = whole.num_psfs > 1 && num_groups < world_.num_ranks();
  const auto [begin, end] = range_of(by_psf ? whole.num_psfs : num_groups, world_.rank(), world_.num_ranks());
  for (Index image = 0; image < num_images; ++image) {
    const Index place = by_psf ? image % whole.num_psfs : image / whole.num_psfs;
    if (place >= begin && place < end) share.images.push_back(image);
  }
  if (by_psf) {
    share.first_psf = begin;
    share.spec.num_psfs = end - begin;
  }
  part_ = {{0, 0, 0}, output_shape(whole)};
  part_text_ = fmt::format("{} of {} images", share.images.size(), num_images);
  if (share.images.empty()) return {};
  return share;
}

/// Rank 0's, cut for all devices to have some.
Shape MpiRank::core_of_tiles(const DeconvolutionSpec& whole, const PlanOptions& options,
                             const std::vector<Device>& on) {
  if (options.tile_output) return *options.tile_output;
  if (!server_) {
    const Answer answer = world_.ask({RequestKind::core, 0, {}}, {});
    if (!answer.goes_on) throw Error(Errc::io, kStopped);
    return {answer.values[0], answer.values[1], answer.values[2]};
  }
  PlanOptions for_all = options;
  for_all.min_tiles = std::max<Index>(for_all.min_tiles, world_.num_ranks() * static_cast<Index>(on.size()));
  return make_plan(whole, on, for_all).fast->core;
}

std::optional<cli::DeconvolutionShare> MpiRank::own_region(const DeconvolutionSpec& whole, PlanOptions options,
                                                           const std::vector<Device>& on) {
  cli::DeconvolutionShare share{whole, {0}, 0, {}};
  share.spec.tiles = Tiles::fast;
  try {
    validate(share.spec);
  } catch (const Error& problem) {
    throw Error(problem.code(),
                fmt::format("several ranks restore one image in fast tiles ({}); start one rank", problem.what()));
  }
  limit(options, on);
  share.core = core_of_tiles(share.spec, options, on);
  if (server_) server_->set_core(*share.core);
  options.tile_output = share.core;
  options.min_tiles = 1;
  const std::vector<Box> regions = regions_for(make_plan(share.spec, on, options), world_.num_ranks());
  if (static_cast<std::size_t>(world_.rank()) >= regions.size()) {
    part_text_ = "none";
    return {};
  }
  part_ = regions[static_cast<std::size_t>(world_.rank())];
  share.spec.region = part_;
  if (whole.region) {
    for (int axis = 0; axis < 3; ++axis) part_.begin[axis] -= whole.region->begin[axis];
  }
  part_text_ = to_text(part_);
  return share;
}

void MpiRank::share(cli::DeconvolveRecord& record) {
  const RankJson own = to_json(world_, part_text_, record);
  told_ = own.dump(-1, ' ', false, RankJson::error_handler_t::replace);
  if (!server_) return;
  add(record, 0, own);
  for (const auto& [rank, sent] : server_->wait_for_others()) add(record, rank, RankJson::parse(sent));
}

}  // namespace convoy::mpi
