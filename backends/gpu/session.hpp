// A loaded program on a CUDA or HIP device. Api names the driver's calls (cuda_api.hpp, hip_api.hpp).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "backends/backend.hpp"
#include "backends/gpu/convolution.hpp"
#include "backends/gpu/open_device.hpp"
#include "backends/gpu/rectangle.hpp"
#include "backends/gpu/self_test.hpp"
#include "backends/gpu/slots.hpp"
#include "backends/gpu/streams.hpp"

namespace convoy::backend::gpu {

template <class Api>
class GpuSession final : public Session {
 public:
  GpuSession(std::shared_ptr<OpenDevice<Api>> device, const Program& program, const LoadOptions& options)
      : device_(std::move(device)), program_(program), options_(options) {
    const Entered<Api> entered(*device_);
    try {
      load();
    } catch (...) {
      release();
      throw;
    }
  }
  ~GpuSession() override {
    const typename Api::Current current(device_->handle);
    release();
  }

  std::byte* port(PortId port, int set) override {
    const auto& copies = ports_.at(static_cast<std::size_t>(port));
    return copies.size() > 1 ? copies.at(static_cast<std::size_t>(set)) : copies.at(0);
  }

  void upload_piece(int set, int piece, const HostBox* lent) override {
    const Entered<Api> entered(*device_);
    const Prepared& step = prepared(Section::run).at(uploads_.at(static_cast<std::size_t>(piece)));
    const auto& upload = std::get<Upload>(*step.step);
    begin_early(set);
    const auto stream = streams_->enter(set, lane_of(*step.step));
    if (lent != nullptr) {
      queue_lent(upload, *lent, set, stream);
    } else {
      queue(upload, step, set, stream);
    }
    streams_->uploaded(set, index(piece));
    early(set).uploaded.at(index(piece)) = true;
  }

  void set_output_target(int set, int piece, const HostBox& box) override {
    early(set).lent_outputs.at(static_cast<std::size_t>(piece)) = box;
  }

  void submit(Section section, int set, int times) override {
    const Entered<Api> entered(*device_);
    if (section != Section::run) streams_->begin(set);
    for (int time = 0; time < times; ++time) {
      if (section == Section::run) {
        queue_run(set);
      } else {
        for (const Prepared& step : prepared(section)) queue(step, set);
      }
    }
    streams_->end(set);
  }

  void run_on(std::uint64_t queue, const std::vector<ExternalMemory>& memory) override {
    const Entered<Api> entered(*device_);
    const auto callers = reinterpret_cast<typename Api::Stream>(queue);
    for (const ExternalMemory& one : memory) slots_->bind(one);
    streams_->follow(callers);
    submit(Section::run, 0, 1);
    streams_->precede(0, callers);
  }

  void wait(int set) override {
    const Entered<Api> entered(*device_);
    if (early(set).begun) {  // pieces of a submit that never came
      streams_->end(set);
      early_[index(set)] = Early(uploads_.size(), num_downloads_);
    }
    streams_->wait(set);
  }
  void wait_piece(int set, int piece) override {
    const Entered<Api> entered(*device_);
    streams_->wait_for_download(set, index(piece));
  }

  void end_setup() override {
    const Entered<Api> entered(*device_);
    for (std::size_t i = 0; i < ports_.size(); ++i) {
      if (program_.ports[i].section != Section::setup) continue;
      for (std::byte* memory : ports_[i]) memory_->release_pinned(memory);
      ports_[i].clear();
    }
    const ChargeTo<Api> charge(*memory_);
    prepared(Section::setup).clear();  // and the plans that only it used
  }

  void check_sentinels() override {
    const Entered<Api> entered(*device_);
    streams_->drain();
    slots_->check_sentinels();
  }

 private:
  struct Prepared {
    const Step* step = nullptr;
    std::shared_ptr<const LoadedKernel<Api>> kernel;     // of a Dispatch
    std::shared_ptr<KernelTransform<Api>> transform;     // of a TransformKernel
    std::shared_ptr<gpu::Convolution<Api>> convolution;  // of a Convolve
  };
  struct PlannedConvolution {
    FftGeometry geometry;
    bool conjugate = false;
    std::shared_ptr<gpu::Convolution<Api>> convolution;
  };

