// Files that are damaged, lie, or hold something else than one image.
#include <fmt/format.h>

#include "tiff_maker.hpp"

namespace convoy::test {
namespace {

std::vector<Entry> entries(std::uint32_t width, std::uint32_t height, std::uint32_t compression = COMPRESSION_NONE,
                           std::uint32_t strip_bytes = 16) {
  return {{TIFFTAG_IMAGEWIDTH, 4, width},
          {TIFFTAG_IMAGELENGTH, 4, height},
          {TIFFTAG_BITSPERSAMPLE, 3, 8},
          {TIFFTAG_COMPRESSION, 3, compression},
          {TIFFTAG_PHOTOMETRIC, 3, 1},
          {TIFFTAG_STRIPOFFSETS, 4, 8},
          {TIFFTAG_SAMPLESPERPIXEL, 3, 1},
          {TIFFTAG_ROWSPERSTRIP, 4, height},
          {TIFFTAG_STRIPBYTECOUNTS, 4, strip_bytes}};
}

TEST_CASE("files that are no TIFF") {
  const Folder folder;
  const std::string path = folder / "a.tif";
  for (const std::string& bytes :
       {std::string(), std::string("II*"), std::string(1000, 'x'), std::string("II*\0\0\0\0\0", 8),
        std::string("II*\0\xFF\xFF\xFF\x7F", 8), std::string("\x89PNG\r\n\x1A\n")}) {
    write_bytes(path, bytes);
    CHECK_READING_FAILS(path, "no TIFF file");
  }
}

TEST_CASE("files that promise more than they hold, before memory is taken") {
  const Folder folder;
  const std::string path = folder / "a.tif";
  const auto refuses = [&](const std::vector<Entry>& list, const std::string& part) {
    CAPTURE(list[0].value);
    CAPTURE(list[1].value);
    CAPTURE(list[3].value);
    write_bytes(path, hand_made(list));
    CHECK_READING_FAILS(path, part);
  };
  for (const std::uint32_t compression :
       {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE, COMPRESSION_PACKBITS}) {
    refuses(entries(1'000'000, 1'000'000, compression), "");
    refuses(entries(2'000'000'000, 2'000'000'000, compression), "");
    refuses(entries(60'000, 60'000, compression), "more than a file of");
  }
  refuses(entries(0, 10), "");
  refuses(entries(10, 0), "");
  auto beyond_the_end = entries(4, 4);
  beyond_the_end[5].value = 4'000'000'000;
  refuses(beyond_the_end, "reaches to byte");
  refuses(entries(4, 4, 34999), "method 34999");

  auto tiled = entries(4, 4);
  tiled[5] = {TIFFTAG_TILEWIDTH, 4, 1 << 20};
  tiled[7] = {TIFFTAG_TILELENGTH, 4, 1 << 20};
  tiled[8] = {TIFFTAG_TILEOFFSETS, 4, 8};
  tiled.push_back({TIFFTAG_TILEBYTECOUNTS, 4, 16});
  std::sort(tiled.begin(), tiled.end(), [](const Entry& a, const Entry& b) { return a.tag < b.tag; });
  refuses(tiled, "more than a file of");

  auto many_strips = entries(1, 0x7FFFFFFF, COMPRESSION_ADOBE_DEFLATE);
  many_strips[7].value = 1;
  refuses(many_strips, "");
}

TEST_CASE("a directory that points to itself is read once") {
  const Folder folder;
  write_bytes(folder / "a.tif", hand_made(entries(4, 4), 8));
  CHECK(read_image(folder / "a.tif").shape == Shape{1, 4, 4});
}

TEST_CASE("every truncation of a good file is an error") {
  const Folder folder;
  const auto voxels = numbered_voxels<std::uint16_t>({3, 20, 20});
  for (const int compression : {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE}) {
    for (const std::uint32_t tile : {0U, 16U}) {
      make_tiff(folder / "good.tif", ImageView(voxels, Shape{3, 20, 20}), {.compression = compression, .tile = tile});
      const std::string bytes = bytes_of(folder / "good.tif");
      for (std::size_t size = 0; size + 4 < bytes.size(); size += 61) {
        write_bytes(folder / "a.tif", bytes.substr(0, size));
        CHECK_READING_FAILS(folder / "a.tif", "");
      }
    }
  }
}

TEST_CASE("any damaged byte gives an image or an error, never a crash") {
  const Folder folder;
  const auto voxels = numbered_voxels<std::uint8_t>({2, 9, 11});
  for (const int compression : {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE}) {
    make_tiff(folder / "good.tif", ImageView(voxels, Shape{2, 9, 11}),
              {.compression = compression, .rows_per_strip = 4});
    const std::string good = bytes_of(folder / "good.tif");
    for (std::size_t at = 0; at < good.size(); ++at) {
      for (const int flip : {0xFF, 0x01, 0x80}) {
        std::string bytes = good;
        bytes[at] = static_cast<char>(bytes[at] ^ flip);
        write_bytes(folder / "a.tif", bytes);
        try {
          read_image(folder / "a.tif");
        } catch (const Error& error) {
          CHECK(contains(error.what(), folder / "a.tif"));
        }
      }
    }
  }
}

TEST_CASE("samples that convoy does not read are named, and so is what it reads") {
  const Folder folder;
  const std::string path = folder / "a.tif";
  const auto voxels = numbered_voxels<double>({1, 4, 4});
  make_tiff(path, ImageView(voxels, Shape{1, 4, 4}), {.sample_format = SAMPLEFORMAT_COMPLEXINT});
  CHECK_READING_FAILS(path, "64 bit complex");
  make_tiff(path, ImageView(voxels, Shape{1, 4, 4}), {.sample_format = SAMPLEFORMAT_INT});
  CHECK_READING_FAILS(path, "64 bit integers beyond 2^53");
  make_tiff(path, ImageView(voxels.data(), Element::u8, Shape{1, 4, 4}), {.sample_format = SAMPLEFORMAT_IEEEFP});
  CHECK_READING_FAILS(path, "8 bit floating point samples; convoy reads integers of 8 to 64 bit");
  make_tiff(path, ImageView(voxels.data(), Element::u8, Shape{1, 4, 12}), {.more_tags = [](TIFF* tiff, Index) {
              TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, 4);
              TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 3);
              TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_RGB);
            }});
  CHECK_READING_FAILS(path, "3 samples per pixel (colour)");
}

