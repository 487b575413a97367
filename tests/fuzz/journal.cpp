// The bytes stand in the place of a journal: boxes are accepted only where the image's voxels agree.
#include "io/journal.hpp"

#include "convoy/error.hpp"
#include "target.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy;
  static const fuzz::Folder folder;
  const std::string path = folder / ".a.npy.convoy-journal";
  fuzz::write_file(path, data, size);
  const Shape shape{4, 5, 6};
  const auto read_back = [&](Index image, const Box& box) -> std::optional<std::uint64_t> {
    if (image < 0 || image > 1) fuzz::broken("images are those there are");
    for (int axis = 0; axis < 3; ++axis) {
      if (box.begin[axis] < 0 || box.size[axis] < 1 || box.size[axis] > shape[axis] - box.begin[axis]) {
        fuzz::broken("boxes lie inside the image");
      }
    }
    return 7;
  };
  try {
    io::Journal journal(path, folder / "a.npy", {{"kernel", "abc"}, {"mode", "same"}}, shape, 2);
    journal.holds(1, {{0, 0, 0}, {2, 3, 4}}, read_back);
    if (journal.proven_voxels(read_back) > 2 * 4 * 5 * 6) fuzz::broken("no voxel is counted twice");
    journal.make_room(0, {{1, 1, 1}, {2, 2, 2}}, read_back, [] {});
    journal.add(0, {{1, 1, 1}, {2, 2, 2}}, 7);
    if (journal.proven_voxels(read_back) > 2 * 4 * 5 * 6) fuzz::broken("no voxel is counted twice");
    journal.make_room(0, {{0, 0, 0}, shape}, read_back, [] {});
    journal.add(0, {{0, 0, 0}, shape}, 5);
    if (!journal.holds(0, {{0, 0, 0}, shape}, read_back)) fuzz::broken("what was written is held");
  } catch (const Error&) {
  }
  return 0;
}
