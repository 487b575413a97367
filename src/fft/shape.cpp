#include "fft/shape.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <complex>
#include <cstring>

#include "device_model/common.hpp"
#include "device_model/device_model.hpp"
#include "fft/plan.hpp"
#include "fft/tile_shape.hpp"

namespace convoy::inline v0 {
namespace {

/// Eighths of a row that gaps take at most.
constexpr Index kMostSkewed = 3;
constexpr double kLowBits = 8388608;  // 2^23

bool has_large_memory(const Limits& limits) {
  return limits.shared_memory_bytes > model_of(limits).large_shared_memory_bytes;
}

std::vector<double> twiddle_factors(const std::vector<Index>& radices) {
  Index length = 1;
  for (const Index radix : radices) length *= radix;
  const std::vector<std::complex<double>> roots = roots_of_unity(length);
  std::vector<double> numbers;
  Index sub_length = length;
  for (const Index radix : radices) {
    const Index stride = sub_length / radix;
    for (Index n = 0; n < stride; ++n) {
      const std::complex<double> root = roots[static_cast<std::size_t>(n * (length / sub_length))];
      numbers.insert(numbers.end(), {root.real(), root.imag()});
    }
    sub_length = stride;
  }
  return numbers;
}

std::vector<std::byte> table_of(std::vector<double> numbers, Index length, Precision precision) {
  numbers.resize(static_cast<std::size_t>(2 * pass_table_length(length)));
  std::vector<std::byte> bytes(numbers.size() * complex_size(precision) / 2);
  if (precision == Precision::f64) {
    std::memcpy(bytes.data(), numbers.data(), bytes.size());
  } else {
    const std::vector<float> singles(numbers.begin(), numbers.end());
    std::memcpy(bytes.data(), singles.data(), bytes.size());
  }
  return bytes;
}

}  // namespace

std::uint64_t complex_size(Precision precision) { return precision == Precision::f32 ? 8 : 16; }

std::uint64_t shared_memory_budget_bytes(const Limits& limits) {
  return has_large_memory(limits) ? limits.shared_memory_bytes / 16 * 5
                                  : std::min(limits.shared_memory_bytes, model_of(limits).usual_shared_memory_bytes);
}

Index even_shares(Index butterflies, Index most) { return ceil_divided(butterflies, ceil_divided(butterflies, most)); }

std::optional<std::vector<Index>> column_radices(Index length, ColumnRole role, Precision precision,
                                                 const Limits& limits) {
  if (role != ColumnRole::product) return column_radices_of(length);
  return product_radices_of(length, precision == Precision::f32 && has_large_memory(limits));
}

std::optional<PassShape> column_shape(Index length, ColumnRole role, Precision precision, const Limits& limits,
                                      PassTuning tuning) {
  const auto radices = column_radices(length, role, precision, limits);
  if (!radices || radices->empty()) return {};
  const DeviceModel& model = model_of(limits);
  const std::uint64_t column_bytes = static_cast<std::uint64_t>(length) * complex_size(precision);
  std::uint64_t width = device_model::kWidestBytes / complex_size(precision);
  if (tuning.width_bytes > 0) {
    width = std::max<std::uint64_t>(1, tuning.width_bytes / complex_size(precision));
  } else {
    const auto narrow_to = [&](std::uint64_t access_bytes, std::uint64_t group_bytes) {
      const std::uint64_t narrowest = access_bytes / complex_size(precision);
      while (width > narrowest && width * column_bytes > group_bytes) width /= 2;
    };
    narrow_to(model.narrow_bytes, shared_memory_budget_bytes(limits));
    narrow_to(model.narrowest_bytes, limits.shared_memory_bytes);
  }
  if (width * column_bytes > limits.shared_memory_bytes) return {};
  const bool large_memory = has_large_memory(limits);
  const bool alone = large_memory && 2 * width * column_bytes > limits.shared_memory_bytes;
  const std::uint64_t usual = alone ? model.max_lone_column_threads : model.max_column_threads;
  const std::uint64_t most = tuning.max_threads > 0 ? tuning.max_threads : usual;
  const auto most_for_one = static_cast<Index>(std::max<std::uint64_t>(1, most / width));
  // Large groups with so many registers need a compiler that is given their number: CUDA's.
  const bool together = role == ColumnRole::product && has_large_butterfly(*radices) &&
                        (large_memory || radices->back() <= radices->front());
  // Then one butterfly of the last stage for each thread, if it can be.
  const Index threads = even_shares(length / (together ? radices->back() : radices->front()), most_for_one);
  return PassShape{length, *radices, static_cast<Index>(width), threads, {}, together};
}

std::optional<PassShape> line_shape(Index length, Precision precision, const Limits& limits, PassTuning tuning) {
  const auto radices = line_radices_of(length);
  if (!radices || radices->empty()) return {};
  const DeviceModel& model = model_of(limits);
  PassShape shape{length, *radices, 1, 1, best_bank_padding(*radices)};
  const auto fits = [&](Index width, std::uint64_t bytes) {
    return static_cast<std::uint64_t>(width * (bank_padded_length(shape) + 1)) * complex_size(precision) <= bytes;
  };
  const std::uint64_t usual =
      fits(2, limits.shared_memory_bytes) ? model.max_line_threads : model.max_lone_column_threads;
  const std::uint64_t most = tuning.max_threads > 0 ? tuning.max_threads : usual;
  const Index largest = *std::max_element(radices->begin(), radices->end());
  shape.threads = even_shares(length / largest, static_cast<Index>(most));
  while (shape.width * shape.threads < model.enough_row_threads &&
         fits(2 * shape.width, shared_memory_budget_bytes(limits))) {
    shape.width *= 2;
  }
  if (!fits(shape.width, limits.shared_memory_bytes)) return {};
  return shape;
}

std::optional<PassShape> row_shape(Index length, Precision precision, const Limits& limits) {
  const auto radices = row_radices_of(length);
  if (!radices || radices->empty()) return {};
  const DeviceModel& model = model_of(limits);
  PassShape shape{length, *radices, 1, even_shares(length / radices->front(), model.max_row_threads),
                  best_bank_padding(*radices)};
  const auto fits = [&](Index width, std::uint64_t bytes) {
    return static_cast<std::uint64_t>(width * bank_padded_length(shape)) * complex_size(precision) <= bytes;
  };
  while (shape.width * shape.threads < model.enough_row_threads &&
         fits(2 * shape.width, shared_memory_budget_bytes(limits))) {
    shape.width *= 2;
  }
  if (!fits(shape.width, limits.shared_memory_bytes)) return {};
  return shape;
}

bool can_transform_kernel(Index length, Index kernel, Precision precision, const Limits& limits) {
  if (2 * kernel > length) return false;
  const auto shape = column_shape(length, ColumnRole::product, precision, limits);
  if (!shape || kernel > model_of(limits).most_terms * shape->radices.back()) return false;
  const bool one_for_each = length / shape->radices.back() <= shape->threads;
  return one_for_each && KernelRoots(shape->radices).end() <= pass_table_length(length);
}

bool has_native_passes(int num_axes, const std::array<Index, 3>& padded, Precision precision, const Limits& limits) {
  if (limits.shared_memory_bytes == 0 || num_axes < 2) return false;
  const std::uint64_t most = limits.shared_memory_bytes;
  for (int axis = 0; axis < num_axes; ++axis) {
    const Index length = padded[static_cast<std::size_t>(axis)];
    if (length < 2 || !radices_of(length)) return false;
    const auto elements = static_cast<std::uint64_t>(axis == 0 ? length + length * kMostSkewed / 8 + 8 : length);
    if (elements * (axis == 0 ? complex_size(precision) : model_of(limits).narrowest_bytes) > most) return false;
  }
  return true;
}

std::string why_no_native_passes(int num_axes, const std::array<Index, 3>& padded, const Limits& limits) {
  if (limits.shared_memory_bytes == 0) return "the device has no kernels with shared memory";
  if (num_axes < 2)
    return "signals, of one axis, have it in arrays on the device only, and where their transform fits its shared "
           "memory";
  for (int axis = 0; axis < num_axes; ++axis) {
    const Index length = padded[static_cast<std::size_t>(axis)];
    if (length < 2 || !radices_of(length)) {
      return fmt::format("a transform of {} has a prime factor above 13", length);
    }
  }
  return fmt::format("transforms of {}x{}x{} (device order) do not fit its {} bytes of shared memory", padded[0],
                     padded[1], padded[2], limits.shared_memory_bytes);
}

Index widest_block(Index num_columns, Precision precision) {
  auto block = static_cast<Index>(device_model::kWidestBytes / complex_size(precision));
  const auto wasted = [num_columns](Index width) { return (width - num_columns % width) % width; };
  while (wasted(block) > num_columns / device_model::kLeastFilled) block /= 2;
  return block;
}

Index blocked_columns(Index num_columns, Precision precision) {
  const Index block = widest_block(num_columns, precision);
  return ceil_divided(num_columns, block) * block;
}

std::uint64_t common_width_bytes(int num_axes, const std::array<Index, 3>& padded, Precision precision,
                                 const Limits& limits) {
  std::uint64_t bytes = device_model::kWidestBytes;
  for (int axis = 1; axis < num_axes; ++axis) {
    const auto shape = column_shape(padded[static_cast<std::size_t>(axis)], role_of(axis, num_axes), precision, limits);
    if (shape) bytes = std::min(bytes, static_cast<std::uint64_t>(shape->width) * complex_size(precision));
  }
  return bytes;
}

Index bank_padded_length(const PassShape& shape) { return shape.bank_padding.place(shape.length - 1) + 1; }

std::vector<std::byte> column_table(Index length, ColumnRole role, Precision precision, const Limits& limits,
                                    std::optional<Index> kernel_place) {
  const std::vector<Index> radices = column_radices(length, role, precision, limits).value();
  std::vector<double> numbers = twiddle_factors(radices);
  if (kernel_place) {
    for (const std::complex<double>& number : KernelRoots(radices).numbers(*kernel_place)) {
      numbers.insert(numbers.end(), {number.real(), number.imag()});
    }
  }
  return table_of(std::move(numbers), length, precision);
}

std::vector<std::byte> line_table(Index length, Precision precision) {
  return table_of(twiddle_factors(line_radices_of(length).value()), length, precision);
}

std::vector<std::byte> tile_table(Index length, Precision precision) {
  return table_of(twiddle_factors(radices_of(length).value()), length, precision);
}

std::vector<std::byte> row_table(Index length, Precision precision) {
  const std::vector<Index> radices = row_radices_of(length).value();
  std::vector<double> numbers = twiddle_factors(radices);
  numbers.resize(static_cast<std::size_t>(2 * length));
  const BankPadding bank_padding = best_bank_padding(radices);
  const double low_bits = precision == Precision::f32 ? kLowBits : 0;
  for (const MirroredButterflies& pair : mirrored_butterflies(radices)) {
    numbers.push_back(low_bits + static_cast<double>(bank_padding.place(pair.first)));
    numbers.push_back(low_bits + static_cast<double>(bank_padding.place(pair.second)));
  }
  return table_of(std::move(numbers), length, precision);
}

}  // namespace convoy::inline v0
