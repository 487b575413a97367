// Opens a TIFF: walks through its pages, and finds out which plane of which image each of them is.
#include <algorithm>
#include <string_view>

#include "io/axes.hpp"
#include "io/formats.hpp"
#include "io/io_error.hpp"
#include "io/tiff_description.hpp"
#include "io/tiff_pieces.hpp"
#include "io/voxel_file.hpp"
#include "io/workers.hpp"

namespace convoy::io {
namespace {

/// Room for libtiff's own tables, which grow with the file, and for its row buffers.
std::uint64_t allocation_ceiling(std::uint64_t file_bytes) {
  constexpr std::uint64_t kRowBuffers = 256U << 20;
  constexpr std::uint64_t kTableGrowth = 8;
  return saturating_sum(saturating_product(file_bytes, kTableGrowth), kRowBuffers) & INT64_MAX;
}

bool is_plain(const TiffPage& page) { return page.voxels_offset.has_value(); }

bool is_thumbnail(TIFF* tiff) {
  std::uint32_t kind = 0;
  return TIFFGetField(tiff, TIFFTAG_SUBFILETYPE, &kind) == 1 && (kind & FILETYPE_REDUCEDIMAGE) != 0;
}

/// A TIFF while it is being opened.
class TiffStack {
 public:
  TiffStack(const std::string& path, const OpenOptions& options)
      : path_(path),
        options_(options),
        file_bytes_(InputFile(path).size_bytes()),
        file_(path, path, "rm", allocation_ceiling(file_bytes_)),
        stack_(describe_stack()) {
    big_endian_ = TIFFIsBigEndian(file_.handle()) != 0;
    collect_pages();
    planes_adjoin_ = stack_.contiguous && stack_.num_planes() > 1 && pages_.size() == 1 && pages_[0].voxels_offset;
    num_planes_ = planes_adjoin_ ? stack_.num_planes() : static_cast<Index>(pages_.size());
    require_all_planes();
    set_axes();
    put_pages_in_order();
  }

  std::unique_ptr<StoredImages> images();

 private:
  StackDescription describe_stack() const;
  void collect_pages();
  void require_all_planes() const;
  void set_axes();
  void put_pages_in_order();
  std::vector<Index> pages_of_axes() const;
  std::vector<Index> pages_of_runs() const;
  ImageMetadata metadata() const;
  VoxelLayout layout() const;

