#include "read_some.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const convoy::fuzz::Folder folder;
  convoy::OpenOptions options;
  if (size > 0 && data[size - 1] == 'T') options.axes = "TZYX";
  convoy::fuzz::write_file(folder / "a.npy", data, size);
  convoy::fuzz::read_some(folder / "a.npy", options);
  return 0;
}
