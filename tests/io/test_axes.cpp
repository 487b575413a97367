// Time and channel: several images of one shape in a file.
#include "tiff_maker.hpp"

namespace convoy::test {
namespace {

const Shape kShape{3, 4, 5};

/// Voxels of image `number`; all of them differ.
std::vector<std::uint16_t> image_number(Index number, const Shape& shape = kShape) {
  std::vector<std::uint16_t> voxels(static_cast<std::size_t>(num_voxels(shape)));
  for (std::size_t i = 0; i < voxels.size(); ++i)
    voxels[i] = static_cast<std::uint16_t>(number * 1000 + static_cast<Index>(i));
  return voxels;
}

void check_images(const std::vector<std::unique_ptr<ImageFileReader>>& images, const Shape& shape = kShape) {
  for (std::size_t number = 0; number < images.size(); ++number) {
    CAPTURE(number);
    REQUIRE(images[number]->shape() == shape);
    std::vector<std::uint16_t> read(static_cast<std::size_t>(num_voxels(shape)));
    images[number]->read({{0, 0, 0}, shape}, reinterpret_cast<std::byte*>(read.data()));
    CHECK(read == image_number(static_cast<Index>(number), shape));
  }
}

void write_images(const std::string& path, const ImageMetadata& metadata) {
  const auto file = create_image(path, kShape, Element::u16, metadata);
  for (Index number = 0; number < metadata.num_images(); ++number) {
    const auto voxels = image_number(number);
    file->image(number).write({{0, 0, 0}, kShape}, reinterpret_cast<const std::byte*>(voxels.data()));
  }
  file->commit();
}

TEST_CASE("time points and channels survive in every format") {
  const Folder folder;
  for (const auto& [times, channels] : {std::pair<Index, Index>{4, 2}, {1, 3}, {5, 1}}) {
    ImageMetadata metadata;
    if (times > 1) metadata.num_times = times;
    if (channels > 1) metadata.num_channels = channels;
    metadata.voxel_size = VoxelSize{0.5, 0.25, 0.1, "micron"};
    for (const char* name : {"a.tif", "a.ome.tif", "a.npy"}) {
      CAPTURE(name);
      write_images(folder / name, metadata);
      OpenOptions options;
      if (std::string(name) == "a.npy") options.axes = times == 1 ? "CZYX" : channels == 1 ? "TZYX" : "TCZYX";
      const auto images = open_images(folder / name, options);
      REQUIRE(images.size() == static_cast<std::size_t>(times * channels));
      CHECK(images[0]->metadata().num_times == metadata.num_times);
      CHECK(images[0]->metadata().num_channels == metadata.num_channels);
      check_images(images);
      if (std::string(name) == "a.npy") continue;
      CHECK(images[0]->metadata().voxel_size->x == doctest::Approx(0.1));
      CHECK(images[0]->metadata().voxel_size->unit == "micron");
      CHECK_READING_FAILS(folder / name, "one image is wanted here");
    }
  }
}

/// The pages of kShape images with `times` and `channels` in the order that `page_order` gives, slowest axis first.
std::vector<std::uint16_t> pages_in_order(const std::string& page_order, Index times, Index channels) {
  std::vector<std::uint16_t> pages;
  const auto extent = [&](char axis) { return axis == 'T' ? times : axis == 'C' ? channels : kShape.z; };
  Index at[3] = {};
  for (at[0] = 0; at[0] < extent(page_order[0]); ++at[0]) {
    for (at[1] = 0; at[1] < extent(page_order[1]); ++at[1]) {
      for (at[2] = 0; at[2] < extent(page_order[2]); ++at[2]) {
        const auto place = [&](char axis) { return at[page_order.find(axis) % 3]; };
        const auto image = image_number(place('T') * channels + place('C'));
        const auto plane = image.begin() + place('Z') * kShape.y * kShape.x;
        pages.insert(pages.end(), plane, plane + kShape.y * kShape.x);
      }
    }
  }
  return pages;
}

TEST_CASE("the pages of OME-TIFF in every order") {
  const Folder folder;
  for (const char* order : {"TCZ", "TZC", "CTZ", "CZT", "ZTC", "ZCT"}) {
    const auto pages = pages_in_order(order, 2, 4);
    const std::string dimension_order = {'X', 'Y', order[2], order[1], order[0]};
    make_tiff(folder / "a.tif", ImageView(pages, Shape{24, 4, 5}),
              {.description = "<OME><Image><Pixels DimensionOrder=\"" + dimension_order +
                              "\" SizeT=\"2\" SizeC=\"4\" SizeZ=\"3\" SizeX=\"5\" SizeY=\"4\"/></Image></OME>"});
    check_images(open_images(folder / "a.tif"));
  }
}

TEST_CASE("an OME-TIFF that names the page of each plane") {
  const Folder folder;
  const auto pages = pages_in_order("ZTC", 2, 1);
  std::string runs;
  for (int z = 0; z < 3; ++z) {
    for (int t = 0; t < 2; ++t) {
      runs += "<TiffData FirstZ=\"" + std::to_string(z) + "\" FirstT=\"" + std::to_string(t) + "\" IFD=\"" +
              std::to_string(2 * z + t) + "\" PlaneCount=\"1\"/>";
    }
  }
  make_tiff(folder / "a.tif", ImageView(pages, Shape{6, 4, 5}),
            {.description = "<OME><Image><Pixels DimensionOrder=\"XYZCT\" SizeT=\"2\" SizeC=\"1\" SizeZ=\"3\">" + runs +
                            "</Pixels></Image></OME>"});
  check_images(open_images(folder / "a.tif"));
}

TEST_CASE("axes that the caller names") {
  const Folder folder;
  const auto pages = pages_in_order("TCZ", 2, 2);
  const auto images_of = [&](const std::string& description, const std::string& axes) {
    make_tiff(folder / "a.tif", ImageView(pages, Shape{12, 4, 5}), {.description = description});
    OpenOptions options;
    options.axes = axes;
    return open_images(folder / "a.tif", options);
  };
  check_images(images_of("{\"shape\": [2, 2, 3, 4, 5]}", "TCZYX"));
  check_images(images_of("{\"shape\": [2, 2, 3, 4, 5], \"axes\": \"TCZYX\"}", ""));
  check_images(images_of("ImageJ=1\nimages=12\nframes=4\nslices=3\n", "CZYX"));
  CHECK(images_of("", "").size() == 1);
  CHECK(images_of("", "TYX").size() == 12);
  CHECK(images_of("ImageJ=1\nimages=12\nframes=12\n", "ZYX").size() == 1);
  CHECK(images_of("ImageJ=1\nimages=12\nframes=12\n", "TCZYX").size() == 12);
  CHECK_THROWS_AS(images_of("", "TCZYX"), Error);
  CHECK_THROWS_AS(images_of("{\"shape\": [2, 2, 3, 4, 5]}", "TZYX"), Error);
  for (const char* wrong : {"TT", "ZY", "QX", "tzyx", "XZ"}) CHECK_THROWS_AS(images_of("", wrong), Error);
}

TEST_CASE("channels between the voxels of a .npy file, in C and in Fortran order") {
  const Folder folder;
  for (const bool fortran : {false, true}) {
    std::string file = "{'descr': '<u2', 'fortran_order': ";
    file += fortran ? "True, 'shape': (2, 5, 4, 3)}\n" : "False, 'shape': (3, 4, 5, 2)}\n";
    file = std::string("\x93NUMPY\1\0", 8) + static_cast<char>(file.size()) + '\0' + file;
    for (std::size_t i = 0; i < 60; ++i) {
      for (Index channel = 0; channel < 2; ++channel) {
        const std::uint16_t voxel = image_number(channel)[i];
        file += {static_cast<char>(voxel & 0xFF), static_cast<char>(voxel >> 8)};
      }
    }
    write_bytes(folder / "a.npy", file);
    OpenOptions options;
    options.axes = fortran ? "CXYZ" : "ZYXC";
    const auto images = open_images(folder / "a.npy", options);
    CHECK(images.size() == 2);
    check_images(images);
    std::vector<std::uint16_t> part(4);
    images[1]->read({{1, 2, 3}, {1, 2, 2}}, reinterpret_cast<std::byte*>(part.data()));
    CHECK(part == std::vector<std::uint16_t>{1033, 1034, 1038, 1039});
  }
}

}  // namespace
}  // namespace convoy::test
