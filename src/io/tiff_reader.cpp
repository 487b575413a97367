// Opens a TIFF: walks through its pages, and finds out which plane of which image each of them is.
#include <algorithm>
#include <string_view>

#include "io/axes.hpp"
#include "io/formats.hpp"
#include "io/io_error.hpp"
#include "io/tiff_description.hpp"
#include "io/tiff_dialects.hpp"
#include "io/tiff_order.hpp"
#include "io/tiff_pieces.hpp"
#include "io/tiff_tags.hpp"
#include "io/voxel_file.hpp"
#include "io/workers.hpp"

namespace convoy::io {
namespace {

constexpr const char* kNameAxes = "--axes reads the pages as they follow one another, as in --axes TZ10C3YX";

/// Room for libtiff's own tables, which grow with the file, and for its row buffers.
std::uint64_t allocation_ceiling(std::uint64_t file_bytes) {
  constexpr std::uint64_t kRowBuffers = 256U << 20;
  constexpr std::uint64_t kTableGrowth = 8;
  return saturating_sum(saturating_product(file_bytes, kTableGrowth), kRowBuffers) & INT64_MAX;
}

bool is_plain(const TiffPage& page) { return page.voxels_offset.has_value(); }

std::uint32_t subfile_kind(TIFF* tiff) {
  std::uint32_t kind = 0;
  return TIFFGetField(tiff, TIFFTAG_SUBFILETYPE, &kind) == 1 ? kind : 0;
}

/// A TIFF while it is being opened.
class TiffStack {
 public:
  TiffStack(const std::string& path, const OpenOptions& options)
      : path_(path),
        options_(options),
        input_(path),
        file_bytes_(input_.size_bytes()),
        file_(path, path, "rm", allocation_ceiling(file_bytes_)),
        tags_(input_, TIFFCurrentDirOffset(file_.handle())),
        text_(description_text()),
        stack_(describe_stack()) {
    big_endian_ = TIFFIsBigEndian(file_.handle()) != 0;
    if (!stack_.obstacle.empty() && options_.axes.empty()) fail(path_, "{}; or {}", stack_.obstacle, kNameAxes);
    collect_pages();
    choose_pages();
    planes_adjoin_ = stack_.contiguous && stack_.num_planes() > 1 && pages_.size() == 1 && pages_[0].voxels_offset;
    num_planes_ = planes_adjoin_ ? stack_.num_planes() : static_cast<Index>(pages_.size());
    require_all_planes();
    set_axes();
    put_pages_in_order();
  }

  std::unique_ptr<StoredImages> images();

 private:
  std::string description_text() const;
  StackDescription describe_stack() const;
  void collect_pages();
  void walk_pages(bool reduced_too);
  void choose_pages();
  void require_all_planes() const;
  void require_known_order() const;
  void set_axes();
  void put_pages_in_order();
  void name_labels();
  ImageMetadata metadata() const;
  VoxelLayout layout() const;

