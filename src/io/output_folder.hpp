// A folder that appears whole or not at all.
#pragma once

#include <string>

#include "io/output_file.hpp"

namespace convoy::io {

/// Filled under a temporary name beside the target; commit() gives it its name, and replaces a Zarr store of that name.
class OutputFolder {
 public:
  /// Throws Error(io) when there is no place for it, or when the target is there and no Zarr store.
  OutputFolder(const std::string& path, OutputFile::Unfinished unfinished);
  ~OutputFolder();
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

  const std::string& temporary_path() const { return temporary_path_; }
  /// Deletes what is in it.
  void empty();
  void commit();
  /// Without commit, the temporary folder is removed after all.
  void give_up() { unfinished_ = OutputFile::Unfinished::removed; }

 private:
  std::string path_;
  OutputFile::Unfinished unfinished_;
  std::string target_path_;
  std::string temporary_path_;
};

}  // namespace convoy::io
