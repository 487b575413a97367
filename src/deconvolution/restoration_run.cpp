#include "deconvolution/restoration_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "base/log.hpp"
#include "base/stop_scope.hpp"
#include "base/worker_pool.hpp"
#include "convoy/error.hpp"
#include "deconvolution/host_bytes.hpp"
#include "engine/device_pool.hpp"

namespace convoy::inline v0 {
namespace {

void require_data_somewhere(const ObservedCounts& counts, const DeconvolutionSpec& spec) {
  if (counts.non_finite > 0 && spec.non_finite == NonFinite::error) {
    const Shape& shape = spec.image;
    const Index first = counts.first_non_finite;
    throw Error(
        Errc::invalid_argument,
        fmt::format("the image has {} NaN or infinite voxel(s), the first at z,y,x = {},{},{}; mend or mask them, "
                    "or have them taken as missing (--nan mask)",
                    counts.non_finite, first / (shape.y * shape.x), first / shape.x % shape.y, first % shape.x));
  }
  if (counts.data == 0) {
    throw Error(Errc::invalid_argument,
                "every voxel of the image is masked, saturated, NaN or infinite: there is "
                "nothing to restore from");
  }
}

std::vector<std::size_t> grouped_by_psf(std::size_t num_images, Index num_psfs) {
  std::vector<std::size_t> order;
  for (Index psf = 0; psf < num_psfs; ++psf) {
    for (auto i = static_cast<std::size_t>(psf); i < num_images; i += static_cast<std::size_t>(num_psfs)) {
      order.push_back(i);
    }
  }
  return order;
}

}  // namespace

RestorationRun::RestorationRun(const PsfSet& psfs, RestoringDevices& devices, RunProgress& progress,
                               const RunImages& images)
    : psfs_(psfs),
      devices_(devices),
      progress_(progress),
      images_(images),
      order_(grouped_by_psf(images.images.size(), psfs.size())),
      works_(images.images.size()),
      queue_(pieces(), devices.all().size()) {}

/// Some restored tiles may wait for those before them, and each is memory.
RunTiles RestorationRun::pieces() {
  RunTiles pieces;
  pieces.count = static_cast<Index>(order_.size()) * tiles_of_image();
  pieces.held = [this](Index number) { return hold(number); };
  if (plan().fast) pieces.window = kTilesInHand * static_cast<Index>(devices_.all().size());
  return pieces;
}

RestorationRun::Piece RestorationRun::piece(Index number) const {
  const std::size_t image = order_.at(static_cast<std::size_t>(number / tiles_of_image()));
  return {image, number % tiles_of_image(), static_cast<Index>(image) % psfs_.size()};
}

Observed RestorationRun::observed(std::size_t image) const {
  const auto& masks = images_.masks;
  const BoxSource* mask = masks.empty() ? nullptr : masks[masks.size() == 1 ? 0 : image].get();
  return {*images_.images[image], mask};
}

Box RestorationRun::box_written(const Piece& piece) const {
  if (!plan().fast) return {{0, 0, 0}, spec().image};
  return convoy::box_written(*plan().fast, fast_tile(*plan().fast, spec().image, piece.tile));
}

bool RestorationRun::hold(Index number) {
  const Piece one = piece(number);
  if (!images_.outputs[one.image]->holds(box_written(one))) return false;
  progress_.pass_over(spec().iterations);
  Work& work = works_[one.image];
  const std::lock_guard lock(work.mutex);
  work.held.insert(one.tile);
  ++work.report.skipped_tiles;
  return true;
}

DeconvolutionReport RestorationRun::run() {
  devices_.require_alive();
  progress_.begin(static_cast<Index>(order_.size()) * tiles_of_image() * spec().iterations);
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < devices_.all().size(); ++i) {
    if (devices_.all()[i].takes_part()) places.push_back(i);
  }
  for (const std::size_t place : places) queue_.join(place);
  if (places.size() == 1) work(places.front());
  if (places.size() > 1) work_on_threads(places);
  queue_.rethrow();
  if (queue_.num_left() > 0) devices_.throw_none_left();
  for (RestoringDevice& one : devices_.all()) {
    if (one.takes_part() && one.restorer) one.restorer->check_sentinels();
  }
  return report();
}

/// The others share the host's threads evenly; this one tells of the progress.
void RestorationRun::work_on_threads(const std::vector<std::size_t>& places) {
  const int share = std::max(1, default_num_threads() / static_cast<int>(places.size()));
  const StopScope* const stop = StopScope::current();
  std::atomic<std::size_t> num_working{places.size()};
  const auto end_one = [&] {
    if (--num_working == 0) progress_.stop_telling();
  };
  std::vector<std::thread> threads;
  for (const std::size_t place : places) {
    try {
      threads.emplace_back([this, place, share, stop, &end_one] {
        WorkerPool pool(share);
        const UnderStopScope under(stop);
        const UseWorkers use(pool);
        work(place);
        end_one();
      });
    } catch (const std::exception& problem) {  // no thread, or no memory for one
      devices_.all()[place].problem = std::make_exception_ptr(
          Error(Errc::out_of_memory,
                fmt::format("no thread could be started for it ({}); raise the limits of this process (ulimit -u, -v)",
                            problem.what())));
      queue_.leave(place);
      end_one();
    }
  }
  try {
    progress_.tell_until_stopped();
  } catch (...) {
    queue_.stop(std::current_exception());
    progress_.cancel();
  }
  for (std::thread& thread : threads) thread.join();
}

