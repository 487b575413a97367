// What programs write into a TIFF's ImageDescription about the stack as a whole.
#pragma once

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "convoy/io.hpp"
#include "io/axes.hpp"

namespace convoy::io {

/// Where an OME-TIFF says that planes lie: `count` of them from page `page` (counted from 0) on, the first being
/// time, channel, z. A count of 0: all planes that follow.
struct PlaneRun {
  Index time = 0;
  Index channel = 0;
  Index z = 0;
  Index page = 0;
  Index count = 1;
};

struct StackDescription {
  std::string program;         ///< "ImageJ", "OME-TIFF" ...; empty when the text is of no known program
  std::vector<FileAxis> axes;  ///< of the pages, slowest first; empty: not described
  std::vector<PlaneRun> runs;  ///< empty: the pages are in the order of the axes
  bool contiguous = false;     ///< a file with one page may hold all planes one behind the other
  bool exact = false;          ///< a file of other planes than these is not what was described
  bool signed_as_u16 = false;  ///< 16 bit voxels are those stored less 32768
  bool is_series = false;      ///< one of several: the pages of its runs are its own, others are not
  Index page_y = 0;            ///< 0: not described
  Index page_x = 0;
  /// Why the axes are not to be relied on; OpenOptions::axes is the way out. Empty: they are.
  std::string obstacle;
  /// Voxel size (as given_length), time step, channel names, labels and warnings.
  ImageMetadata metadata;

  Index num_planes() const { return num_planes_of(axes); }
};

/// Of the page's resolution tags; 0: absent. ImageJ keeps its voxel size there.
struct PixelsPerUnit {
  double y = 0;
  double x = 0;
};

/// `series` is OpenOptions::series, `shown_path` for messages. Throws Error(io) if there is no such series.
StackDescription parse_description(const std::string& shown_path, const std::string& text,
                                   const PixelsPerUnit& resolution, std::optional<Index> series = {});

StackDescription parse_imagej(std::string_view text, const PixelsPerUnit& resolution);
StackDescription parse_scifio(std::string_view text);
StackDescription parse_ome(const std::string& shown_path, const std::string& text, std::optional<Index> series);
/// Whether the text is XML whose root is OME's, or was before it was damaged.
bool is_ome(const std::string& text);

/// What ImageJ writes about images of these facts; channels of a plane follow one another, then z, then time.
std::string imagej_description(const Shape& shape, const ImageMetadata& metadata);

/// ImageJ's labels as its tags 50838 (numbers of bytes) and 50839 (bytes, little-endian), and back. No bytes: none.
struct ImagejLabels {
  std::vector<std::uint32_t> counts;
  std::string bytes;
};
ImagejLabels imagej_labels(const Shape& shape, const ImageMetadata& metadata);
std::vector<std::string> labels_from_imagej(const ImagejLabels& stored, bool big_endian);

/// Labels that all planes of a channel share are the channels' names. `channels` and `planes` are extents.
ImageMetadata with_channel_names(ImageMetadata metadata, Index channels, Index planes);

/// The XML of an OME-TIFF whose pages are in the order time, channel, z.
std::string ome_description(const Shape& shape, Element element, const ImageMetadata& metadata);

/// The value of "key=value" on a line of its own.
std::optional<std::string_view> line_value(std::string_view text, std::string_view key);

/// The number that the text begins with.
template <class T>
std::optional<T> number_in(std::string_view text) {
  text.remove_prefix(std::min(text.size(), text.find_first_not_of(" \t+")));
  T value{};
  const auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc()) return std::nullopt;
  return value;
}

template <class T>
T number_or(std::optional<std::string_view> text, T fallback) {
  return text ? number_in<T>(*text).value_or(fallback) : fallback;
}

}  // namespace convoy::io