  /// What was asked for ahead of a set's next submit.
  struct Early {
    Early(std::size_t num_uploads, std::size_t num_downloads) : uploaded(num_uploads), lent_outputs(num_downloads) {}
    bool begun = false;
    std::vector<bool> uploaded;
    std::vector<std::optional<HostBox>> lent_outputs;
  };

  static std::size_t index(int i) { return static_cast<std::size_t>(i); }
  Early& early(int set) { return early_.at(index(set)); }
  void begin_early(int set) {
    if (!early(set).begun) streams_->begin(set);
    early(set).begun = true;
  }

  /// What was uploaded or lent ahead of the submit is not queued again.
  void queue_run(int set) {
    begin_early(set);
    std::size_t num_uploads = 0;
    std::size_t num_downloads = 0;
    for (const Prepared& step : prepared(Section::run)) {
      if (std::holds_alternative<Upload>(*step.step)) {
        if (!early(set).uploaded[num_uploads]) {
          queue(step, set);
          streams_->uploaded(set, num_uploads);
        }
        streams_->await_upload(set, num_uploads++);
        continue;
      }
      const bool downloads = std::holds_alternative<Download>(*step.step);
      if (downloads && early(set).lent_outputs[num_downloads]) {
        queue_lent(std::get<Download>(*step.step), *early(set).lent_outputs[num_downloads], set,
                   streams_->enter(set, lane_of(*step.step)));
      } else {
        queue(step, set);
      }
      if (downloads) streams_->downloaded(set, num_downloads++);
    }
    early_[index(set)] = Early(uploads_.size(), num_downloads_);
  }

  void load() {
    const std::string& id = device_->info.id;
    memory_ = std::make_unique<DeviceMemory<Api>>(device_->account, options_.trace_memory, id);
    const ChargeTo<Api> charge(*memory_);
    slots_ = std::make_unique<Slots<Api>>(program_, *memory_, options_.sentinels, id);
    for (const Port& port : program_.ports) allocate(port);
    for (std::size_t i = 0; i < program_.run.size(); ++i) {
      if (std::holds_alternative<Upload>(program_.run[i])) uploads_.push_back(i);
      if (std::holds_alternative<Download>(program_.run[i])) ++num_downloads_;
    }
    early_.assign(index(program_.num_in_flight), Early(uploads_.size(), num_downloads_));
    const bool overlaps = std::any_of(program_.slots.begin(), program_.slots.end(),
                                      [](const Slot& slot) { return slot.per_tile_in_flight; });
    streams_ = std::make_unique<Streams<Api>>(program_.num_in_flight, overlaps, uploads_.size(), num_downloads_, id);
    slots_->fill_sentinels(streams_->compute());
    try {
      for (const Section section : kSections) prepared(section) = prepare(program_.steps(section));
    } catch (const Error&) {
      if (memory_->refusal()) throw OutOfMemory(*memory_->refusal());
      throw;
    }
    streams_->drain();
    slots_->check_sentinels();
    slots_->fill_sentinels(streams_->compute());
    streams_->drain();
    slots_->fill_contents();
  }

  void allocate(const Port& port) {
    ports_.emplace_back();
    const int copies = port.section == Section::setup ? 1 : program_.num_in_flight;
    for (int copy = 0; copy < copies; ++copy) {
      ports_.back().push_back(memory_->allocate_pinned("port " + port.name, port.bytes));
    }
  }

  std::vector<Prepared>& prepared(Section section) { return prepared_[static_cast<std::size_t>(section)]; }

