#include "engine/wisdom.hpp"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/disk_cache.hpp"
#include "base/json_text.hpp"
#include "convoy/version.hpp"

namespace convoy {
namespace {

using nlohmann::json;

json to_json(const Shape& shape) { return {shape.z, shape.y, shape.x}; }

/// Anything but a whole number from 0 on that fits makes the text no choice.
Index whole_number(const json& value) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > INT64_MAX) {
    throw std::invalid_argument("not a whole number");
  }
  return value.get<Index>();
}

Shape shape_from(const json& value) {
  return {whole_number(value.at(0)), whole_number(value.at(1)), whole_number(value.at(2))};
}

FilterStorage storage_from(const std::string& text) {
  for (const auto storage : {FilterStorage::automatic, FilterStorage::spectrum, FilterStorage::compact}) {
    if (text == name(storage)) return storage;
  }
  throw std::invalid_argument("no way to store a kernel");
}

}  // namespace

std::string wisdom_key(const ConvolutionSpec& spec, const DeviceInfo& device, const PlanOptions& options) {
  return fmt::format(
      "tuning of convoy {}\n{}\nimage {} region {} kernel {} mode {} boundary {} operation {} origin {} {} {}\nmemory "
      "limit {} "
      "path {} fused {} min tiles {} tile {} devices {} in flight {} to {} access {} threads {} pitch {} kernel {}",
      CONVOY_VERSION, device_identity(device), to_text(spec.image), spec.region ? to_text(*spec.region) : "all",
      to_text(spec.kernel), name(spec.mode), name(spec.boundary), name(spec.operation), name(spec.origin.rule),
      to_text(spec.origin.index), name(spec.precision), options.memory_limit_bytes,
      options.path ? name(*options.path) : "auto", options.allow_fused,
      options.min_tiles, options.tile_output ? to_text(*options.tile_output) : "any", options.num_devices,
      options.min_sets, options.max_sets, options.tuning.coalesced_bytes, options.tuning.aim_threads,
      options.tuning.pitch_alignment, name(options.tuning.filter_storage));
}

std::string to_text(const PlanChoice& choice) {
  const FftTuning& tuning = choice.tuning;
  return json{{"padded_zyx", to_json(choice.padded)},
              {"num_tiles_zyx", to_json(choice.num_tiles)},
              {"coalesced_bytes", tuning.coalesced_bytes},
              {"aim_threads", tuning.aim_threads},
              {"pitch_alignment", tuning.pitch_alignment},
              {"swap_strided_axes", tuning.swap_strided_axes},
              {"measure_transforms", tuning.measure_transforms},
              {"filter_storage", name(tuning.filter_storage)}}
      .dump();
}

std::optional<PlanChoice> choice_from_text(const std::string& text) {
  try {
    const json value = parse_json(text).value_or(nullptr);
    PlanChoice choice{shape_from(value.at("padded_zyx")), shape_from(value.at("num_tiles_zyx")), {}};
    choice.tuning.coalesced_bytes = static_cast<std::uint64_t>(whole_number(value.at("coalesced_bytes")));
    choice.tuning.aim_threads = static_cast<std::uint64_t>(whole_number(value.at("aim_threads")));
    choice.tuning.pitch_alignment = whole_number(value.at("pitch_alignment"));
    choice.tuning.swap_strided_axes = value.at("swap_strided_axes").get<bool>();
    choice.tuning.measure_transforms = value.at("measure_transforms").get<bool>();
    choice.tuning.filter_storage = storage_from(value.at("filter_storage").get<std::string>());
    return choice;
  } catch (const std::exception&) {
    return {};
  }
}

}  // namespace convoy