TEST_CASE("pages that differ are named") {
  const Folder folder;
  const std::string path = folder / "a.tif";
  const auto voxels = numbered_voxels<std::uint8_t>({3, 4, 4});
  make_tiff(path, ImageView(voxels, Shape{3, 4, 4}), {.rows_per_strip = 4, .more_tags = [](TIFF* tiff, Index page) {
                                                        if (page == 2) TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, 3);
                                                      }});
  CHECK_READING_FAILS(path, "page 3 is 4x3 u8, but page 1 is 4x4 u8");
  make_tiff(path, ImageView(voxels, Shape{3, 4, 4}), {.more_tags = [](TIFF* tiff, Index page) {
              if (page == 1) TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_INT);
            }});
  CHECK_READING_FAILS(path, "page 2 is 4x4 i8");
}

TEST_CASE("stacks of several images are refused with what they hold") {
  const Folder folder;
  const std::string path = folder / "a.tif";
  const auto voxels = numbered_voxels<std::uint8_t>({6, 4, 4});
  const auto refuses = [&](const std::string& description, const std::string& part) {
    make_tiff(path, ImageView(voxels, Shape{6, 4, 4}), {.description = description});
    CHECK_READING_FAILS(path, part);
  };
  refuses("ImageJ=1.53t\nimages=6\nchannels=2\nslices=3\nhyperstack=true\n", "holds 2 channels and 1 time points");
  refuses("ImageJ=1.53t\nimages=6\nframes=6\n", "holds 1 channels and 6 time points");
  refuses("<OME><Image><Pixels SizeZ=\"3\" SizeC=\"2\" SizeT=\"1\"/></Image></OME>", "holds 2 channels");
  refuses("<OME><Image><Pixels SizeZ=\"6\"/></Image><Image><Pixels SizeZ=\"6\"/></Image></OME>", "2 image series");
  refuses("<OME><Image><Pixels SizeZ=\"60\"/></Image></OME>", "holds 6 planes, but its OME-TIFF description names 60");
  refuses("ImageJ=1.53t\nimages=60\nchannels=2\nslices=30\nhyperstack=true\n", "description names 60 (T 1, Z 30, C 2)");
  for (const char* order : {"XYZZZ", "XZCZT", "ZXYZCT", "XYTC"}) {
    refuses(fmt::format("<OME><Image><Pixels DimensionOrder=\"{}\" SizeZ=\"6\"/></Image></OME>", order),
            fmt::format("orders its planes as '{}'", order));
  }
  refuses("<OME><Image><Pixels SizeZ=\"6\"><TiffData IFD=\"0\" PlaneCount=\"7\"/></Pixels></Image></OME>",
          "beyond the 6");
  refuses("<OME><Image><Pixels SizeZ=\"6\"><TiffData IFD=\"3\" PlaneCount=\"6\"/></Pixels></Image></OME>", "on page 7");
  refuses("<OME><Image><Pixels SizeZ=\"6\"><TiffData IFD=\"3\" FirstZ=\"3\" PlaneCount=\"3\"/></Pixels></Image></OME>",
          "names the pages of 3 planes of 6");
  refuses("{\"shape\": [2, 3, 4, 4], \"axes\": \"ZZYX\"}", "names an axis twice");
  refuses("{\"shape\": [2, 3, 4, 4]}", "array of ? 2, ? 3, Y 4, X 4");
}

}  // namespace
}  // namespace convoy::test