  std::string path_;
  OpenOptions options_;
  std::uint64_t file_bytes_;
  TiffFile file_;
  StackDescription stack_;
  bool big_endian_ = false;
  std::vector<TiffPage> pages_;
  bool planes_adjoin_ = false;  // one page, and behind its voxels those of all other planes
  Index num_planes_ = 1;        // of all images
  std::vector<FileAxis> axes_;  // of the pages, slowest first
  std::vector<Index> order_;    // the page of plane (time, channel, z), z fastest
};

StackDescription TiffStack::describe_stack() const {
  const char* text = nullptr;
  float per_unit_x = 0;
  float per_unit_y = 0;
  if (TIFFGetField(file_.handle(), TIFFTAG_IMAGEDESCRIPTION, &text) != 1 || text == nullptr) return {};
  TIFFGetField(file_.handle(), TIFFTAG_XRESOLUTION, &per_unit_x);
  TIFFGetField(file_.handle(), TIFFTAG_YRESOLUTION, &per_unit_y);
  return parse_description(text, per_unit_x, per_unit_y);
}

void TiffStack::collect_pages() {
  Index number = 0;
  do {
    ++number;
    if (number > 1 && is_thumbnail(file_.handle())) continue;
    const TiffPage page = describe_page(file_, number, file_bytes_);
    if (!pages_.empty() && !page.same_kind(pages_[0])) {
      file_.fail_with(fmt::format("page {} is {}, but page 1 is {}; the pages of a stack must be alike", number,
                                  page.to_text(), pages_[0].to_text()));
    }
    pages_.push_back(page);
  } while (TIFFReadDirectory(file_.handle()) == 1);
  if (file_.failed()) file_.fail_with(fmt::format("is damaged or truncated after page {}", number));
}

void TiffStack::require_all_planes() const {
  const std::uint64_t bytes = saturating_product(pages_[0].plane_bytes(), static_cast<std::uint64_t>(num_planes_));
  const std::uint64_t begin = planes_adjoin_ ? *pages_[0].voxels_offset : 0;
  if (!std::all_of(pages_.begin(), pages_.end(), is_plain) || saturating_sum(begin, bytes) <= file_bytes_) return;
  fail(path_, "is truncated: {} planes of {} need {} bytes, the file has {}", num_planes_, pages_[0].to_text(), bytes,
       file_bytes_);
}

void TiffStack::set_axes() {
  if (stack_.num_series != 1) {
    fail(path_, "is an {} file of {} image series; convoy reads one image: save the one wanted by itself",
         stack_.program, stack_.num_series);
  }
  axes_ = stack_.axes;
  const bool one_axis =
      std::count_if(axes_.begin(), axes_.end(), [](const auto& axis) { return axis.extent != 1; }) < 2;
  if (stack_.num_planes() != num_planes_ && stack_.program == "OME-TIFF") {
    fail(path_, "is part of an OME-TIFF set: it names {} planes and holds {}; convoy reads images that are in one file",
         stack_.num_planes(), num_planes_);
  }
  if (stack_.num_planes() != num_planes_ && one_axis) {  // nothing told, or told of a stack that has since been cut
    const auto longer = std::find_if(axes_.begin(), axes_.end(), [](const auto& axis) { return axis.extent != 1; });
    axes_ = {{longer == axes_.end() ? '?' : longer->name, num_planes_}};
  } else if (stack_.num_planes() != num_planes_) {
    fail(path_, "holds {} planes, but its {} description tells of {} ({})", num_planes_, stack_.program,
         stack_.num_planes(), to_text(axes_));
  }
  if (!options_.axes.empty()) {
    if (!options_.axes.ends_with("YX"))
      fail(path_, "axes '{}' do not end in YX, which the pages of a TIFF do", options_.axes);
    axes_ = name_axes(path_, axes_, options_.axes.substr(0, options_.axes.size() - 2));
  }
  if (axes_.size() == 1 && axes_[0].name == '?') axes_[0].name = 'Z';
  if (std::any_of(axes_.begin(), axes_.end(), [](const FileAxis& axis) { return axis.name == '?'; })) {
    fail(path_, "holds an array of {}, and does not tell which axis is which; name them, as in --axes TZYX",
         fmt::format("{}, Y {}, X {}", to_text(axes_), pages_[0].y, pages_[0].x));
  }
  const Index described = extent_of(axes_, 'T') * extent_of(axes_, 'C') * extent_of(axes_, 'Z');
  if (described != num_planes_) fail(path_, "names an axis twice: {}", to_text(axes_));
}

std::vector<Index> TiffStack::pages_of_axes() const {
  std::vector<Index> order;
  order.reserve(static_cast<std::size_t>(num_planes_));
  const auto page_of = [&](Index time, Index channel, Index z) {
    Index page = 0;
    for (const FileAxis& axis : axes_) {
      page = page * axis.extent + (axis.name == 'T' ? time : axis.name == 'C' ? channel : z);
    }
    return page;
  };
  for (Index time = 0; time < extent_of(axes_, 'T'); ++time) {
    for (Index channel = 0; channel < extent_of(axes_, 'C'); ++channel) {
      for (Index z = 0; z < extent_of(axes_, 'Z'); ++z) order.push_back(page_of(time, channel, z));
    }
  }
  return order;
}

/// For each plane (time, channel, z) the page that the file's runs give it.
std::vector<Index> TiffStack::pages_of_runs() const {
  std::vector<Index> planes_in_sequence(static_cast<std::size_t>(num_planes_));  // as pages would follow one another
  const std::vector<Index> sequence = pages_of_axes();
  for (std::size_t plane = 0; plane < sequence.size(); ++plane) {
    planes_in_sequence[static_cast<std::size_t>(sequence[plane])] = static_cast<Index>(plane);
  }
  const Index channels = extent_of(axes_, 'C');
  const Index planes = extent_of(axes_, 'Z');
  std::vector<Index> order(sequence.size(), -1);
  for (const PlaneRun& run : stack_.runs) {
    const bool inside = run.time >= 0 && run.time < extent_of(axes_, 'T') && run.channel >= 0 &&
                        run.channel < channels && run.z >= 0 && run.z < planes && run.page >= 0 && run.count >= 0 &&
                        run.count <= num_planes_;
    if (!inside) fail(path_, "its OME-TIFF description places planes beyond the {} that there are", num_planes_);
    const Index first = sequence[static_cast<std::size_t>((run.time * channels + run.channel) * planes + run.z)];
    for (Index i = 0; i < run.count; ++i) {
      if (first + i >= num_planes_ || run.page + i >= num_planes_) {
        fail(path_, "its OME-TIFF description places plane {} on page {}; there are {} of both", first + i + 1,
             run.page + i + 1, num_planes_);
      }
      order[static_cast<std::size_t>(planes_in_sequence[static_cast<std::size_t>(first + i)])] = run.page + i;
    }
  }
  if (std::count(order.begin(), order.end(), -1) > 0) {
    fail(path_, "its OME-TIFF description names the pages of {} planes of {}",
         num_planes_ - std::count(order.begin(), order.end(), -1), num_planes_);
  }
  return order;
}

void TiffStack::put_pages_in_order() {
  order_ = stack_.runs.empty() || !options_.axes.empty() ? pages_of_axes() : pages_of_runs();
  if (planes_adjoin_) return;
  std::vector<TiffPage> ordered;
  ordered.reserve(pages_.size());
  for (const Index page : order_) ordered.push_back(pages_[static_cast<std::size_t>(page)]);
  pages_ = std::move(ordered);
}

ImageMetadata TiffStack::metadata() const {
  ImageMetadata metadata;
  set_images(axes_, metadata);
  metadata.num_axes = extent_of(axes_, 'Z') > 1 ? 3 : 2;
  metadata.voxel_size = stack_.voxel_size;
  // ImageJ and OME name extents of 1 as well: no axes that anybody would miss.
  if (metadata.num_times == 1) metadata.num_times.reset();
  if (metadata.num_channels == 1) metadata.num_channels.reset();
  return metadata;
}

VoxelLayout TiffStack::layout() const {
  const Shape shape{extent_of(axes_, 'Z'), pages_[0].y, pages_[0].x};
  VoxelLayout layout = dense_layout(shape, pages_[0].sample, extent_of(axes_, 'C'), 0);
  layout.big_endian = big_endian_;
  layout.planes_per_image = shape.z;
  for (std::size_t plane = 0; plane < order_.size(); ++plane) {
    layout.planes.push_back(planes_adjoin_ ? *pages_[0].voxels_offset +
                                                 static_cast<std::uint64_t>(order_[plane]) * pages_[0].plane_bytes()
                                           : *pages_[plane].voxels_offset);
  }
  return layout;
}

std::unique_ptr<StoredImages> TiffStack::images() {
  const Shape shape{extent_of(axes_, 'Z'), pages_[0].y, pages_[0].x};
  if (std::all_of(pages_.begin(), pages_.end(), is_plain)) {
    VoxelLayout places = layout();
    ImageFacts facts = facts_of(places, shape, metadata());
    return std::make_unique<VoxelFile>(path_, std::move(places), std::move(facts));
  }
  const Shape chunk{1, std::min(pages_[0].piece_y, shape.y), std::min(pages_[0].piece_x, shape.x)};
  const auto piece_bytes = static_cast<std::uint64_t>(chunk.y * pages_[0].piece_x) * size_of(pages_[0].sample);
  ImageFacts facts{shape, element_for(pages_[0].sample), chunk, metadata(),
                   saturating_sum(options_.cache_bytes, codec_bytes(piece_bytes))};
  return std::make_unique<TiffPieces>(path_, allocation_ceiling(file_bytes_), std::move(pages_), std::move(facts),
                                      options_.cache_bytes);
}

}  // namespace

std::unique_ptr<StoredImages> open_tiff(const std::string& path, const OpenOptions& options) {
  return TiffStack(path, options).images();
}

}  // namespace convoy::io
