// Opening and closing by libtiff, with its errors kept per file and its warnings unheard. Since 4.5 libtiff takes such
// options file by file; before, its handlers are the process's, and those of a host program go on hearing of its own
// files.
#pragma once

#include <tiffio.h>

#include <cstdint>
#include <string>

namespace convoy::io {

/// As TIFFOpen for reading; null where it fails. The first error is kept in `complaint`, which must outlive the file.
/// libtiff allocates no block above max_allocation_bytes (0: any size); libtiff before 4.5 takes no such limit.
TIFF* open_tiff(const std::string& path, const char* mode, std::uint64_t max_allocation_bytes, std::string& complaint);
void close_tiff(TIFF* file);

}  // namespace convoy::io
