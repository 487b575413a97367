#include "cli/report_parts.hpp"

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

}  // namespace convoy::cli
