#include "cli/report_parts.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace convoy::cli {

Json file_to_json(const std::string& path, const Shape& shape, Element element) {
  return {{"path", path}, {"shape", {shape.z, shape.y, shape.x}}, {"dtype", name(element)}};
}

Json device_to_json(const DeviceInfo& device) {
  return {{"id", device.id},
          {"name", device.name},
          {"type", name(device.type)},
          {"driver", device.driver},
          {"uuid", device.uuid},
          {"architecture", device.architecture},
          {"total_bytes", device.limits.total_bytes}};
}

Json times_to_json(const StageTimes& times) {
  return {{"read_seconds", times.read_seconds},
          {"prepare_seconds", times.prepare_seconds},
          {"run_seconds", times.run_seconds},
          {"write_seconds", times.write_seconds},
          {"total_seconds", times.read_seconds + times.prepare_seconds + times.run_seconds + times.write_seconds}};
}

std::string devices_text(const std::vector<DeviceInfo>& devices) {
  constexpr std::size_t kMostTold = 4;
  if (devices.size() > kMostTold) return fmt::format("{} devices", devices.size());
  std::vector<std::string> texts;
  for (const DeviceInfo& device : devices) texts.push_back(fmt::format("{} ({})", device.id, device.name));
  return fmt::format("{}", fmt::join(texts, " and "));
}

Json devices_to_json(const std::vector<DeviceInfo>& devices, const std::vector<DeviceShare>& shares) {
  Json list = Json::array();
  for (std::size_t i = 0; i < devices.size(); ++i) {
    list.push_back(device_to_json(devices[i]));
    if (i >= shares.size()) continue;
    list.back()["num_tiles"] = shares[i].num_tiles;
    if (!shares[i].failure.empty()) list.back()["failure"] = shares[i].failure;
  }
  return list;
}

std::vector<std::string> device_warnings(const std::vector<DeviceShare>& shares) {
  std::vector<std::string> texts;
  for (const DeviceShare& share : shares) {
    if (share.failure.empty()) continue;
    texts.push_back(fmt::format("{} was dropped, and the others did its work: {}", share.id, share.failure));
  }
  return texts;
}

Json ranks_to_json(const std::vector<RankRecord>& ranks) {
  Json json = Json::array();
  for (const RankRecord& one : ranks) {
    json.push_back({{"rank", one.rank},
                    {"host", one.host},
                    {"part", one.part},
                    {"num_tiles", one.num_tiles},
                    {"run_seconds", one.run_seconds}});
  }
  return json;
}

}  // namespace convoy::cli
