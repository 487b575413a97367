// TIFF as convoy writes it, and what descriptions say about a stack.
#include <tiffio.h>

#include "files.hpp"
#include "io/tiff_description.hpp"
#include "io/tiff_reader.hpp"

namespace convoy::test {
namespace {

TEST_CASE_TEMPLATE("a TIFF holds what was written", T, std::uint8_t, std::uint16_t, float, double) {
  const Folder folder;
  for (const Shape shape : {Shape{1, 1, 1}, Shape{1, 4, 7}, Shape{3, 4, 5}, Shape{6, 1, 1}, Shape{1, 300, 401}}) {
    const auto voxels = numbered_voxels<T>(shape);
    write_image(folder / "a.tif", ImageView(voxels, shape));
    const Image image = read_image(folder / "a.tif");
    CHECK(image.shape == shape);
    CHECK(voxels_of<T>(image) == voxels);
    CHECK_FALSE(image.metadata.voxel_size.has_value());
  }
  CHECK(folder.num_files() == 1);
}

TEST_CASE("the voxel size survives") {
  const Folder folder;
  const auto voxels = numbered_voxels<float>({3, 4, 5});
  for (const Shape shape : {Shape{3, 4, 5}, Shape{1, 12, 5}}) {
    write_image(folder / "a.tif", ImageView(voxels, shape), {3, VoxelSize{0.25, 0.125, 0.0625, "micron"}});
    const auto size = read_image(folder / "a.tif").metadata.voxel_size;
    REQUIRE(size.has_value());
    CHECK(size->z == 0.25);
    CHECK(size->y == 0.125);
    CHECK(size->x == 0.0625);
    CHECK(size->unit == "micron");
  }
}

TEST_CASE("several planes are written so that ImageJ opens one stack") {
  const Folder folder;
  const std::vector<float> voxels(24, 1.0F);
  write_image(folder / "a.tif", ImageView(voxels, Shape{2, 3, 4}));
  TIFF* tiff = TIFFOpen((folder / "a.tif").c_str(), "r");
  REQUIRE(tiff != nullptr);
  const char* text = nullptr;
  CHECK(TIFFGetField(tiff, TIFFTAG_IMAGEDESCRIPTION, &text) == 1);
  CHECK(std::string(text) == "ImageJ=1.53t\nimages=2\nslices=2\nloop=false\n");
  CHECK(TIFFNumberOfDirectories(tiff) == 2);
  CHECK(TIFFIsBigTIFF(tiff) == 0);
  TIFFClose(tiff);
}

TEST_CASE("planes are read one by one and in runs") {
  const Folder folder;
  const Shape shape{5, 3, 4};
  const auto voxels = numbered_voxels<std::uint16_t>(shape);
  write_image(folder / "a.tif", ImageView(voxels, shape));
  io::TiffReader reader(folder / "a.tif");
  std::vector<std::uint16_t> planes(24);
  for (const Index first : {3, 0, 2}) {
    reader.read_planes(first, 2, reinterpret_cast<std::byte*>(planes.data()));
    CHECK(std::equal(planes.begin(), planes.end(), voxels.begin() + first * 12));
  }
}

TEST_CASE("descriptions are understood") {
  const auto imagej = io::parse_description(
      "ImageJ=1.51n\nimages=60\nchannels=2\nslices=10\nframes=3\nhyperstack=true\nunit=nm\nspacing=0.5\n", 4, 8);
  CHECK(imagej.program == "ImageJ");
  CHECK(imagej.num_planes == 60);
  CHECK(imagej.num_channels == 2);
  CHECK(imagej.num_frames == 3);
  REQUIRE(imagej.voxel_size.has_value());
  CHECK(imagej.voxel_size->z == 0.5);
  CHECK(imagej.voxel_size->y == 0.125);
  CHECK(imagej.voxel_size->x == 0.25);

  const auto ome = io::parse_description(
      "<?xml version=\"1.0\"?><OME><Image ID=\"Image:0\"><Pixels DimensionOrder=\"XYCZT\" SizeC='3' SizeT=\"2\" "
      "SizeX=\"64\" SizeY=\"32\" SizeZ=\"7\" PhysicalSizeX=\"0.1\" PhysicalSizeXUnit=\"nm\" PhysicalSizeZ=\"0.3\"/>"
      "</Image><Image><Pixels/></Image></OME>",
      0, 0);
  CHECK(ome.num_planes == 7);
  CHECK(ome.num_channels == 3);
  CHECK(ome.num_frames == 2);
  CHECK(ome.num_series == 2);
  REQUIRE(ome.voxel_size.has_value());
  CHECK(ome.voxel_size->z == 0.3);
  CHECK(ome.voxel_size->y == 0.1);
  CHECK(ome.voxel_size->unit == "nm");

  const auto shaped = io::parse_description("{\"shape\": [5, 1, 32, 64], \"truncated\": true}", 0, 0);
  CHECK(shaped.num_planes == 5);
  CHECK(shaped.contiguous);
  CHECK(io::parse_description("{\"shape\": [2, 5, 32, 64]}", 0, 0).extra_axes == "2x5x32x64");
  CHECK(io::parse_description("{\"shape\": \"many\"}", 0, 0).program.empty());
  CHECK(io::parse_description("{not json", 0, 0).program.empty());
  CHECK(io::parse_description("a plain remark", 0, 0).program.empty());
}

TEST_CASE("the bars of the test data, when they are there") {
  const char* data = std::getenv("CONVOY_TEST_DATA");
  if (data == nullptr) {
    MESSAGE("not run: CONVOY_TEST_DATA is not set (the folder that holds bars/)");
    return;
  }
  const Image kernel = read_image(std::string(data) + "/bars/kernel.tif");
  CHECK(kernel.shape == Shape{32, 64, 64});
  double sum = 0;
  for (const float value : voxels_of<float>(kernel)) sum += static_cast<double>(value);
  CHECK(sum == doctest::Approx(500193.6).epsilon(1e-6));
}

}  // namespace
}  // namespace convoy::test