  std::string path_;
  OpenOptions options_;
  InputFile input_;
  std::uint64_t file_bytes_;
  TiffFile file_;
  TiffTags tags_;  // of the first page
  std::string text_;
  StackDescription stack_;
  bool big_endian_ = false;
  std::vector<TiffPage> pages_;
  bool planes_adjoin_ = false;  // one page, and behind its voxels those of all other planes
  bool described_ = false;      // the axes are the description's
  Index num_planes_ = 1;        // of all images
  std::vector<FileAxis> axes_;  // of the pages, slowest first
  std::vector<Index> order_;    // the page of plane (time, channel, z), z fastest
};

std::string TiffStack::description_text() const {
  const char* text = nullptr;
  return TIFFGetField(file_.handle(), TIFFTAG_IMAGEDESCRIPTION, &text) == 1 && text != nullptr ? text : "";
}

StackDescription TiffStack::describe_stack() const {
  if (auto metamorph = parse_metamorph(tags_)) return *metamorph;
  const PixelsPerUnit resolution{tags_.fraction(TIFFTAG_YRESOLUTION).value_or(0),
                                 tags_.fraction(TIFFTAG_XRESOLUTION).value_or(0)};
  StackDescription stack = parse_description(path_, text_, resolution, options_.series);
  const auto unit = tags_.integers(TIFFTAG_RESOLUTIONUNIT, 1);
  const bool in_cm = unit == std::vector<std::uint64_t>{RESUNIT_CENTIMETER};
  const bool in_inches = unit == std::vector<std::uint64_t>{RESUNIT_INCH} && resolution.x != 72 && resolution.x != 96;
  const bool says_nothing_else = stack.program.empty() || stack.program == "tifffile";
  if (says_nothing_else && (in_cm || in_inches) && resolution.x > 0 && resolution.y > 0) {  // 72, 96: of no microscope
    stack.metadata.voxel_size = VoxelSize{0, 1 / resolution.y, 1 / resolution.x, in_cm ? "cm" : "inch"};
  }
  return stack;
}

/// Reduced copies of other pages are left out, and masks that say where other pages are valid, with a warning.
void TiffStack::collect_pages() {
  walk_pages(false);
  if (!pages_.empty()) return;
  if (tags_.has(TIFFTAG_SUBIFD)) {
    fail(path_,
         "holds reduced copies of images that lie in sub-directories, which convoy does not read; save it anew as "
         "a plain or an OME-TIFF");
  }
  if (TIFFSetDirectory(file_.handle(), 0) != 1) file_.fail_with("its first page cannot be found");
  walk_pages(true);
  if (pages_.empty())
    fail(path_, "holds none of the pages of image series {}; {}", options_.series.value_or(0), kNameAxes);
}

/// Whether each page, counted from 0, is of one of the runs; empty: all are wanted.
std::vector<bool> pages_wanted(const StackDescription& stack) {
  if (!stack.is_series) return {};
  constexpr Index kMostPages = 1 << 20;  // libtiff's own limit
  std::vector<Index> begun(kMostPages + 1);
  for (const PlaneRun& run : stack.runs) {
    if (run.page < 0 || run.page >= kMostPages || run.count < 0) continue;
    ++begun[static_cast<std::size_t>(run.page)];
    --begun[static_cast<std::size_t>(run.page + std::min(run.count, kMostPages - run.page))];
  }
  std::vector<bool> wanted(kMostPages);
  Index open_runs = 0;
  for (std::size_t page = 0; page < wanted.size(); ++page) wanted[page] = (open_runs += begun[page]) > 0;
  return wanted;
}

void TiffStack::walk_pages(bool reduced_too) {
  const std::vector<bool> wanted = options_.axes.empty() ? pages_wanted(stack_) : std::vector<bool>();
  Index number = 0;
  Index masks = 0;
  do {
    ++number;
    const auto page = static_cast<std::size_t>(number - 1);
    if (!wanted.empty() && (page >= wanted.size() || !wanted[page])) continue;
    const std::uint32_t kind = subfile_kind(file_.handle());
    if (!reduced_too && wanted.empty() && (kind & FILETYPE_MASK) != 0) ++masks;
    if (!reduced_too && wanted.empty() && (kind & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK)) != 0) continue;
    pages_.push_back(describe_page(file_, input_, number));
  } while (TIFFReadDirectory(file_.handle()) == 1);
  if (file_.failed()) file_.fail_with(fmt::format("is damaged or truncated after page {}", number));
  if (masks > 0) {
    stack_.metadata.warnings.push_back(fmt::format("{} pages are masks of other pages, and are not read", masks));
  }
}

/// Pages of runs are numbered as they were kept; without a description, --series chooses among pages of one kind.
void TiffStack::choose_pages() {
  if (!stack_.runs.empty()) {
    std::vector<Index> place(static_cast<std::size_t>(pages_.empty() ? 0 : pages_.back().number), -1);
    for (std::size_t i = 0; i < pages_.size(); ++i)
      place[static_cast<std::size_t>(pages_[i].number - 1)] = static_cast<Index>(i);
    for (PlaneRun& run : stack_.runs) {
      const bool there = run.page >= 0 && run.page < static_cast<Index>(place.size());
      run.page = there ? place[static_cast<std::size_t>(run.page)] : -1;
    }
  }
  const auto first_of_kind = [&](const TiffPage& page) {
    return std::find_if(pages_.begin(), pages_.end(), [&](const TiffPage& other) { return other.same_kind(page); });
  };
  std::vector<TiffPage> kinds;
  for (auto page = pages_.begin(); page != pages_.end(); ++page) {
    if (first_of_kind(*page) == page) kinds.push_back(*page);
    if (kinds.size() > 64) break;
  }
  const bool by_kind = options_.series && !stack_.is_series && stack_.program != "OME-TIFF";
  if (by_kind && (*options_.series < 0 || *options_.series >= static_cast<Index>(kinds.size()))) {
    fail(path_, "has no image series {}; its pages are of {} kinds, counted from 0", *options_.series, kinds.size());
  }
  if (by_kind) {
    const TiffPage kind = kinds[static_cast<std::size_t>(*options_.series)];
    std::erase_if(pages_, [&](const TiffPage& page) { return !page.same_kind(kind); });
  } else if (kinds.size() > 1) {
    file_.fail_with(
        fmt::format("page {} is {}, but page {} is {}; the pages of a stack must be alike: --series N takes "
                    "those of one kind, counted from 0",
                    kinds[1].number, kinds[1].to_text(), kinds[0].number, kinds[0].to_text()));
  }
}

void TiffStack::require_all_planes() const {
  const std::uint64_t bytes = saturating_product(pages_[0].plane_bytes(), static_cast<std::uint64_t>(num_planes_));
  const std::uint64_t begin = planes_adjoin_ ? *pages_[0].voxels_offset : 0;
  if (!std::all_of(pages_.begin(), pages_.end(), is_plain) || saturating_sum(begin, bytes) <= file_bytes_) return;
  fail(path_, "is truncated: {} planes of {} need {} bytes, the file has {}", num_planes_, pages_[0].to_text(), bytes,
       file_bytes_);
}

/// Throws where the planes' order, or how many there are, would be a guess.
void TiffStack::require_known_order() const {
  const bool other_size =
      (stack_.page_y > 0 && stack_.page_y != pages_[0].y) || (stack_.page_x > 0 && stack_.page_x != pages_[0].x);
  if (other_size) {
    fail(path_, "its {} description describes planes of {}x{}, its pages are {}; {}", stack_.program, stack_.page_y,
         stack_.page_x, pages_[0].to_text(), kNameAxes);
  }
  const bool fits = stack_.axes.empty() || stack_.num_planes() == num_planes_;
  const auto is_long = [](const FileAxis& axis) { return axis.extent != 1; };
  const bool one_axis = std::count_if(stack_.axes.begin(), stack_.axes.end(), is_long) < 2;
  if (!fits && (stack_.exact || !one_axis)) {
    fail(path_, "holds {} planes, but its {} description names {} ({}): it was cut short, or is part of a set; {}",
         num_planes_, stack_.program, stack_.num_planes(), to_text(stack_.axes), kNameAxes);
  }
  const bool more = pages_.size() > 1 ||
                    (is_plain(pages_[0]) && *pages_[0].voxels_offset + 2 * pages_[0].plane_bytes() <= file_bytes_);
  const std::string dialect = stack_.program.empty() && more ? unread_dialect(tags_, text_) : "";
  if (!dialect.empty()) {
    fail(path_, "is a {} file, whose order of planes convoy does not know: save it as OME-TIFF, or {}", dialect,
         kNameAxes);
  }
}

void TiffStack::set_axes() {
  if (options_.axes.empty()) {
    require_known_order();
    axes_ = stack_.axes;
    described_ = stack_.num_planes() == num_planes_ && !axes_.empty();
    if (!described_) {  // nothing is known, or a stack that has since been cut or joined
      const auto longer = std::find_if(axes_.begin(), axes_.end(), [](const auto& axis) { return axis.extent != 1; });
      if (!stack_.axes.empty()) {
        stack_.metadata.warnings.push_back(
            fmt::format("its {} description names {} planes, and it holds {}, all of which "
                        "are read",
                        stack_.program, stack_.num_planes(), num_planes_));
      }
      axes_ = {{longer == axes_.end() ? '?' : longer->name, num_planes_}};
    }
  } else {
    std::vector<FileAxis> wanted = axes_from_text(options_.axes);
    const auto matches = [](const FileAxis& axis, Index extent) { return axis.extent == 0 || axis.extent == extent; };
    const std::size_t n = wanted.size();
    if (n < 2 || wanted[n - 2].name != 'Y' || wanted[n - 1].name != 'X') {
      fail(path_, "axes '{}' do not end in YX, which the pages of a TIFF do", options_.axes);
    }
    if (!matches(wanted[n - 2], pages_[0].y) || !matches(wanted[n - 1], pages_[0].x)) {
      fail(path_, "has pages of {}, not those of axes '{}'", pages_[0].to_text(), options_.axes);
    }
    wanted.resize(n - 2);
    axes_ = name_axes(path_, stack_.axes, wanted, num_planes_);
    described_ = stack_.obstacle.empty() && axes_ == stack_.axes;
  }
  if (axes_.size() == 1 && axes_[0].name == '?') axes_[0].name = 'Z';
  if (std::any_of(axes_.begin(), axes_.end(), [](const FileAxis& axis) { return axis.name == '?'; })) {
    fail(path_, "holds an array of {}, and does not say which axis is which; name them, as in --axes TZYX",
         fmt::format("{}, Y {}, X {}", to_text(axes_), pages_[0].y, pages_[0].x));
  }
  const Index described = extent_of(axes_, 'T') * extent_of(axes_, 'C') * extent_of(axes_, 'Z');
  if (described != num_planes_) fail(path_, "names an axis twice: {}", to_text(axes_));
}

void TiffStack::put_pages_in_order() {
  order_ = pages_in_order_of(axes_);
  if (described_ && !stack_.runs.empty()) {
    std::string why_not;
    order_ = pages_of_runs(axes_, stack_.runs, num_planes_, why_not);
    if (!why_not.empty()) fail(path_, "{}; {}", why_not, kNameAxes);
  }
  name_labels();
  if (planes_adjoin_) return;
  std::vector<TiffPage> ordered;
  ordered.reserve(pages_.size());
  for (const Index page : order_) ordered.push_back(pages_[static_cast<std::size_t>(page)]);
  pages_ = std::move(ordered);
}

/// ImageJ's labels; where all planes of a channel have one, it is the channel's name.
void TiffStack::name_labels() {
  constexpr std::uint16_t kCounts = 50838;
  constexpr std::uint16_t kBytes = 50839;
  if (stack_.program != "ImageJ" || !tags_.has(kCounts)) return;
  ImagejLabels stored;
  for (const std::uint64_t count : tags_.integers(kCounts, file_bytes_ / 4)) {
    stored.counts.push_back(static_cast<std::uint32_t>(count));
  }
  for (const std::byte byte : tags_.bytes(kBytes, tags_.count(kBytes))) stored.bytes += static_cast<char>(byte);
  const std::vector<std::string> labels = labels_from_imagej(stored, big_endian_);
  if (labels.size() != order_.size()) return;
  std::vector<std::string>& names = stack_.metadata.plane_labels;
  for (const Index page : order_) names.push_back(labels[static_cast<std::size_t>(page)]);
  stack_.metadata = with_channel_names(stack_.metadata, extent_of(axes_, 'C'), extent_of(axes_, 'Z'));
}

ImageMetadata TiffStack::metadata() const {
  ImageMetadata metadata = stack_.metadata;
  set_images(axes_, metadata);
  metadata.num_axes = extent_of(axes_, 'Z') > 1 ? 3 : 2;
  if (static_cast<Index>(metadata.channel_names.size()) != metadata.num_channels.value_or(1))
    metadata.channel_names.clear();
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
  if (stack_.signed_as_u16 && pages_[0].sample == Sample::u16) {
    for (TiffPage& page : pages_) page.sample = Sample::shifted_i16;
  }
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
