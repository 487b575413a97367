// ImageJ's and SCIFIO's lines, OME's XML, tifffile's JSON.
#include "io/tiff_description.hpp"
#include "target.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto stack = convoy::io::parse_description("a.tif", convoy::fuzz::to_string(data, size), {2, 0});
  if (stack.num_planes() < 0) convoy::fuzz::broken("planes are counted from 0 up");
  return 0;
}
