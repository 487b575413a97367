// Rank 0's side: it alone has the output file, and writes what the others compute.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "convoy/io.hpp"
#include "mpi/world.hpp"

namespace convoy::mpi {

/// Serves the other ranks on a thread of its own, which alone uses MPI while it lives. Holds one message at a time.
class OutputServer {
 public:
  explicit OutputServer(const World& world);
  /// Answers the others' end, once all have come to it; call end() before.
  ~OutputServer();
  OutputServer(const OutputServer&) = delete;
  OutputServer& operator=(const OutputServer&) = delete;

  /// From here on boxes are written to it, until close().
  void open(ImageFileWriter& output);
  void close();
  /// The core of fast tiles that all ranks have; those that ask wait for it.
  void set_core(const Shape& core);
  /// The job has failed: all ranks stop at their next box. The first reason is kept.
  void stop(const std::string& reason);
  /// Why the job has failed, if it has.
  std::optional<std::string> failure() const;
  /// Blocks until all others have ended; throws Error(io) with the reason if the job has failed. Returns what each said
  /// at its end, by rank.
  std::map<int, std::string> wait_for_others();
  /// This rank has ended, too.
  void end();

 private:
  void serve();
  void handle(int from, const Request& request, const std::vector<std::byte>& payload);
  Answer fulfil(const Request& request, const std::vector<std::byte>& payload);
  Answer fulfil(ImageWriter& image, const Request& request, const std::vector<std::byte>& payload) const;
  void note_end(int from, const Request& request, const std::vector<std::byte>& payload);

  const World& world_;
  mutable std::mutex mutex_;
  std::condition_variable news_;
  ImageFileWriter* output_ = nullptr;
  std::optional<Shape> core_;
  std::optional<std::string> failure_;
  std::map<int, std::string> ended_;
  bool self_ended_ = false;
  std::thread thread_;
};

}  // namespace convoy::mpi
