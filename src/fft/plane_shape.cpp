#include "fft/plane_shape.hpp"

#include <algorithm>

#include "device_model/common.hpp"
#include "device_model/device_model.hpp"
#include "fft/plan.hpp"

namespace convoy::inline v0 {
namespace {

using device_model::kWarp;

/// As many pairs of rows as the threads and the shared memory of the columns allow; false if not even one.
bool give_rows(PlaneShape& shape, Precision precision, const Limits& limits) {
  const DeviceModel& model = model_of(limits);
  PassShape& rows = shape.rows;
  rows.threads = even_shares(rows.length / rows.radices.front(), std::min(shape.threads(), model.max_row_threads));
  const Index whole_warps = ceil_divided(rows.threads, kWarp) * kWarp;
  if (whole_warps - rows.threads <= whole_warps / 8 && whole_warps <= shape.threads()) rows.threads = whole_warps;
  const auto row_bytes = static_cast<std::uint64_t>(bank_padded_length(rows)) * complex_size(precision);
  const auto column_bytes =
      static_cast<std::uint64_t>(shape.columns.width * shape.columns.length) * complex_size(precision);
  const std::uint64_t room = std::max(column_bytes, shared_memory_budget_bytes(limits));
  rows.width = std::min(shape.threads() / rows.threads, static_cast<Index>(room / row_bytes));
  if (rows.width == 0) return false;
  const auto group_bytes = static_cast<std::uint64_t>(shape.num_shared()) * complex_size(precision);
  const auto held = static_cast<Index>(limits.shared_memory_bytes / group_bytes);
  shape.groups = std::max<Index>(1, std::min(held, model.resident_plane_threads / shape.threads()));
  return true;
}

/// Threads with something to do on a multiprocessor, in rows and in columns of so many butterflies each.
double busy_threads(const PlaneShape& shape, Index butterflies) {
  const Index rounds = ceil_divided(butterflies, shape.columns.threads);
  const double of_columns = static_cast<double>(shape.columns.width * butterflies) / static_cast<double>(rounds);
  const auto of_rows = static_cast<double>(shape.rows.width * shape.rows.threads);
  return static_cast<double>(shape.groups) * (of_columns + of_rows);
}

Index num_columns(const PlaneShape& shape) { return shape.rows.length / 2 + 1; }

/// Of planes between making and waiting.
double held_bytes(const PlaneSchedule& schedule, const PlaneShape& shape, const std::array<Index, 3>& extent,
                  Precision precision) {
  const auto plane = static_cast<std::uint64_t>(num_columns(shape) * extent[1]) * complex_size(precision);
  return schedule.num_planes_held() * static_cast<double>(plane);
}

}  // namespace

Index PlaneShape::num_shared() const {
  return std::max(rows.width * bank_padded_length(rows), columns.width * columns.length);
}

std::optional<PlaneShape> plane_shape(Index row_length, Index column_length, std::uint64_t width_bytes,
                                      Precision precision, const Limits& limits) {
  const auto columns = column_shape(column_length, ColumnRole::transform, precision, limits, {width_bytes, 0});
  const auto radices = row_radices_of(row_length);
  if (!columns || !radices || radices->empty()) return {};
  const DeviceModel& model = model_of(limits);
  const Index butterflies = column_length / columns->radices.front();
  std::optional<PlaneShape> best;
  for (Index threads = butterflies; threads > 0; --threads) {
    PlaneShape shape{{row_length, *radices, 1, 1, best_bank_padding(*radices)}, *columns};
    shape.columns.threads = threads;
    if (shape.threads() > model.max_plane_threads) continue;
    if (best && shape.threads() < model.min_plane_threads) break;
    if (!give_rows(shape, precision, limits)) continue;
    if (!best || busy_threads(shape, butterflies) >= busy_threads(*best, butterflies)) best = shape;
  }
  return best;
}

bool PlaneShape::pairs_are_warps() const {
  return rows.threads % kWarp == 0 && rows.width <= device_model::kBarriersForPairs;
}
Index PlaneShape::row_groups(Index rows_per_plane) const { return ceil_divided(rows_per_plane, 2 * rows.width); }
Index PlaneShape::column_groups(Index num_columns) const { return ceil_divided(num_columns, columns.width); }

PlaneSchedule schedule_of_planes(const PlaneShape& shape, bool rows_make, const std::array<Index, 3>& extent,
                                 Precision precision, const Limits& limits) {
  const DeviceModel& model = model_of(limits);
  const Index rows = shape.row_groups(extent[1]);
  const Index columns = shape.column_groups(num_columns(shape));
  const Index producers = rows_make ? rows : columns;
  const Index consumers = rows_make ? columns : rows;
  const auto at_work = static_cast<Index>(limits.num_multiprocessors) * shape.groups;
  const auto behind = [&](Index groups) {
    const Index lead = consumers + ceil_divided(groups * consumers, producers + consumers);
    return PlaneSchedule{producers, consumers, std::min(lead, consumers * extent[2])};  // all that there are
  };
  const PlaneSchedule ample = behind(at_work + ceil_divided(at_work, model.ample_share));
  const bool roomy =
      held_bytes(ample, shape, extent, precision) <= model.roomy_plane_cache * static_cast<double>(limits.cache_bytes);
  return roomy ? ample : behind(at_work);
}

bool fused_planes_profitable(const PlaneShape& shape, const std::array<Index, 3>& extent, Precision precision,
                             const Limits& limits) {
  if (shape.groups < 2) return false;  // nothing computes while rows are waited for
  const auto multiprocessors = static_cast<double>(limits.num_multiprocessors);
  if (limits.memory_bytes_per_second > model_of(limits).fastest_plane_memory * multiprocessors) return false;
  const PlaneSchedule schedule = schedule_of_planes(shape, true, extent, precision, limits);
  return held_bytes(schedule, shape, extent, precision) <=
         model_of(limits).plane_cache * static_cast<double>(limits.cache_bytes);
}

std::array<Index, 3> planes_of_batch(const FftGeometry& geometry) {
  const auto& [x, y, z] = geometry.extent;
  return {x, y, z * geometry.batch};
}

bool fused_planes_profitable(const FftGeometry& geometry, const Limits& limits) {
  if (geometry.num_axes < 3 || !limits.workgroups_may_wait) return false;
  const auto& padded = geometry.padded;
  const auto shape =
      plane_shape(padded[0], padded[1], common_width_bytes(geometry.num_axes, padded, geometry.precision, limits),
                  geometry.precision, limits);
  return shape && fused_planes_profitable(*shape, planes_of_batch(geometry), geometry.precision, limits);
}

std::uint64_t plane_counters_bytes(const FftGeometry& geometry, const Limits& limits) {
  if (geometry.num_axes < 3 || !limits.workgroups_may_wait) return 0;
  return sizeof(std::uint32_t) * static_cast<std::uint64_t>(planes_of_batch(geometry)[2] + 1);
}

}  // namespace convoy::inline v0
