// The bytes stand in the place of a compiled plan: they are taken only if they are what was stored.
#include "base/disk_cache.hpp"
#include "target.hpp"

namespace {

const std::string kKey = "a device\na driver\na plan";
const std::string kValue = "compiled code";

std::string cached_file(const convoy::fuzz::Folder& folder) {
  ::setenv("CONVOY_CACHE_DIR", folder.path().c_str(), 1);
  convoy::make_plan_cache()->store(kKey, kValue);
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) return entry.path().string();
  convoy::fuzz::broken("a folder of our own is used");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const convoy::fuzz::Folder folder;
  static const std::string file = cached_file(folder);
  convoy::fuzz::write_file(file, data, size);
  const auto found = convoy::make_plan_cache()->find(kKey);
  if (found && convoy::fuzz::to_string(data, size).find(kKey + *found) == std::string::npos) {
    convoy::fuzz::broken("what is found is what lies there");
  }
  return 0;
}
