#include "deconvolution/restoring_devices.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/log.hpp"
#include "convoy/error.hpp"
#include "deconvolution/shared_plan.hpp"
#include "engine/device_pool.hpp"

namespace convoy::inline v0 {
namespace {

template <class Quantity>
std::uint64_t sum_over(const std::vector<Device>& devices, const Quantity& quantity) {
  std::set<const backend::Device*> counted;
  std::uint64_t sum = 0;
  for (const Device& one : devices) {
    const backend::Device& device = implementation_of(one);
    if (counted.insert(&device).second) sum += quantity(device);
  }
  return sum;
}

}  // namespace

std::string RestoringDevice::failure() const { return DeviceProblem{{}, problem}.text(); }

RestoringDevices::RestoringDevices(const PsfSet& psfs, const std::vector<Device>& devices,
                                   const DeconvolverOptions& options, RunProgress& progress)
    : psfs_(psfs), options_(options), progress_(progress), plan_options_(options.plan), given_(devices) {
  if (devices.empty()) throw Error(Errc::invalid_argument, "a deconvolver needs at least one device; none was given");
  for (const Device& device : devices) {
    implementation_of(device).reset_peak();
    all_.push_back({{device}});
  }
  if (devices.size() == 1) {
    make(all_.front(), 0);
  } else {
    if (options.plan.deterministic) require_one_kind(devices);
    plan_for_several();
    for (RestoringDevice& one : all_) attempt(one, 0);
  }
  const auto first = std::find_if(all_.begin(), all_.end(), [](const auto& one) { return one.takes_part(); });
  if (first == all_.end()) throw_none_left();
  plan_ = first->restorer->plan();
  tiling_ = plan_.fast;
}

void RestoringDevices::plan_for_several() {
  const SharedPlan shared =
      share_plan(psfs_.spec(0), given_, options_.plan,
                 [this](std::size_t i, std::exception_ptr problem) { all_[i].problem = std::move(problem); });
  plan_options_ = shared.options;
  tiling_ = shared.tiling;
  if (!shared.together) return;
  all_.clear();
  all_.push_back({given_});
}

void RestoringDevices::attempt(RestoringDevice& one, Index psf) {
  if (one.problem) return;
  try {
    make(one, psf);
  } catch (const Error& problem) {
    if (!drops_device(problem)) throw;
    log("run", "{} is left out: {}", one.devices.front().info().id, problem.what());
    one.problem = std::current_exception();
  }
}

void RestoringDevices::make(RestoringDevice& one, Index psf) {
  one.restorer.reset();  // its memory is the next one's
  const PreparedPsf& prepared = psfs_.prepared(psf);
  EngineTask task;
  task.spec = psfs_.spec(psf);
  task.psf = prepared.view;
  task.psf_sum = prepared.sum;
  task.psf_reach = prepared.reach;
  task.psf_scale = prepared.scale;
  task.devices = one.devices;
  task.options = options_;
  task.options.plan = plan_options_;
  task.tiling = tiling_;
  task.keep_going = [this] { return progress_.keep_going(); };
  one.restorer = std::make_unique<Restorer>(task, prepared.magnitude, options_, progress_);
  one.psf = psf;
}

Restorer& RestoringDevices::with_psf(RestoringDevice& one, Index psf) {
  if (one.psf == psf && one.restorer) return *one.restorer;
  make(one, psf);
  if (one.restorer->plan().fast.has_value() == plan_.fast.has_value()) return *one.restorer;
  throw OutOfMemory(fmt::format("{} has less memory for PSF {} than it had for the first; free some, or lower "
                                "--memory-limit so that all are planned alike",
                                one.devices.front().info().id, psf + 1),
                    plan_.footprint_bytes, 0, "device memory");
}

std::uint64_t RestoringDevices::used_bytes() const {
  return sum_over(given_, [](const backend::Device& device) { return device.used_bytes(); });
}

std::uint64_t RestoringDevices::peak_bytes() const {
  return sum_over(given_, [](const backend::Device& device) { return device.peak_bytes(); });
}

void RestoringDevices::throw_none_left() {
  std::vector<DeviceProblem> problems;
  for (const RestoringDevice& one : all_) problems.push_back({one.devices.front().info().id, one.problem});
  if (all_.size() == 1) all_.front().problem = nullptr;  // a lone device may be tried again
  convoy::throw_none_left(problems);
}

std::vector<DeviceShare> RestoringDevices::shares(const std::vector<Index>& pieces_done) const {
  std::vector<DeviceShare> shares;
  for (std::size_t i = 0; i < all_.size(); ++i) {
    const RestoringDevice& one = all_[i];
    if (one.devices.size() > 1) return one.restorer ? one.restorer->shares() : shares;
    shares.push_back({one.devices.front().info().id, pieces_done.at(i), one.failure()});
  }
  return shares;
}

void RestoringDevices::require_alive() const {
  for (const Device& device : given_) static_cast<void>(implementation_of(device));
}

void RestoringDevices::release() { all_.clear(); }

}  // namespace convoy::inline v0
