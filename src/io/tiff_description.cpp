#include "io/tiff_description.hpp"

#include "base/json_text.hpp"

namespace convoy::io {
namespace {

/// tifffile's {"shape": [planes, y, x], "truncated": true}; with "truncated" one page stands for all planes.
StackDescription parse_tifffile(const std::string& text) {
  StackDescription stack;
  const nlohmann::json json = parse_json(text).value_or(nullptr);
  if (!json.is_object() || !json.contains("shape") || !json["shape"].is_array()) return stack;
  const auto& extents = json["shape"];
  const std::string names = json.contains("axes") && json["axes"].is_string() ? json["axes"].get<std::string>() : "";
  for (std::size_t i = 0; i + 2 < extents.size(); ++i) {
    if (!extents[i].is_number_integer()) return {};
    const bool named = names.size() == extents.size() && std::string_view("TCZ").find(names[i]) != std::string::npos;
    stack.axes.push_back({named ? names[i] : '?', extents[i].get<Index>()});
  }
  stack.program = "tifffile";
  stack.exact = true;
  stack.contiguous = json.contains("truncated") && json["truncated"] == true;
  return stack;
}

}  // namespace

std::optional<std::string_view> line_value(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == '=') {
      std::string_view value = line.substr(key.size() + 1);
      if (value.ends_with('\r')) value.remove_suffix(1);
      return value;
    }
  }
  return std::nullopt;
}

StackDescription parse_description(const std::string& shown_path, const std::string& text,
                                   const PixelsPerUnit& resolution, std::optional<Index> series) {
  if (text.starts_with("ImageJ=")) return parse_imagej(text, resolution);
  if (text.starts_with("SCIFIO=")) return parse_scifio(text);
  if (is_ome(text)) return parse_ome(shown_path, text, series);
  if (text.starts_with("{")) return parse_tifffile(text);
  return {};
}

}  // namespace convoy::io
