// Sizes, shapes, positions, boxes and layouts, as they are typed.
#include "cli/command_line.hpp"
#include "convoy/convoy.hpp"
#include "convoy/io.hpp"
#include "target.hpp"

namespace {

template <class Read>
void read(const Read& read_text) {
  try {
    read_text();
  } catch (const convoy::Error&) {
  } catch (const CLI::ValidationError&) {
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy;
  const std::string text = fuzz::to_string(data, size);
  const Shape whole{100, 200, 300};
  read([&] { bytes_from_text(text); });
  read([&] { raw_layout_from_text(text); });
  read([&] { cli::index_from_text("--origin", text); });
  read([&] { cli::position_from_text("--sigma", text); });
  read([&] {
    if (num_voxels(cli::shape_from_text("--size", text)) < 1) fuzz::broken("shapes have voxels");
  });
  read([&] {
    const Box box = box_from_text(text, whole);
    if (box_from_text(to_text(box), whole) != box) fuzz::broken("boxes are read as they are written");
  });
  return 0;
}
