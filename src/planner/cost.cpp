#include "planner/cost.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "device_model/device_model.hpp"
#include "fft/plan.hpp"
#include "fft/plane_shape.hpp"
#include "fft/tile_shape.hpp"
#include "planner/filter_storage.hpp"
#include "planner/lengths.hpp"

namespace convoy::inline v0 {
namespace {

struct Pass {
  double bytes;
  double slowdown;
};

/// Of the host's threads, all together but where it says otherwise; in single precision.
struct HostWork {
  double seconds = 0;
  double seconds_of_one_thread = 0;  ///< of what is not shared out
  double traffic_bytes = 0;
  double times_moved = 1;  ///< what does not stay in caches: lines that are written are read first
  double held_bytes = 0;
  int num_loops = 0;
};

HostWork host_sums(const TileLayout& layout, double downloaded, const DeviceModel& model) {
  const bool separable = layout.path == Path::separable;
  const int passes = separable ? layout.num_terms * (layout.num_work_slots() + 1) : 1;
  const double sums = separable ? static_cast<double>(layout.image_bytes() / real_bytes(layout.precision)) : downloaded;
  const double moved = static_cast<double>(layout.image_bytes() + layout.result_bytes());
  HostWork work;
  work.seconds = sums * (static_cast<double>(layout.num_taps()) / model.products_per_thread_second +
                         passes * model.host_sum_seconds);
  work.traffic_bytes = passes * moved;
  work.times_moved = 2;
  work.held_bytes = moved + static_cast<double>(layout.work_bytes());
  work.num_loops = 2 + passes;
  return work;
}

/// FFTW takes longer for each factor that is no power of two, the more the larger it is; of a lone row it has no vector
/// code for some.
double weight_of_factors(Index length, bool lone_row, const DeviceModel& model) {
  double weight = length_weight(length);
  const auto divide_by = [&](Index radix, double times) {
    for (; length % radix == 0; length /= radix) weight *= times;
  };
  const double small = model.host_small_factor;
  if (!lone_row && length % 3 == 0 && std::has_single_bit(static_cast<std::uint64_t>(length / 3))) {
    weight *= model.host_single_three;
  }
  for (const Index radix : {3, 5}) divide_by(radix, small);
  divide_by(7, small * small);
  for (const Index radix : {11, 13}) divide_by(radix, lone_row ? model.host_large_factor : std::pow(small, 4));
  return weight;
}

/// Rows forth and back, then columns; of a single row one thread does all.
HostWork host_transforms(const TileLayout& layout, const DeviceModel& model) {
  const auto& [p0, p1, p2] = layout.padded;
  const auto both_ways = [&](double count, double elements, Index length) {
    const double stages = std::log2(std::max(2.0, elements));
    return 2 * count * elements * weight_of_factors(length, layout.num_axes == 1, model) *
           (model.host_element_seconds + model.host_stage_seconds * stages);
  };
  const double columns = static_cast<double>(p0 / 2 + 1);
  const double planes = static_cast<double>(layout.extent[2]);
  const double rows = both_ways(static_cast<double>(layout.extent[1]) * planes, columns, p0) *
                      (p0 % 2 == 1 && p0 > 1 ? model.host_odd_row : 1);
  const double bytes = static_cast<double>(layout.work_bytes());
  HostWork work;
  work.traffic_bytes = 2 * static_cast<double>(layout.image_bytes()) + static_cast<double>(layout.spectrum_bytes()) +
                       2 * bytes * layout.num_axes;
  work.held_bytes = static_cast<double>(layout.image_bytes() + layout.spectrum_bytes()) + bytes;
  if (layout.num_axes == 1) {
    const auto beyond = [&](Index most) { return std::max(0.0, std::log2(columns / static_cast<double>(most))); };
    work.seconds_of_one_thread = rows + 2 * columns *
                                            (beyond(model.host_long_row) * model.host_long_row_seconds +
                                             beyond(model.host_longest_row) * model.host_longest_row_seconds);
    return work;
  }
  work.seconds = rows + both_ways(columns * planes, static_cast<double>(p1), p1);
  if (layout.num_axes == 3) work.seconds += both_ways(columns * static_cast<double>(p1), static_cast<double>(p2), p2);
  work.num_loops = layout.num_axes == 3 ? 7 : 5;
  return work;
}

}  // namespace

CostModel::CostModel(const Limits& limits, bool resident)
    : limits_(limits),
      predicts_(limits.memory_bytes_per_second > 0),
      memory_bytes_per_second_(limits.memory_bytes_per_second),
      transfer_seconds_per_byte_(0),
      overhead_seconds_(resident ? model_of(limits).device_array_overhead_seconds
                                 : model_of(limits).tile_overhead_seconds),
      resident_(resident) {
  if (!predicts_) memory_bytes_per_second_ = model_of(limits).memory_bytes_per_second;
  if (resident) return;
  const double reported = limits.transfer_bytes_per_second;
  const double transfer_rate = reported > 0 ? reported : model_of(limits).transfer_bytes_per_second;
  if (transfer_rate > 0) transfer_seconds_per_byte_ = 1 / transfer_rate;
}

TileCost CostModel::chosen_tile(const TileLayout& layout, double downloaded, int num_in_flight) const {
  const bool native = layout.path == Path::native;
  return tile(layout, downloaded, num_in_flight, native && fused_planes_profitable(layout, limits_));
}

TileCost CostModel::tile(const TileLayout& layout, double downloaded, int num_in_flight, bool meets_in_cache) const {
  if (model_of(limits_).host_element_seconds > 0) return on_host(layout, downloaded, num_in_flight);
  if (sums_directly(layout.path)) return tile_without_transforms(layout, downloaded);
  if (layout.in_one_launch && layout.num_axes == 1) return lines(layout, downloaded);
  if (layout.in_one_launch) return tiles_in_one_launch(layout, downloaded);
  const DeviceModel& model = model_of(limits_);
  const auto& [p0, p1, p2] = layout.padded;
  const double real = static_cast<double>(real_bytes(layout.precision));
  const double batch = static_cast<double>(layout.batch);
  const auto kernels = static_cast<double>(layout.fan.num);
  // Of transforms forth and back; each moves half of what a pass forth and back does.
  const double transforms = static_cast<double>(layout.fan.num_inputs() + layout.fan.num_outputs()) / 2;
  const double voxels = transforms * batch * static_cast<double>(layout.extent[0]) *
                        static_cast<double>(layout.extent[1]) * static_cast<double>(layout.extent[2]);
  // The gap that aligns rows is not read; the staged path transforms it along.
  const Index row_length = layout.path == Path::staged ? layout.row_pitch : p0 / 2 + 1;
  const double row = 2 * real * static_cast<double>(row_length);
  const double unpadded =
      transforms * batch * row * static_cast<double>(layout.extent[1]) * static_cast<double>(layout.extent[2]);
  const double half_padded = transforms * batch * row * static_cast<double>(p1) * static_cast<double>(layout.extent[2]);
  const double padded = row * static_cast<double>(p1) * static_cast<double>(p2);

  const bool volume = layout.num_axes == 3;
  const Index last = volume ? p2 : p1;
  const double stored = static_cast<double>(layout.kernel_extent > 0 ? layout.kernel_extent : last);
  const double spectrum = padded / static_cast<double>(last) * stored;
  const double work = (volume ? half_padded : unpadded) / transforms;
  // A batch's tiles are all read before the first is multiplied, so that its work need not fit; but columns of a tile
  // are read while others are.
  const double room = model.usable_cache * static_cast<double>(limits_.cache_bytes);
  const bool alone = layout.batch == 1;
  const bool meets_cache = !volume && work / batch + padded <= (alone ? room : room / 2);
  const double in_cache = !meets_cache ? 1 : alone ? model.cached_pass : model.cached_batch_pass;
  const bool native = layout.path == Path::native;
  const auto of_columns = [&](Index length) {
    const bool has_multiprocessor = native && 2 * model.lone_column_bytes * static_cast<double>(length) >
                                                  static_cast<double>(limits_.shared_memory_bytes);
    return length_weight(length) * (has_multiprocessor ? model.lone_columns : in_cache);
  };
  const double contiguous = model.contiguous_pass * length_weight(p0) * (p0 % 2 == 1 && p0 > 1 ? model.odd_row : 1) *
                            (!native && p0 > model.long_row_length && (p0 & (p0 - 1)) != 0 ? model.long_row : 1);
  const Pass image{2 * real * voxels, meets_in_cache ? model.plane_pass : contiguous};
  const Pass rows{meets_in_cache ? 0 : 2 * unpadded, contiguous * in_cache};
  const Pass middle{!volume          ? 0
                    : meets_in_cache ? 2 * half_padded
                                     : 2 * (unpadded + half_padded),
                    (meets_in_cache ? model.plane_pass : model.strided_pass) * of_columns(p1)};
  // What is added up is read, too.
  const double sums = layout.fan.kind == KernelFan::Kind::gather ? (kernels - 1) * work : 0;
  Pass product{kernels * (2 * work + spectrum) + sums, model.product_pass * of_columns(last)};
  if (layout.kernel_extent > 0 && model.instructions_per_second == 0) {
    product.slowdown *= model.compact_filter_pass * (kernels * (2 * work + padded) + sums) / product.bytes;
  }
  const Pass staging{layout.path == Path::staged ? 4 * transforms * batch * padded : 0,
                     model.strided_pass * length_weight(last)};
  const Pass copies{resident_ && !layout.reads_arrays ? 2 * real * (voxels + transforms * downloaded) : 0, 1};

  TileCost cost;
  double streamed_bytes = 0;
  for (const Pass& pass : {image, rows, middle, product, staging, copies}) {
    cost.traffic_bytes += pass.bytes;
    streamed_bytes += pass.bytes * pass.slowdown;
  }
  const auto sequences = static_cast<double>(layout.reads_arrays ? layout.num_spectra_slots() : 1);
  cost.compute_seconds = streamed_bytes / memory_bytes_per_second_ + sequences * overhead_seconds_ +
                         kernels * model.product_pass * seconds_of_kernel_on_the_way(layout, limits_);
  return with_transfers(cost, layout, downloaded);
}

double CostModel::threads_of_tile(int num_in_flight) const {
  if (has_lanes(limits_) && num_in_flight > 1) return 1;
  return static_cast<double>(std::max<std::uint64_t>(1, limits_.num_host_threads));
}

namespace {

/// What a turn of several kernels does more of than one: transforms of what comes in and goes out along all axes but
/// the last, which is the products'; sums all of it.
double times_of_turn(const TileLayout& layout) {
  const auto kernels = static_cast<double>(layout.fan.num);
  if (sums_directly(layout.path)) return kernels;
  const double transforms = static_cast<double>(layout.fan.num_inputs() + layout.fan.num_outputs()) / 2;
  const double last = layout.num_axes == 1 ? 0 : 1.0 / layout.num_axes;
  return (1 - last) * transforms + last * kernels;
}

}  // namespace

/// The voxels are gathered and scattered, and of transforms each element costs something at each stage; what does not
/// stay in a thread's cache is moved besides.
TileCost CostModel::on_host(const TileLayout& layout, double downloaded, int num_in_flight) const {
  const DeviceModel& model = model_of(limits_);
  HostWork work = sums_directly(layout.path) ? host_sums(layout, downloaded, model) : host_transforms(layout, model);
  if (!layout.fan.is_single()) {
    const double times = times_of_turn(layout);
    for (double* one : {&work.seconds, &work.seconds_of_one_thread, &work.traffic_bytes}) *one *= times;
    work.held_bytes *= static_cast<double>(layout.fan.num);
    work.num_loops *= static_cast<int>(layout.fan.num);
  }
  const double image_bytes = static_cast<double>(layout.image_bytes());
  const double real = static_cast<double>(real_bytes(layout.precision));
  const double wider = real / sizeof(float);  // vectors hold half as many
  const double tiles_in = static_cast<double>(layout.fan.num_inputs());
  const double tiles_out = static_cast<double>(layout.fan.num_outputs());
  const double voxels = image_bytes / real;
  const double rows = (tiles_in + tiles_out) * voxels / static_cast<double>(layout.extent[0]);
  // Loops over less are not shared out.
  const double shares = std::ceil(image_bytes / model.host_bytes_of_share);
  const double threads = std::min(threads_of_tile(num_in_flight), shares);
  // What threads do together, each finds half in another's cache, or in a third.
  const double in_cache = std::min(1.0, model.host_cache_bytes * threads / work.held_bytes) / threads;
  const double busy = wider * (work.seconds + model.host_voxel_seconds * (tiles_in * voxels + tiles_out * downloaded)) +
                      model.host_row_seconds * rows +
                      (1 - in_cache) * work.times_moved * work.traffic_bytes * model.host_seconds_per_byte;
  TileCost cost;
  cost.traffic_bytes = work.traffic_bytes;
  cost.compute_seconds = wider * work.seconds_of_one_thread + busy / threads + overhead_seconds_ +
                         (threads > 1 ? work.num_loops * model.host_loop_seconds : 0);
  if (has_lanes(limits_) && num_in_flight > 1) {
    cost.once_seconds = 2 * model.host_loop_seconds;
    cost.side_by_side = std::min(num_in_flight, static_cast<int>(limits_.num_host_threads));
  }
  return with_transfers(cost, layout, downloaded);
}

TileCost CostModel::lines(const TileLayout& layout, double downloaded) const {
  const DeviceModel& model = model_of(limits_);
  const double real = static_cast<double>(real_bytes(layout.precision));
  const Index length = layout.padded[0];
  const auto radices = line_radices_of(length);
  const auto kernels = static_cast<double>(layout.fan.num);
  const double pairs = kernels * std::ceil(static_cast<double>(layout.batch) / 2);
  const double groups_beside =
      std::floor(static_cast<double>(limits_.shared_memory_bytes) / (2 * real * static_cast<double>(length)));
  double slowdown = model.line + model.line_stage * static_cast<double>(radices ? radices->size() : 1);
  if (groups_beside < 2) slowdown *= model.lone_line;
  // Fewer pairs than run beside each other take as long as those.
  const double most_pairs =
      std::clamp(groups_beside, 1.0, model.lines_that_hide_latency) * static_cast<double>(limits_.num_multiprocessors);
  slowdown *= std::max(1.0, most_pairs / pairs);
  TileCost cost;
  cost.traffic_bytes = kernels * real * (static_cast<double>(layout.batch * layout.extent[0]) + downloaded);
  cost.compute_seconds =
      4 * real * pairs * static_cast<double>(length) * slowdown / memory_bytes_per_second_ + overhead_seconds_;
  cost.traffic_bytes *= static_cast<double>(layout.fan.num);
  cost.compute_seconds *= static_cast<double>(layout.fan.num);
  return with_transfers(cost, layout, downloaded);
}

/// Of pairs of tiles, through shared memory; voxels are read with their halos, which a cache serves.
TileCost CostModel::tiles_in_one_launch(const TileLayout& layout, double downloaded) const {
  const DeviceModel& model = model_of(limits_);
  const auto shape = tile_shape(layout.padded, layout.precision, limits_);
  const double real = static_cast<double>(real_bytes(layout.precision));
  const double pairs = std::ceil(static_cast<double>(layout.batch) / 2);
  const double elements = static_cast<double>(layout.padded[0]) * static_cast<double>(layout.padded[1]);
  const auto groups = static_cast<double>(shape ? shape->groups : 1);
  // Fewer pairs than run beside each other take as long as those.
  const double beside = groups * static_cast<double>(std::max<std::uint64_t>(1, limits_.num_multiprocessors));
  const double rounds = std::max(1.0, beside / pairs);
  TileCost cost;
  cost.traffic_bytes = real * (static_cast<double>(layout.batch) * static_cast<double>(layout.extent[0]) *
                                   static_cast<double>(layout.extent[1]) +
                               downloaded);
  const double of_lengths = (length_weight(layout.padded[0]) + length_weight(layout.padded[1])) / 2;
  const double in_shared = 4 * real * pairs * elements * model.tile_in_shared * of_lengths * rounds;
  const double seconds = (in_shared + model.tile_voxels * cost.traffic_bytes) *
                         (1 - model.lone_tile / 2 + model.lone_tile / groups) / memory_bytes_per_second_;
  const auto kernels = static_cast<double>(layout.fan.num);
  cost.compute_seconds = kernels * seconds + overhead_seconds_;
  cost.traffic_bytes *= kernels;
  return with_transfers(cost, layout, downloaded);
}

TileCost CostModel::with_transfers(TileCost cost, const TileLayout& layout, double downloaded) const {
  const double uploaded_bytes =
      static_cast<double>(layout.fan.num_inputs()) * static_cast<double>(layout.image_bytes());
  const double downloaded_bytes =
      static_cast<double>(layout.fan.num_outputs()) * static_cast<double>(real_bytes(layout.precision)) * downloaded;
  const double run_bytes = static_cast<double>(real_bytes(layout.precision)) * static_cast<double>(layout.host_run);
  const double seconds_per_byte = transfer_seconds_per_byte_ * (1 + model_of(limits_).bytes_per_host_run / run_bytes);
  if (transfer_seconds_per_byte_ > 0) cost.transfer_bytes = uploaded_bytes + downloaded_bytes;
  cost.upload_seconds = uploaded_bytes * seconds_per_byte;
  cost.download_seconds = downloaded_bytes * seconds_per_byte;
  return cost;
}

TileCost CostModel::tile_without_transforms(const TileLayout& layout, double downloaded) const {
  if (layout.reads_arrays) return sums_of_arrays(layout);
  const double voxels = static_cast<double>(layout.image_bytes() / real_bytes(layout.precision));
  TileCost cost;
  double products = 0;
  if (layout.path == Path::direct) {
    cost.traffic_bytes = static_cast<double>(layout.image_bytes() + layout.result_bytes());
    products = downloaded * static_cast<double>(layout.num_taps());
  } else {
    const double passes = static_cast<double>(layout.num_terms * (layout.num_work_slots() + 1));
    cost.traffic_bytes = 2 * passes * static_cast<double>(layout.image_bytes());
    products = voxels * static_cast<double>(layout.num_taps());
  }
  cost.traffic_bytes *= static_cast<double>(layout.fan.num);
  products *= static_cast<double>(layout.fan.num);
  if (resident_) cost.traffic_bytes += 2 * static_cast<double>(layout.image_bytes() + layout.result_bytes());
  cost.compute_seconds = cost.traffic_bytes / memory_bytes_per_second_ +
                         products / products_per_second(layout.precision) + overhead_seconds_;
  return with_transfers(cost, layout, downloaded);
}

/// Read once, written once, and halos read again, which a cache serves; products run beside that.
TileCost CostModel::sums_of_arrays(const TileLayout& layout) const {
  const DeviceModel& model = model_of(limits_);
  double voxels = static_cast<double>(layout.batch);
  for (const Index extent : layout.extent) voxels *= static_cast<double>(extent);
  const auto& [x, y, z] = layout.kernel;
  const double taps = layout.path == Path::direct
                          ? static_cast<double>(layout.num_taps())
                          : model.products_between_barriers * layout.num_terms *
                                (model.halo_of_row_sums * static_cast<double>(x) + static_cast<double>(y + z));
  TileCost cost;
  cost.traffic_bytes = 2 * static_cast<double>(real_bytes(layout.precision)) * voxels;
  const double moving = model.sums_pass * cost.traffic_bytes / memory_bytes_per_second_;
  const double multiplying = voxels * taps / products_per_second(layout.precision);
  cost.compute_seconds =
      std::max(moving, multiplying) + model.sums_not_hidden * std::min(moving, multiplying) + overhead_seconds_;
  return cost;
}

double CostModel::products_per_second(Precision precision) const {
  const DeviceModel& model = model_of(limits_);
  const auto threads = static_cast<double>(std::max<std::uint64_t>(1, limits_.num_host_threads));
  const auto multiprocessors = static_cast<double>(limits_.num_multiprocessors);
  const double single = limits_.num_multiprocessors > 0 && model.products_per_multiprocessor_second > 0
                            ? model.products_per_multiprocessor_second * multiprocessors
                        : model.products_per_byte > 0 ? model.products_per_byte * memory_bytes_per_second_
                                                      : model.products_per_thread_second * threads;
  return precision == Precision::f32 ? single : single / 2;
}

double run_seconds(const TileCost& tile, Index num_tiles, int num_in_flight) {
  if (tile.side_by_side > 1) {
    return tile.once_seconds + std::ceil(static_cast<double>(num_tiles) / tile.side_by_side) * tile.seconds();
  }
  const double slowest = std::max({tile.upload_seconds, tile.compute_seconds, tile.download_seconds});
  const double period = std::max(slowest, tile.seconds() / num_in_flight);
  return tile.seconds() + static_cast<double>(num_tiles - 1) * period;
}

double run_seconds(const Plan& plan) {
  const TileLayout layout = layout_of(plan);
  double downloaded = static_cast<double>(layout.batch) * static_cast<double>(layout.extent[0]);
  for (int d = 1; d < 3; ++d) {
    const int axis = plan.device_axes[static_cast<std::size_t>(d)];
    downloaded *= static_cast<double>(plan.axes[static_cast<std::size_t>(axis)].tile_output);
  }
  const TileCost cost = CostModel(plan.limits, plan.resident).chosen_tile(layout, downloaded, plan.num_in_flight);
  return run_seconds(cost, plan.num_batches(), plan.num_in_flight);
}

}  // namespace convoy::inline v0
