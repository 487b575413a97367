// The first line says how the voxels of the rest lie.
#include <algorithm>

#include "read_some.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const convoy::fuzz::Folder folder;
  const std::uint8_t* const end = std::find(data, data + size, '\n');
  convoy::OpenOptions options;
  try {
    options.raw = convoy::raw_layout_from_text({data, end});
  } catch (const convoy::Error&) {
    return 0;
  }
  convoy::fuzz::write_file(folder / "a.raw", end, static_cast<std::size_t>(data + size - end));
  convoy::fuzz::read_some(folder / "a.raw", options);
  return 0;
}