/// Throws nothing: failures end in the queue or with the device.
void RestorationRun::work(std::size_t worker) {
  RestoringDevice& device = devices_.all()[worker];
  try {
    work_until_none(worker);
  } catch (const Error& problem) {
    if (drops_device(problem)) {
      device.problem = std::current_exception();
      log("run", "{} is dropped: {}", device.devices.front().info().id, problem.what());
      if (devices_.all().size() > 1) device.restorer.reset();  // a lone device is kept: it may be tried again
    } else {
      queue_.stop(std::current_exception());
    }
  } catch (...) {
    queue_.stop(std::current_exception());
  }
  if (queue_.stopped()) progress_.cancel();
  queue_.leave(worker);
}

void RestorationRun::work_until_none(std::size_t worker) {
  while (const auto number = queue_.take(worker, true)) {
    restore(devices_.all()[worker], piece(*number));
    queue_.done(worker, *number, {});
  }
}

void RestorationRun::take_counts(std::size_t image, Work& work) const {
  const std::lock_guard lock(work.mutex);
  if (work.counts) return;
  const ObservedCounts counts = inspect(spec(), observed(image));
  require_data_somewhere(counts, spec());
  work.counts = counts;
}

void RestorationRun::restore(RestoringDevice& device, const Piece& piece) {
  Work& work = works_[piece.image];
  take_counts(piece.image, work);
  Restorer& restorer = devices_.with_psf(device, piece.psf);
  Course course = plan().fast ? restore_tile(restorer, piece, work) : restore_whole(restorer, piece, work);
  const std::lock_guard lock(work.mutex);
  work.report.iterations = std::max(work.report.iterations, course.done);
  work.report.stop_reason = course.reason;
  work.report.curve = std::move(course.curve);
}

Course RestorationRun::restore_whole(Restorer& restorer, const Piece& piece, Work& work) {
  const Box whole = box_written(piece);
  BoxSink& output = *images_.outputs[piece.image];
  const ObservedCounts& counts = *work.counts;
  const auto iterating = Clock::now();
  Course course = restorer.restore(observed(piece.image), whole, counts);
  work.report.iterating_seconds = seconds_since(iterating);
  const OutputSums sums = restorer.finish(output, whole, output_scale(restorer.plan(), counts));
  restorer.complete_curve(course);
  for (IterationSums& of_iteration : course.curve) {
    of_iteration.divergence *= counts.unit;
    of_iteration.modelled_flux *= counts.unit;
  }
  work.report.output_sum = sums.sum;
  work.report.saturated_voxels = sums.saturated;
  return course;
}

Course RestorationRun::restore_tile(Restorer& restorer, const Piece& piece, Work& work) {
  const FastTiling& tiling = *plan().fast;
  const Element element = spec().precision == Precision::f32 ? Element::f32 : Element::f64;
  std::vector<std::byte> restored(size_of(element) * static_cast<std::size_t>(num_voxels(tiling.tile)));
  const FastTile tile = fast_tile(tiling, spec().image, piece.tile);
  const auto iterating = Clock::now();
  Course course = restorer.restore(observed(piece.image), tile.whole, *work.counts);
  const double seconds = seconds_since(iterating);
  restorer.finish({restored.data(), element, tiling.tile}, {});
  const std::lock_guard lock(work.mutex);
  work.report.iterating_seconds += seconds;
  if (!work.joiner) {
    work.joiner = std::make_unique<TileJoiner>(*images_.outputs[piece.image], tiling,
                                               output_scale(restorer.plan(), *work.counts));
  }
  join(piece, work, std::move(restored));
  return course;
}

/// Writes all tiles whose turn has come. With the last one the joiner's memory is given back.
void RestorationRun::join(const Piece& piece, Work& work, std::vector<std::byte> restored) {
  const FastTiling& tiling = *plan().fast;
  const Element element = spec().precision == Precision::f32 ? Element::f32 : Element::f64;
  work.restored.emplace(piece.tile, std::move(restored));
  for (;; ++work.next_tile) {
    const FastTile tile = fast_tile(tiling, spec().image, std::min(work.next_tile, tiling.num_tiles() - 1));
    const auto next = work.restored.find(work.next_tile);
    if (next != work.restored.end()) {
      work.joiner->add(tile, next->second, element);
      work.restored.erase(next);
    } else if (work.held.erase(work.next_tile) > 0) {
      work.joiner->pass_over(tile);
    } else {
      break;
    }
  }
  const OutputSums& sums = work.joiner->sums();
  work.report.output_sum = sums.sum;
  work.report.saturated_voxels = sums.saturated;
  work.report.seam = work.joiner->seam();
  if (work.next_tile == tiling.num_tiles()) work.joiner.reset();
}

DeconvolutionReport RestorationRun::report() {
  DeconvolutionReport all;
  for (Work& work : works_) {
    DeconvolutionReport& one = work.report;
    one.psf = psfs_.report(0);
    if (const auto& counts = work.counts) {
      one.missing_voxels = num_voxels(spec().image) - counts->data;
      one.non_finite_voxels = counts->non_finite;
      one.saturated_input_voxels = counts->saturated;
      one.negative_voxels = counts->negative;
      one.negative_sum = counts->negative_sum;
      one.background = counts->background;
      one.dim_level = counts->dim_level;
      one.input_sum = counts->sum;
    }
    all.add(one);
  }
  std::vector<Index> done;
  for (std::size_t i = 0; i < devices_.all().size(); ++i) done.push_back(queue_.num_done_by(i));
  all.devices = devices_.shares(done);
  all.peak_device_bytes = devices_.peak_bytes();
  return all;
}

}  // namespace convoy::inline v0
