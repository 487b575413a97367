#include "io/own_store.hpp"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <set>

#include "base/json_text.hpp"
#include "io/io_error.hpp"
#include "io/zarr_json.hpp"

namespace convoy::io {
namespace {

using Json = nlohmann::json;

constexpr int kMaxChunkDepth = 8;  // more than the axes of an image

bool is_number(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

bool is_metadata(const std::string& name, int depth) {
  if (depth == 0) return name == ".zgroup" || name == ".zattrs" || name == "zarr.json";
  return depth == 1 && (name == ".zarray" || name == "zarr.json");
}

/// "0", "1.2.3", and the folder "c" of version 3.
bool is_chunk(const std::string& name, int depth) {
  if (name == "c") return depth == 1;
  std::size_t begin = 0;
  for (;;) {
    const std::size_t dot = name.find('.', begin);
    if (!is_number(name.substr(begin, dot == std::string::npos ? dot : dot - begin))) return false;
    if (dot == std::string::npos) return true;
    begin = dot + 1;
  }
}

/// Whether convoy writes entries of such a name and kind, `depth` folders below the store.
bool is_own(const std::string& name, const FileStatus& status, int depth) {
  if (status.kind == FileKind::file) return is_metadata(name, depth) || (depth > 0 && is_chunk(name, depth));
  if (status.kind != FileKind::folder) return false;
  return depth == 0 ? name == kArrayFolder : depth < kMaxChunkDepth && is_chunk(name, depth);
}

std::optional<std::string> foreign_below(const Folder& folder, const std::string& place, int depth) {
  for (const std::string& name : folder.names()) {
    const auto status = folder.status(name);
    if (!status) continue;
    if (!is_own(name, *status, depth)) return "'" + place + name + "'";
    if (status->kind != FileKind::folder) continue;
    if (auto foreign = foreign_below(folder.subfolder(name), place + name + "/", depth + 1)) return foreign;
  }
  return std::nullopt;
}

Json read_json(const Folder& store, const std::string& name) {
  constexpr std::size_t kMostBytes = std::size_t{1} << 20;
  const File file = store.open_to_read(name);
  if (!file) return {};
  std::string text(kMostBytes, '\0');
  const std::int64_t got = file.read_at(0, text.data(), text.size());
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return parse_json(text).value_or(nullptr);
}

/// What the image's attributes hold that convoy does not write, or that they are not convoy's.
std::optional<std::string> foreign_attribute(const Json& image, const std::string& file) {
  static const std::set<std::string> kKeys{"multiscales", "omero", "version", kCreatorKey};
  if (member(member(image, kCreatorKey), "name") != kCreatorName) {
    return fmt::format("'{}' without '{}', which says that convoy wrote it", file, kCreatorKey);
  }
  for (const auto& [key, value] : image.items()) {
    if (!kKeys.contains(key)) return fmt::format("'{}' with '{}'", file, key);
  }
  const Json scales = member(image, "multiscales");
  const bool one = scales.is_array() && scales.size() == 1 && member(scales[0], "datasets").size() == 1;
  if (!one) return fmt::format("'{}' with several images or levels", file);
  return std::nullopt;
}

void remove_own_below(const Folder& folder, int depth) {
  for (const std::string& name : folder.names()) {
    const auto status = folder.status(name);
    if (!status || !is_own(name, *status, depth)) continue;
    if (status->kind == FileKind::folder) remove_own_below(folder.subfolder(name), depth + 1);
    folder.handle().remove(name, status->kind);
  }
}

}  // namespace

bool is_zarr_store(const Folder& store) {
  return store.status(".zgroup") || store.status(".zarray") || store.status("zarr.json");
}

std::optional<std::string> foreign_entry(const Folder& store) {
  if (auto foreign = foreign_below(store, "", 0)) return foreign;
  if (store.status(".zattrs")) return foreign_attribute(read_json(store, ".zattrs"), ".zattrs");
  const Json attributes = member(read_json(store, "zarr.json"), "attributes");
  if (attributes.is_object() && attributes.size() > 1) return "'zarr.json' with attributes beside 'ome'";
  return foreign_attribute(member(attributes, "ome"), "zarr.json");
}

void remove_own_entries(const Folder& store) { remove_own_below(store, 0); }

}  // namespace convoy::io
