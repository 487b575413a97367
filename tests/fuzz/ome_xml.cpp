// OME-XML: what is read, the order of the pages that follows from it, and what is written of it.
#include <pugixml.hpp>

#include "convoy/error.hpp"
#include "io/tiff_order.hpp"
#include "target.hpp"

namespace {

void check_written(const convoy::ImageMetadata& metadata) {
  const std::string written = convoy::io::ome_description({2, 3, 4}, convoy::Element::u8, metadata);
  pugi::xml_document document;
  if (!document.load_buffer(written.data(), written.size())) convoy::fuzz::broken("written XML is well-formed");
  if (!convoy::io::is_ome(written)) convoy::fuzz::broken("written XML is OME's");
  const auto again = convoy::io::parse_ome("a.tif", written, {});
  if (again.num_planes() != 2 * metadata.num_images()) convoy::fuzz::broken("written planes are read again");
  if (again.metadata.channel_names != metadata.channel_names) convoy::fuzz::broken("channels keep their names");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = convoy::fuzz::to_string(data, size);
  try {
    auto stack = convoy::io::parse_ome("a.tif", text, {});
    constexpr convoy::Index kMostPlanes = 4096;
    if (stack.num_planes() > 0 && stack.num_planes() <= kMostPlanes) {
      std::string why_not;
      const auto order = convoy::io::pages_of_runs(stack.axes, stack.runs, stack.num_planes(), why_not);
      for (const convoy::Index page : order) {
        if (why_not.empty() && (page < 0 || page >= stack.num_planes())) convoy::fuzz::broken("every plane has a page");
      }
    }
    stack.metadata.num_channels = static_cast<convoy::Index>(stack.metadata.channel_names.size());
    if (stack.metadata.num_channels == 0) stack.metadata.num_channels.reset();
    check_written(stack.metadata);
    convoy::io::parse_ome("a.tif", text, 1);
  } catch (const convoy::Error&) {
  }
  return 0;
}
