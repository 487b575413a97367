// What is already written of an output that may have to be continued: beside the unfinished file, one line a box.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "base/file.hpp"
#include "convoy/io.hpp"
#include "io/folder.hpp"
#include "io/written_boxes.hpp"

namespace convoy::io {

class Journal {
 public:
  /// Reads the checksum of a box of an image back from the unfinished file; nothing where it cannot be read.
  using ReadBack = std::function<std::optional<std::uint64_t>(Index image, const Box& box)>;

  /// Opens the journal or begins one, and locks it. `output` is what errors name. Boxes beyond `num_images` images of
  /// `shape` are ignored. Throws Error(io) if another process holds the journal, or if it is of another job;
  /// the message says in what they differ.
  Journal(const std::string& path, const std::string& output, const JobDescription& job, const Shape& shape,
          Index num_images);
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  bool empty() const { return boxes_.empty(); }
  /// Forgets all boxes: the unfinished file is not the one that they were written to.
  void forget();
  /// To be called before the box is written: what earlier boxes hold of it no longer does, and the rest of them still
  /// does. It is read back for that, after flush() if it was written by this run, and becomes boxes of its own.
  void make_room(Index image, const Box& box, const ReadBack& read_back, const std::function<void()>& flush);
  /// Adds a box that is written.
  void add(Index image, const Box& box, std::uint64_t checksum);
  /// Whether the whole box was written; what earlier runs wrote is read back first.
  bool holds(Index image, const Box& box, const ReadBack& read_back);
  /// Voxels of all boxes, each written or read back.
  std::uint64_t proven_voxels(const ReadBack& read_back);
  /// Deletes the journal: the output has its name. Never throws.
  void remove();

 private:
  void open_locked();
  void load(const JobDescription& job);
  void begin(const JobDescription& job);
  void require_same_job(const std::string& line, const JobDescription& job) const;
  void replace_touched(const WrittenBox& written);
  void write_down(const WrittenBox& written);
  void append(const std::string& line);

  Folder folder_;
  std::string name_;
  std::string path_;
  std::string output_;
  Shape shape_;
  Index num_images_;
  File file_;
  std::uint64_t header_bytes_ = 0;
  std::mutex mutex_;
  WrittenBoxes boxes_;
};

}  // namespace convoy::io
