// The public face: what kind of file a name means, and whole images through readers and writers by region.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <new>
#include <stdexcept>

#include "base/checksum.hpp"
#include "base/dense_view.hpp"
#include "base/path_text.hpp"
#include "base/worker_pool.hpp"
#include "convoy/bytes_text.hpp"
#include "convoy/version.hpp"
#include "io/axes.hpp"
#include "io/box.hpp"
#include "io/formats.hpp"
#include "io/io_error.hpp"
#include "io/leftovers.hpp"
#include "io/output_file.hpp"
#include "io/region_writer.hpp"
#include "io/sample.hpp"
#include "io/voxel_output.hpp"
#include "io/voxel_size.hpp"
#include "io/zarr_output.hpp"

namespace convoy::inline v0 {
namespace {

enum class Format { tiff, npy, raw, zarr };

std::string lower_extension(const std::filesystem::path& path) {
  std::string extension = text_from(path.extension());
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension;
}

Format format_of(const std::string& path) {
  std::filesystem::path name = path_from(path);
  if (!name.has_filename()) name = name.parent_path();  // "image.zarr/"
  const std::string extension = lower_extension(name);
  if (extension == ".tif" || extension == ".tiff") return Format::tiff;
  if (extension == ".npy") return Format::npy;
  if (extension == ".raw") return Format::raw;
  if (extension == ".zarr") return Format::zarr;
  const std::string found = extension.empty() ? "no file name extension" : fmt::format("extension '{}'", extension);
  io::fail(path, "has {}; known image files are .tif, .tiff, .npy, .raw and .zarr", found);
}

/// Also of arrays within a store, as in image.zarr/0.
Format format_to_read(const std::string& path) {
  const std::filesystem::path name = path_from(path);
  const bool in_store =
      std::any_of(name.begin(), name.end(), [](const auto& part) { return lower_extension(part) == ".zarr"; });
  if (in_store && std::filesystem::is_directory(name)) return Format::zarr;
  const std::string extension = lower_extension(name);
  return extension == ".stk" || extension == ".lsm" ? Format::tiff : format_of(path);
}

std::unique_ptr<io::StoredImages> open_format(const std::string& path, const OpenOptions& options) {
  if (options.raw) return io::open_raw(path, *options.raw);
  switch (format_to_read(path)) {
    case Format::tiff:
      return io::open_tiff(path, options);
    case Format::npy:
      return io::open_npy(path, options);
    case Format::zarr:
      return io::open_zarr(path, options);
    case Format::raw:
      break;
  }
  io::fail(path, "tells nothing about its voxels; say how they lie, as in --raw 128,512,512,u16");
}

std::shared_ptr<const io::StoredImages> open_file(const std::string& path, const OpenOptions& options) {
  io::require_axes(options.axes);
  std::shared_ptr<io::StoredImages> file = open_format(path, options);
  io::settle_voxel_size(file->facts().shape, file->metadata(), options.voxel_size);
  return file;
}

/// One image of an open file.
class StoredImage : public ImageFileReader {
 public:
  StoredImage(std::string path, std::shared_ptr<const io::StoredImages> file, Index number)
      : path_(std::move(path)), file_(std::move(file)), number_(number) {}

  Shape shape() const override { return file_->facts().shape; }
  Element element() const override { return file_->facts().element; }
  Shape chunk() const override { return file_->facts().chunk; }
  const ImageMetadata& metadata() const override { return file_->facts().metadata; }
  std::uint64_t cache_bytes() const override { return file_->facts().cache_bytes; }
  void read(const Box& box, std::byte* voxels) const override {
    io::require_inside(shape(), box);
    try {
      file_->read(number_, box, voxels);
    } catch (const io::InexactVoxel&) {
      io::fail(path_,
               "holds 64 bit integers beyond 2^53, which no floating point voxel is equal to: save it as float64, "
               "or scaled");
    }
  }