  std::vector<Prepared> prepare(const std::vector<Step>& steps) {
    std::vector<Prepared> all;
    for (const Step& step : steps) {
      Prepared one;
      one.step = &step;
      if (const auto* dispatch = std::get_if<Dispatch>(&step)) one.kernel = kernel_of(*dispatch);
      if (const auto* transform = std::get_if<TransformKernel>(&step)) one.transform = planned(*transform);
      if (const auto* convolve = std::get_if<Convolve>(&step)) one.convolution = planned(*convolve);
      all.push_back(std::move(one));
    }
    return all;
  }

  std::shared_ptr<const LoadedKernel<Api>> kernel_of(const Dispatch& dispatch) {
    const auto groups = num_groups(*dispatch.kernel, dispatch.threads);
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const std::uint64_t limit = device_->info.limits.max_groups[axis];
      if (groups[axis] <= limit) continue;
      throw Error(Errc::unsupported,
                  fmt::format("{}: kernel {} wants {} groups on axis {}, the device takes {}; use smaller tiles",
                              device_->info.id, dispatch.kernel->name, groups[axis], axis, limit));
    }
    return device_->kernels.kernel(*dispatch.kernel, dispatch.precision, device_->info);
  }

  std::shared_ptr<KernelTransform<Api>> planned(const TransformKernel& step) {
    return std::make_shared<KernelTransform<Api>>(*device_, step.geometry, slots_->address(step.spectrum, 0),
                                                  streams_->compute());
  }

  /// Steps of one geometry and direction share a plan: each launch brings its own addresses.
  std::shared_ptr<gpu::Convolution<Api>> planned(const Convolve& step) {
    for (const auto& known : convolutions_) {
      if (known.geometry == step.geometry && known.conjugate == step.conjugate) return known.convolution;
    }
    const ConvolutionSlots slots = slots_of(step, 0);
    auto made =
        std::make_shared<gpu::Convolution<Api>>(*device_, step.geometry, step.conjugate, slots, streams_->compute());
    SelfTest<Api>(*device_, step.geometry, step.conjugate, slots, *made, streams_->compute()).require();
    convolutions_.push_back({step.geometry, step.conjugate, made});
    return made;
  }

  ConvolutionSlots slots_of(const Convolve& step, int set) const {
    return {.image = slots_->address(step.image, set),
            .work = slots_->address(step.work, set),
            .spectrum = slots_->address(step.spectrum, set),
            .product = slots_->address(step.product, set)};
  }

  /// Copies of slots that each set has for itself may run beside the computing of other sets.
  Lane lane_of(const Step& step) const {
    if (const auto* upload = std::get_if<Upload>(&step)) {
      return slots_->slot(upload->slot).per_tile_in_flight ? Lane::upload : Lane::compute;
    }
    if (const auto* download = std::get_if<Download>(&step)) {
      return slots_->slot(download->slot).per_tile_in_flight ? Lane::download : Lane::compute;
    }
    return Lane::compute;
  }

  std::byte* device_side(const Transfer& transfer, int set) const {
    return static_cast<std::byte*>(slots_->address(transfer.slot, set)) + transfer.slot_offset;
  }

