// TIFF as convoy writes it, and what descriptions say about a stack.
#include <tiffio.h>

#include "files.hpp"
#include "io/formats.hpp"
#include "io/tiff_description.hpp"

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

TEST_CASE("a BigTIFF of several strips a page, checked by its directories: the voxels would be 5 GiB") {
  const Folder folder;
  const Shape shape{3, 30000, 30000};
  ImageMetadata metadata;
  metadata.voxel_size = VoxelSize{2, 0.5, 65, "nm"};
  const io::FileDesign design = io::design_tiff("a.tif", shape, Element::u16, metadata);
  write_bytes(folder / "a.tif", design.header);
  std::filesystem::resize_file(folder / "a.tif", design.file_bytes);
  TIFF* tiff = TIFFOpen((folder / "a.tif").c_str(), "r");
  REQUIRE(tiff != nullptr);
  CHECK(TIFFIsBigTIFF(tiff) != 0);
  float resolution = 0;
  CHECK(TIFFGetField(tiff, TIFFTAG_XRESOLUTION, &resolution) == 1);
  CHECK(resolution == doctest::Approx(1.0 / 65));
  const std::uint64_t row_bytes = 60000;
  for (Index z = 0; z < shape.z; ++z) {
    std::uint32_t rows = 0;
    CHECK(TIFFGetField(tiff, TIFFTAG_ROWSPERSTRIP, &rows) == 1);
    REQUIRE(TIFFNumberOfStrips(tiff) == 7);
    for (std::uint32_t strip = 0; strip < 7; ++strip) {
      const std::uint64_t first_row = strip * std::uint64_t{rows};
      CHECK(TIFFGetStrileOffset(tiff, strip) == design.layout.plane_offset(0, z) + first_row * row_bytes);
      CHECK(TIFFGetStrileByteCount(tiff, strip) == std::min<std::uint64_t>(rows, 30000 - first_row) * row_bytes);
    }
    CHECK(TIFFReadDirectory(tiff) == (z + 1 < shape.z ? 1 : 0));
  }
  TIFFClose(tiff);
  const auto reader = open_image(folder / "a.tif");
  CHECK(reader->shape() == shape);
  CHECK(reader->metadata().voxel_size->x == doctest::Approx(65));
}

TEST_CASE("descriptions are understood") {
  using Axes = std::vector<io::FileAxis>;
  const auto parse = [](const std::string& text, std::optional<Index> series = {}) {
    return io::parse_description("a.tif", text, {8, 4}, series);
  };
  const auto imagej =
      parse("ImageJ=1.51n\nimages=60\nchannels=2\nslices=10\nframes=3\nhyperstack=true\nunit=nm\nspacing=0.5\n");
  CHECK(imagej.program == "ImageJ");
  CHECK(imagej.axes == Axes{{'T', 3}, {'Z', 10}, {'C', 2}});
  CHECK(imagej.num_planes() == 60);
  REQUIRE(imagej.metadata.voxel_size.has_value());
  CHECK(imagej.metadata.voxel_size->z == 0.5);
  CHECK(imagej.metadata.voxel_size->y == 0.125);
  CHECK(imagej.metadata.voxel_size->x == 0.25);

  const auto ome = parse(
      "<?xml version=\"1.0\"?><OME><Image ID=\"Image:0\"><Pixels DimensionOrder=\"XYCZT\" SizeC='3' SizeT=\"2\" "
      "SizeX=\"64\" SizeY=\"32\" SizeZ=\"7\" PhysicalSizeX=\"0.1\" PhysicalSizeXUnit=\"nm\" PhysicalSizeZ=\"0.3\">"
      "<TiffData FirstC=\"1\" FirstZ=\"2\" IFD=\"5\" PlaneCount=\"4\"/></Pixels></Image><Image><Pixels/></Image></OME>",
      0);
  CHECK(ome.axes == Axes{{'T', 2}, {'Z', 7}, {'C', 3}});
  CHECK(ome.is_series);
  REQUIRE(ome.runs.size() == 1);
  CHECK(ome.runs[0].channel == 1);
  CHECK(ome.runs[0].z == 2);
  CHECK(ome.runs[0].page == 5);
  CHECK(ome.runs[0].count == 4);
  REQUIRE(ome.metadata.voxel_size.has_value());
  CHECK(ome.metadata.voxel_size->z == 300);  // micrometres where no unit is given
  CHECK(ome.metadata.voxel_size->y == 0);
  CHECK(ome.metadata.voxel_size->x == 0.1);
  CHECK(ome.metadata.voxel_size->unit == "nm");

  const auto shaped = parse("{\"shape\": [5, 32, 64], \"truncated\": true}");
  CHECK(shaped.axes == Axes{{'?', 5}});
  CHECK(shaped.contiguous);
  CHECK(parse("{\"shape\": [2, 5, 32, 64]}").axes == Axes{{'?', 2}, {'?', 5}});
  CHECK(parse("{\"shape\": [2, 5, 32, 64], \"axes\": \"CZYX\"}").axes == Axes{{'C', 2}, {'Z', 5}});
  CHECK(parse("{\"shape\": \"many\"}").program.empty());
  CHECK(parse("{not json").program.empty());
  CHECK(parse("a plain remark").program.empty());
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