 private:
  std::string path_;
  std::shared_ptr<const io::StoredImages> file_;
  Index number_;
};

/// Calls body(box, offset in bytes) for slabs of a dense image of so many voxels, on all threads: whole planes, or rows
/// of a single plane.
template <class Body>
void for_each_slab(const Shape& shape, Element element, const Shape& chunk, Body body) {
  const int axis = shape.z > 1 ? 0 : 1;
  const auto row_bytes = static_cast<std::uint64_t>(axis == 0 ? shape.y * shape.x : shape.x) * size_of(element);
  constexpr std::uint64_t kSlabBytes = std::uint64_t{4} << 20;
  const Index wanted = std::max<Index>(1, static_cast<Index>(kSlabBytes / row_bytes));
  const Index grain = (wanted + chunk[axis] - 1) / chunk[axis] * chunk[axis];
  if (shape[axis] <= grain) return body(io::whole(shape), 0);
  host_workers().for_each(shape[axis], grain, [&](int, std::int64_t begin, std::int64_t end) {
    Box box = io::whole(shape);
    box.begin[axis] = begin;
    box.size[axis] = end - begin;
    body(box, static_cast<std::uint64_t>(begin) * row_bytes);
  });
}

/// Locks the output, which must come before its store is opened; null if it is not to be continued.
std::unique_ptr<io::Journal> make_journal(const std::string& path, const Shape& shape, Element element,
                                          Index num_images, const CreateOptions& options) {
  if (!options.resume) return nullptr;
  io::remove_abandoned(io::OutputPlace(path));
  JobDescription job = options.job;
  job.emplace_back("output", fmt::format("{} x {} {} zyx", num_images, to_text(shape), name(element)));
  job.emplace_back("convoy", CONVOY_VERSION);
  return std::make_unique<io::Journal>(io::journal_path(path), path, job, shape, num_images);
}

std::unique_ptr<io::OutputStore> make_store(const std::string& path, const Shape& shape, Element element,
                                            const ImageMetadata& metadata, const CreateOptions& options) {
  const auto unfinished = options.resume ? io::OutputFile::Unfinished::kept : io::OutputFile::Unfinished::removed;
  const Format format = format_of(path);
  if (format == Format::zarr)
    return std::make_unique<io::ZarrOutput>(path, unfinished, shape, element, metadata, options);
  io::FileDesign design = format == Format::tiff  ? io::design_tiff(path, shape, element, metadata)
                          : format == Format::npy ? io::design_npy(shape, element, metadata)
                                                  : io::design_dense("", shape, element, metadata);
  return std::make_unique<io::VoxelOutput>(path, unfinished, std::move(design), shape);
}

}  // namespace

std::vector<std::unique_ptr<ImageFileReader>> open_images(const std::string& path, const OpenOptions& options) {
  const auto file = open_file(path, options);
  std::vector<std::unique_ptr<ImageFileReader>> images;
  for (Index number = 0; number < file->facts().metadata.num_images(); ++number) {
    images.push_back(std::make_unique<StoredImage>(path, file, number));
  }
  return images;
}

std::unique_ptr<ImageFileReader> open_image(const std::string& path, const OpenOptions& options) {
  const auto file = open_file(path, options);
  const ImageMetadata& metadata = file->facts().metadata;
  if (metadata.num_images() > 1) {
    io::fail(path, "holds {} channels and {} time points, and one image is wanted here: save that by itself first",
             metadata.num_channels.value_or(1), metadata.num_times.value_or(1));
  }
  return std::make_unique<StoredImage>(path, file, 0);
}

Image read_image(const std::string& path, const OpenOptions& options) {
  const auto reader = open_image(path, options);
  Image image = io::make_image_for(path, reader->shape(), reader->element());
  image.metadata = reader->metadata();
  for_each_slab(image.shape, image.element, reader->chunk(),
                [&](const Box& box, std::uint64_t offset) { reader->read(box, image.bytes.data() + offset); });
  return image;
}

std::unique_ptr<ImageFileWriter> create_image(const std::string& path, const Shape& shape, Element element,
                                              const ImageMetadata& metadata, const CreateOptions& options) {
  num_voxels(shape);
  auto journal = make_journal(path, shape, element, metadata.num_images(), options);
  try {
    auto store = make_store(path, shape, element, metadata, options);
    return std::make_unique<io::RegionWriter>(path, std::move(store), std::move(journal), shape, element,
                                              metadata.num_images());
  } catch (...) {
    if (journal && journal->empty()) journal->remove();
    throw;
  }
}

bool is_unfinished(const std::string& path) {
  const io::OutputPlace place(path);
  return place.folder()->status(place.journal_name()).has_value();
}

std::string checksum(const ImageView& given) {
  const DenseView dense(given);
  const ImageView& image = dense.view();
  const std::uint64_t bytes = static_cast<std::uint64_t>(num_voxels(image.shape)) * size_of(image.element);
  Checksum sum;
  const std::string kind = to_text(image.shape) + name(image.element);
  sum.add(reinterpret_cast<const std::byte*>(kind.data()), kind.size());
  sum.add(static_cast<const std::byte*>(image.data), bytes);
  return fmt::format("{:016x}", sum.value());
}

void write_image(const std::string& path, const ImageView& given, const ImageMetadata& metadata,
                 const CreateOptions& options) {
  const DenseView dense(given);
  const ImageView& image = dense.view();
  ImageMetadata one = metadata;
  one.num_times.reset();
  one.num_channels.reset();
  one.time_step.reset();
  if (one.channel_names.size() > 1) one.channel_names.clear();
  const auto file = create_image(path, image.shape, image.element, one, options);
  ImageWriter& writer = file->image();
  const auto* voxels = static_cast<const std::byte*>(image.data);
  for_each_slab(image.shape, image.element, writer.chunk(),
                [&](const Box& box, std::uint64_t offset) { writer.write(box, voxels + offset); });
  file->commit();
}

void require_writable_image(const std::string& path, const CreateOptions& options) {
  if (format_of(path) == Format::zarr) {
    io::OutputFolder(path, io::OutputFile::Unfinished::removed, options.overwrite);
  } else {
    require_writable(path);
  }
}

}  // namespace convoy::inline v0

namespace convoy::io {

Image make_image_for(const std::string& path, const Shape& shape, Element element) {
  try {
    return make_image(shape, element);
  } catch (const OutOfMemory& error) {
    throw OutOfMemory(path + ": " + error.what(), error.requested_bytes(), error.limit_bytes(), error.limit_name());
  }
}

}  // namespace convoy::io
