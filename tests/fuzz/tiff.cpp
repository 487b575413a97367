#include "read_some.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const convoy::fuzz::Folder folder;
  convoy::fuzz::write_file(folder / "a.tif", data, size);
  convoy::fuzz::read_some(folder / "a.tif", {});
  return 0;
}