  void queue(const Prepared& step, int set) {
    const auto stream = streams_->enter(set, lane_of(*step.step));
    std::visit([&](const auto& what) { queue(what, step, set, stream); }, *step.step);
  }
  static Rectangle rectangle_of(const Transfer& transfer) {
    return {transfer.chunk_bytes, transfer.num_chunks, transfer.chunk_bytes, transfer.slot_pitch_bytes};
  }
  void queue(const Upload& upload, const Prepared&, int set, typename Api::Stream stream) {
    const auto result = Api::upload(device_side(upload, set), port(upload.port, set) + upload.port_offset,
                                    rectangle_of(upload), stream);
    check<Api>(result, "an upload", device_->info.id);
  }
  void queue(const Download& download, const Prepared&, int set, typename Api::Stream stream) {
    const auto result = Api::download(port(download.port, set) + download.port_offset, device_side(download, set),
                                      rectangle_of(download), stream);
    check<Api>(result, "a download", device_->info.id);
  }
  void queue_lent(const Upload& upload, const HostBox& box, int set, typename Api::Stream stream) {
    auto* slot = static_cast<std::byte*>(slots_->address(upload.slot, set));
    const std::uint64_t bytes = upload.chunk_bytes * upload.num_chunks;
    if (box.extent[0] * box.extent[1] * box.extent[2] < bytes) {
      check<Api>(Api::fill(slot + upload.slot_offset, 0, bytes, stream), "clearing a slot", device_->info.id);
    }
    for_each_rectangle(box, [&](const Rectangle& rectangle, std::uint64_t in_host, std::uint64_t in_slot) {
      const auto result = Api::upload(slot + in_slot, box.data + in_host, rectangle, stream);
      check<Api>(result, "an upload", device_->info.id);
    });
  }
  void queue_lent(const Download& download, const HostBox& box, int set, typename Api::Stream stream) {
    const auto* slot = static_cast<const std::byte*>(slots_->address(download.slot, set));
    for_each_rectangle(box, [&](const Rectangle& rectangle, std::uint64_t in_host, std::uint64_t in_slot) {
      const auto result = Api::download(box.data + in_host, slot + in_slot, rectangle, stream);
      check<Api>(result, "a download", device_->info.id);
    });
  }
  void queue(const Clear& clear, const Prepared&, int set, typename Api::Stream stream) {
    const auto result = Api::fill(slots_->address(clear.slot, set), 0, slots_->slot(clear.slot).bytes, stream);
    check<Api>(result, "clearing a slot", device_->info.id);
  }
  void queue(const Dispatch& dispatch, const Prepared& prepared, int set, typename Api::Stream stream) {
    std::vector<void*> addresses;
    for (const SlotId slot : dispatch.slots) addresses.push_back(slots_->address(slot, set));
    std::vector<std::uint32_t> parameters;
    for (const KernelParameter parameter : dispatch.parameters) parameters.push_back(parameter.bits);
    std::vector<void*> arguments;
    for (void*& address : addresses) arguments.push_back(&address);
    for (std::uint32_t& parameter : parameters) arguments.push_back(&parameter);
    const auto result = Api::launch(
        prepared.kernel->function(), num_groups(*dispatch.kernel, dispatch.threads), dispatch.kernel->workgroup,
        shared_bytes(*dispatch.kernel, dispatch.precision), stream, arguments.data(),
        dispatch.kernel->programmatic_dependent_launch && Api::launches_overlap(device_->handle));
    check<Api>(result, ("launching " + dispatch.kernel->name).c_str(), device_->info.id);
  }
  void queue(const TransformKernel& transform, const Prepared& prepared, int set, typename Api::Stream) {
    prepared.transform->queue(slots_->address(transform.spectrum, set));
  }
  void queue(const Convolve& convolve, const Prepared& prepared, int set, typename Api::Stream) {
    prepared.convolution->queue_part(convolve.part, slots_of(convolve, set), convolve.adds);
  }
  void queue(const ConvolveDirect&, const Prepared&, int, typename Api::Stream) {
    throw std::logic_error("programs for GPUs hold dispatches in place of direct convolutions");
  }

  void release() noexcept {
    if (!memory_) return;
    const ChargeTo<Api> charge(*memory_);
    if (streams_) streams_->drain();
    for (auto& section : prepared_) section.clear();
    convolutions_.clear();
    streams_.reset();
    slots_.reset();
    memory_.reset();
  }

  std::shared_ptr<OpenDevice<Api>> device_;
  Program program_;
  LoadOptions options_;
  std::unique_ptr<DeviceMemory<Api>> memory_;
  std::unique_ptr<Slots<Api>> slots_;
  std::vector<std::vector<std::byte*>> ports_;  // [port][copy]
  std::unique_ptr<Streams<Api>> streams_;
  std::vector<std::size_t> uploads_;  // places of the Upload steps in the run section
  std::size_t num_downloads_ = 0;
  std::vector<Early> early_;  // of each set
  std::vector<PlannedConvolution> convolutions_;
  std::array<std::vector<Prepared>, kSections.size()> prepared_;
};

}  // namespace convoy::backend::gpu
