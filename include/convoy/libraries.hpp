// The libraries that convoy opens at run time: drivers, compilers of GPU kernels, FFTW.
#pragma once

#include <string>
#include <vector>

#include "convoy/export.h"

namespace convoy::inline v0 {

/// One place where a library was looked for.
struct LibraryAttempt {
  std::string place;    ///< a name, for which the loader looks; a file; or a folder that holds none of the names
  std::string problem;  ///< why nothing was loaded from there; empty where the library was
};

/// What became of looking for one library.
struct LibraryReport {
  std::string library;                        ///< as in "NVRTC"
  std::string variable = {};                  ///< of the environment: names the file to open, and no other
  std::string found = {};                     ///< what is used; empty where nothing was loaded
  std::vector<LibraryAttempt> attempts = {};  ///< in their order; those behind the one that is used were not needed
};

/// Of every library that this process has looked for until now: list_backends() looks for those of all backends, but
/// for what a backend without a driver would need next. Opens nothing, throws nothing but for lack of memory; may be
/// called from any thread.
CONVOY_API std::vector<LibraryReport> list_libraries();

/// A JSON list of objects with library, variable, found, and attempts (place and problem each).
CONVOY_API std::string to_json(const std::vector<LibraryReport>& libraries);

}  // namespace convoy::inline v0
