// One run of a Deconvolver: images and their fast tiles as pieces of work, each done by whichever device is free.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "deconvolution/fast_tiles.hpp"
#include "deconvolution/image_boxes.hpp"
#include "deconvolution/restoring_devices.hpp"
#include "engine/scheduler.hpp"

namespace convoy::inline v0 {

/// What a run restores: as many outputs as images, and as many masks, or one for all, or none.
struct RunImages {
  std::vector<std::unique_ptr<BoxSource>> images;
  std::vector<std::unique_ptr<BoxSource>> masks;
  std::vector<std::unique_ptr<BoxSink>> outputs;
};

class RestorationRun {
 public:
  /// The arguments must outlive it.
  RestorationRun(const PsfSet& psfs, RestoringDevices& devices, RunProgress& progress, const RunImages& images);

  /// The report is of all images, but for elapsed_seconds.
  DeconvolutionReport run();

 private:
  /// Of one image, from its first piece to its last.
  struct Work {
    std::mutex mutex;
    std::optional<ObservedCounts> counts;
    std::unique_ptr<TileJoiner> joiner;                ///< of fast tiles
    std::map<Index, std::vector<std::byte>> restored;  ///< tiles that wait for those before them
    std::set<Index> held;                              ///< tiles of an earlier run
    Index next_tile = 0;
    DeconvolutionReport report;
  };
  struct Piece {
    std::size_t image = 0;
    Index tile = 0;
    Index psf = 0;
  };

  Index tiles_of_image() const { return plan().fast ? plan().fast->num_tiles() : 1; }
  const DeconvolutionPlan& plan() const { return devices_.plan(); }
  const DeconvolutionSpec& spec() const { return plan().spec; }
  Piece piece(Index number) const;
  Observed observed(std::size_t image) const;
  Box box_written(const Piece& piece) const;

  RunTiles pieces();
  bool hold(Index number);
  void work_on_threads(const std::vector<std::size_t>& places);
  void work(std::size_t worker);
  void work_until_none(std::size_t worker);
  void restore(RestoringDevice& device, const Piece& piece);
  Course restore_whole(Restorer& restorer, const Piece& piece, Work& work);
  Course restore_tile(Restorer& restorer, const Piece& piece, Work& work);
  void join(const Piece& piece, Work& work, std::vector<std::byte> restored);
  void take_counts(std::size_t image, Work& work) const;
  DeconvolutionReport report();

  const PsfSet& psfs_;
  RestoringDevices& devices_;
  RunProgress& progress_;
  const RunImages& images_;
  std::vector<std::size_t> order_;  // of the images: those of one PSF behind each other
  std::vector<Work> works_;
  TileQueue queue_;
};

}  // namespace convoy::inline v0
