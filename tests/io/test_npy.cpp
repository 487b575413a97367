#include "files.hpp"

namespace convoy::test {
namespace {

std::string npy(const std::string& header, const std::string& data, char version = 1) {
  std::string file = std::string("\x93NUMPY") + version + '\0';
  file += static_cast<char>(header.size() % 256);
  file += static_cast<char>(header.size() / 256);
  if (version > 1) file += std::string(2, '\0');
  return file + header + data;
}

TEST_CASE_TEMPLATE("a .npy file holds what was written", T, std::uint8_t, std::uint16_t, float, double) {
  const Folder folder;
  for (const Shape shape : {Shape{1, 1, 1}, Shape{1, 1, 9}, Shape{1, 4, 7}, Shape{3, 4, 5}, Shape{6, 1, 1}}) {
    const auto voxels = numbered_voxels<T>(shape);
    write_image(folder / "a.npy", ImageView(voxels, shape));
    const Image image = read_image(folder / "a.npy");
    CHECK(image.shape == shape);
    CHECK(image.metadata.num_axes == 3);
    CHECK(voxels_of<T>(image) == voxels);
  }
  CHECK(folder.num_files() == 1);
}

TEST_CASE("the number of axes survives where the shape allows it") {
  const Folder folder;
  const auto voxels = numbered_voxels<float>({2, 3, 4});
  const auto axes_after = [&](const Shape& shape, int num_axes) {
    write_image(folder / "a.npy", ImageView(voxels.data(), Element::f32, shape), {num_axes, {}});
    return read_image(folder / "a.npy").metadata.num_axes;
  };
  CHECK(axes_after({1, 1, 24}, 1) == 1);
  CHECK(axes_after({1, 4, 6}, 2) == 2);
  CHECK(axes_after({1, 4, 6}, 1) == 2);
  CHECK(axes_after({2, 3, 4}, 1) == 3);
}

TEST_CASE("the data of a .npy file begins at a multiple of 64") {
  const Folder folder;
  const std::vector<float> voxels(3, 1.0F);
  write_image(folder / "a.npy", ImageView(voxels, Shape{1, 1, 3}));
  CHECK((bytes_of(folder / "a.npy").size() - 12) % 64 == 0);
}

TEST_CASE("a bad .npy file is refused by name") {
  const Folder folder;
  const std::string path = folder / "bad.npy";
  const auto refuses = [&](const std::string& bytes, const std::string& part) {
    write_bytes(path, bytes);
    CHECK_READING_FAILS(path, part);
  };
  const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";
  refuses("", "too short");
  refuses("\x93NUMPY", "too short");
  refuses(std::string(100, 'x'), "does not begin");
  refuses(npy(good, std::string(24, '\0'), 9), "format 9");
  refuses(npy(good, std::string(23, '\0')), "truncated");
  refuses(npy(good, "").substr(0, 40), "header");
  refuses(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000, 1000000), }\n", "few bytes"),
          "truncated");
  refuses(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 2), }\n", "few bytes"),
          "more voxels");
  refuses(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999999999, 999999999999999999), }\n", "x"),
          "truncated");
  refuses(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 0), }\n", "few"), "no voxels");
  refuses(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (), }\n", "few bytes"), "0 axes");
  refuses(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1), }\n", "few bytes"), "4 axes");
  refuses(npy("{'descr': '<c32', 'fortran_order': False, 'shape': (1,), }\n", "few bytes"), "'<c32'");
  refuses(npy("{'descr': '<V2', 'fortran_order': False, 'shape': (1,), }\n", "few bytes"), "astype");
  refuses(npy("{'descr': '', 'fortran_order': False, 'shape': (1,), }\n", "few bytes"), "holds ''");
  refuses(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }\n", "few bytes"), "('a', '<f4')");
  refuses(npy("{'fortran_order': False, 'shape': (1,), }\n", "few bytes"), "descr");
  refuses(npy("{'descr': '<f4', 'shape': (1,), }\n", "few bytes"), "fortran_order");
  refuses(npy("{'descr': '<f4', 'fortran_order': False, }\n", "few bytes"), "shape");
  refuses(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }\n", "few bytes"), "shape");
}

}  // namespace
}  // namespace convoy::test
