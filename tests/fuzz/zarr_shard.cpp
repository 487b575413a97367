// The bytes stand in the place of a shard, or of a chunk, of an array of two chunks; the first byte says how it is
// encoded.
#include <nlohmann/json.hpp>

#include "read_some.hpp"

namespace {

using Json = nlohmann::json;

Json metadata_for(std::uint8_t kind) {
  constexpr const char* kCodecs[] = {"", "gzip", "zstd", "blosc", "crc32c"};
  const Json bytes{{"name", "bytes"}, {"configuration", {{"endian", (kind & 0x40) != 0 ? "big" : "little"}}}};
  Json codecs = Json::array({bytes});
  if (const char* codec = kCodecs[(kind & 0x0F) % 5]; *codec != 0) codecs.push_back({{"name", codec}});
  Json index_codecs = Json::array({bytes});
  if ((kind & 0x10) == 0) index_codecs.push_back({{"name", "crc32c"}});
  const Json sharding{{"name", "sharding_indexed"},
                      {"configuration",
                       {{"chunk_shape", {2, 3, 4}},
                        {"codecs", codecs},
                        {"index_codecs", index_codecs},
                        {"index_location", (kind & 0x80) != 0 ? "start" : "end"}}}};
  const bool is_shard = (kind & 0x20) == 0;
  return {{"zarr_format", 3},
          {"node_type", "array"},
          {"shape", {2, 3, 8}},
          {"data_type", "uint16"},
          {"fill_value", 7},
          {"codecs", is_shard ? Json::array({sharding}) : codecs},
          {"chunk_grid", {{"name", "regular"}, {"configuration", {{"chunk_shape", {2, 3, is_shard ? 8 : 4}}}}}},
          {"chunk_key_encoding", "default"}};
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy;
  static const fuzz::Folder folder;
  if (size == 0) return 0;
  const std::string path = folder / "a.zarr";
  std::filesystem::create_directories(path + "/c/0/0");
  const std::string metadata = metadata_for(data[0]).dump();
  fuzz::write_file(path + "/zarr.json", reinterpret_cast<const std::uint8_t*>(metadata.data()), metadata.size());
  fuzz::write_file(path + "/c/0/0/0", data + 1, size - 1);
  fuzz::read_some(path, {});
  return 0;
}
