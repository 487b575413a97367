// Image files, whole or by region: TIFF, NumPy and raw in and out, PNG for pictures. Shapes are z, y, x; a page of a
// TIFF is a plane of z.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "convoy/export.h"
#include "convoy/image.hpp"
#include "convoy/metadata.hpp"
#include "convoy/shape.hpp"
#include "convoy/stream.hpp"

namespace convoy::inline v0 {

/// How the voxels of a file without a header lie: dense, z, y, x with x contiguous.
struct RawLayout {
  Shape shape;
  std::string type = "u16";  ///< u8, i8, u16, i16, u32, i32, u64, i64, f16, bf16, f32, f64, c64 or c128
  std::uint64_t offset_bytes = 0;
  bool big_endian = false;
  bool more_bytes_follow = false;  ///< else a file that is longer than offset and voxels is refused
};

/// Reads "z,y,x,type", then, as wanted, ",offset" in bytes, ",big" for big-endian voxels and
/// ",more" for files in which more bytes follow, as in "128,512,512,u16,4096,big". Throws Error(invalid_argument).
CONVOY_API RawLayout raw_layout_from_text(const std::string& text);

/// Reads "z,y,x" and, as wanted, ",unit", as in "0.3,0.1,0.1,um". Throws Error(invalid_argument).
CONVOY_API VoxelSize voxel_size_from_text(const std::string& text);
/// How many of the other's lengths each length is, along z, y, x, whatever their units; NaN where one of them is not
/// known or the units cannot be compared.
CONVOY_API std::array<double, 3> voxel_size_ratio(const VoxelSize& size, const VoxelSize& other);

struct OpenOptions {
  /// The file's axes, slowest first, of "TCZYX", each at most once and ending in what the file has of z, y, x:
  /// "TZYX", "CYX" ... Needed where the file itself does not say, or says what its planes contradict. An extent
  /// may follow a letter, and must where it does not follow from the rest: 30 plain pages are "ZC3YX". Empty: as the
  /// file says, else z, y, x.
  std::string axes;
  /// Which image series of a file that holds several is read, counted from 0. Without it such files are refused, with a
  /// list of their series.
  std::optional<Index> series;
  /// Taken in place of what the file says; without a unit, in the file's. A length of 0: not known.
  std::optional<VoxelSize> voxel_size;
  /// A Zarr array without a single chunk is read as its fill value, not refused.
  bool allow_missing_chunks = false;
  /// The file is read as raw voxels, whatever its name.
  std::optional<RawLayout> raw;
  /// Most memory for decoded strips, tiles and chunks of compressed files, that boxes beside one another share.
  std::uint64_t cache_bytes = std::uint64_t{64} << 20;
};

/// One image of a file that is open. Voxels are read when asked for.
class CONVOY_API ImageFileReader : public ImageReader {
 public:
  virtual const ImageMetadata& metadata() const = 0;
  /// Memory that reading may take and keep, beside the boxes; the images of one file share it.
  virtual std::uint64_t cache_bytes() const = 0;
};

/// Opens .tif, .tiff, .npy or, with OpenOptions::raw, any file. Reads what describes the image, not its voxels.
///
/// TIFF: classic and BigTIFF, both byte orders, strips and tiles, every compression that libtiff knows, pages of one
/// size as planes of z; ImageJ stacks (also those above 4 GB, one directory followed by raw planes), OME-TIFF, SCIFIO,
/// MetaMorph's STK and tifffile's shape are understood; LSM, FluoView, NDPI, ScanImage and other dialects of several
/// pages are refused unless OpenOptions::axes names the order of the pages. NumPy: versions 1 to 3, C and Fortran
/// order, both byte orders, 1 to 3 axes, and time and channel with OpenOptions::axes. Voxels of every Element stay what
/// they are; truth values (in TIFF of 1 bit, as stored) become u8; what ImageJ stores as unsigned less 32768 becomes
/// i16; 64 bit integers become f64, which holds them exactly, or reading throws.
///
/// Throws Error(io), naming the file, for anything else: several samples, channels, time points or series, unequal
/// pages, truncated files, and files that promise more than they hold (before memory is taken for it);
/// Error(invalid_argument) for axes that are none.
CONVOY_API std::unique_ptr<ImageFileReader> open_image(const std::string& path, const OpenOptions& options = {});

/// The same for files of several images: all time points, and the channels of each.
CONVOY_API std::vector<std::unique_ptr<ImageFileReader>> open_images(const std::string& path,
                                                                     const OpenOptions& options = {});

/// open_image, and all of its voxels. Blocks. Throws what open_image throws; OutOfMemory if the machine has no room for
/// the image.
CONVOY_API Image read_image(const std::string& path, const OpenOptions& options = {});

/// Gives a kernel that was read from a file the axes of the image that it is for. A file of fewer axes than the image
/// extends over does not say which of them it has, so `axes` must, slowest first, of "ZYX": "YX" for one plane, "ZY",
/// "X" ... The others get extent 1. Empty: the file has them all. Throws Error(invalid_argument) where it has not, and
/// for axes that are none or are not as many as the file's.
CONVOY_API void place_kernel(Image& kernel, const Shape& image, const std::string& axes = {});

/// Everything that determines an output, as names and values: "kernel" and its checksum, "mode" and "same" ...
using JobDescription = std::vector<std::pair<std::string, std::string>>;

/// Identifies an input, for a JobDescription: its place, size and a checksum of its contents; of a
/// store, of the names, sizes and contents of all its files. All is read up to 1 GiB; beyond that 1,024 samples of
/// 64 KiB spread over all of it, and the times at which the file system last changed each file, which no program can
/// set back (they change with permissions and names, too). Blocks while it reads. Throws Error(io).
CONVOY_API std::string describe_input(const std::string& path);

/// Sizes and times of last modification, to find out whether an input is changed while it is read. Reads no contents.
/// Throws Error(io).
CONVOY_API std::string input_stamp(const std::string& path);

/// Version of OME-Zarr: 0.4 is Zarr version 2, one file per chunk; 0.5 is Zarr version 3, with shards of up to 64 MiB
/// of f32 voxels, made of chunks that are compressed one by one.
enum class OmeZarr { v0_4, v0_5 };

/// "0.4", "0.5".
CONVOY_API const char* name(OmeZarr version);

struct CreateOptions {
  /// When the object goes without commit(), keep what is written, in hidden files beside the output, and continue what
  /// an earlier run of the same job left there: the boxes that were written, once they have been read back and their
  /// checksums agree, are held (ImageWriter::holds) and need not be written again.
  bool resume = false;
  /// For resume; shape, voxels and convoy's version are added to it.
  JobDescription job = {};
  /// Most memory for chunks that boxes have filled in part.
  std::uint64_t cache_bytes = std::uint64_t{64} << 20;
  /// A .zarr of the same name may be replaced, if it holds nothing but an image of one level that convoy wrote; without
  /// this it is refused. Single files are replaced in any case.
  bool overwrite = false;
  /// Of a .zarr.
  OmeZarr ome_zarr = OmeZarr::v0_4;
};

/// An image file that is being written, box by box. It has its name once commit() has returned; if the object goes
/// before, nothing is left, or, with CreateOptions::resume, what it takes to continue.
class CONVOY_API ImageFileWriter {
 public:
  virtual ~ImageFileWriter() = default;
  /// Time points and channels in the order of open_images; a file of one image has number 0.
  virtual ImageWriter& image(Index number = 0) = 0;
  /// Memory that writing may take and keep, beside the boxes.
  virtual std::uint64_t cache_bytes() const = 0;
  /// Gives the file its name, when all of it has reached the disk: also after a power failure there is either what was
  /// there before or the new file, whole. A regular file of the same name is replaced, also through a link; for a .zarr
  /// see CreateOptions::overwrite. Throws Error(io) when voxels were never written, when another process has removed or
  /// replaced what was written, or when it cannot be renamed; then nothing has the file's name. It may also throw
  /// because the output's folder was moved: the message says where the file, which is whole, now lies.
  virtual void commit() = 0;
};

/// Begins to write .tif, .tiff, .npy or .raw (voxels alone, little-endian): takes all of its disk space under a
/// temporary name in the same folder. TIFF is uncompressed, one page per plane, with the description of ImageJ, or of
/// OME-TIFF if the name ends in .ome.tif, when there are several planes; BigTIFF above 2 GiB. Throws Error(io), naming
/// the file, also when the disk has not enough space (it is asked, not filled), when the unfinished file that is there
/// is of another job (the message says in what they differ) or not a file of this user (a planted link is not
/// followed), or when another process is writing it.
CONVOY_API std::unique_ptr<ImageFileWriter> create_image(const std::string& path, const Shape& shape, Element element,
                                                         const ImageMetadata& metadata = {},
                                                         const CreateOptions& options = {});

/// For a program that must end at once: removes what lies under temporary names, but not what CreateOptions::resume
/// keeps, and lets nothing be committed any more, for good. May be called on any thread, not from a signal handler.
CONVOY_API void abandon_outputs();

/// What an interrupted run left in a folder: its temporary file, or what CreateOptions::resume kept.
struct Leftover {
  std::string path;              ///< of a file or folder; a resumable one's journal goes with it
  std::string output;            ///< the output that it was to be; of a very long name, the shortened one
  std::uint64_t size_bytes = 0;  ///< on the disk
  double age_seconds = 0;        ///< since it was last written
  bool resumable = false;        ///< CreateOptions::resume continues it
  bool in_use = false;           ///< a process is writing it; also where the file system cannot lock files
};

/// All leftovers in a folder, not in those below it. Links, and what other users own, are none. The leftovers of an
/// output that are not resumable are removed by the next run that writes this output, without being asked for. Throws
/// Error(io) for a folder that cannot be read.
CONVOY_API std::vector<Leftover> find_leftovers(const std::string& folder);

/// Removes Leftover::path, a resumable one with its journal. False if it is not there or a process is writing it.
/// Throws Error(io) for what is no leftover of this user, and if it cannot be removed.
CONVOY_API bool remove_leftover(const std::string& path);

/// Whether an unfinished file is there that create_image with CreateOptions::resume would look at. Throws Error(io) for
/// a folder that cannot be written to.
CONVOY_API bool is_unfinished(const std::string& path);

/// A checksum of shape, element and voxels (XXH3, 64 bit, as 16 hexadecimal digits), to distinguish images.
CONVOY_API std::string checksum(const ImageView& image);

/// create_image, all voxels, commit: whole or not at all. Blocks. Throws Error(io), naming the file.
CONVOY_API void write_image(const std::string& path, const ImageView& image, const ImageMetadata& metadata = {},
                            const CreateOptions& options = {});

/// Writes a greyscale PNG from a u8 image with z = 1, whole or not at all. Throws Error(io).
CONVOY_API void write_png(const std::string& path, const ImageView& image);
/// The bytes of such a file.
CONVOY_API std::string encode_png(const ImageView& image);

/// Writes a text file, whole or not at all. Throws Error(io).
CONVOY_API void write_text(const std::string& path, const std::string& text);
/// Reads a text file. Throws Error(io), also for one of more than `most_bytes`.
CONVOY_API std::string read_text(const std::string& path, std::uint64_t most_bytes);

/// Throws Error(io) unless create_image could begin to write `path` now: known extension, existing folder, permission,
/// nothing there that must not be replaced. For asking before hours of computing. Leaves nothing behind.
CONVOY_API void require_writable_image(const std::string& path, const CreateOptions& options = {});

/// The same for a file of any kind.
CONVOY_API void require_writable(const std::string& path);

}  // namespace convoy::inline v0
