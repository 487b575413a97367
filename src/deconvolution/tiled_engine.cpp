#include "deconvolution/tiled_engine.hpp"

#include <algorithm>
#include <cstring>

#include "base/log.hpp"
#include "base/scratch_file.hpp"
#include "convoy/convolution.hpp"
#include "convoy/error.hpp"
#include "deconvolution/host_bytes.hpp"
#include "deconvolution/plan.hpp"
#include "deconvolution/program.hpp"
#include "kernels/cpp_kernels.hpp"

namespace convoy::inline v0 {
namespace {

/// Calls copy(row in the image, row of the box, bytes), and lets go of what was used now and then.
template <class Copy>
void for_each_row(const ScratchFile& file, const Shape& shape, const Box& box, std::size_t voxel_bytes,
                  const Copy& copy) {
  const std::size_t row_bytes = static_cast<std::size_t>(box.size.x) * voxel_bytes;
  std::size_t at = 0;
  std::uint64_t touched = 0;
  for (Index z = 0; z < box.size.z; ++z) {
    for (Index y = 0; y < box.size.y; ++y) {
      const Index row = (box.begin.z + z) * shape.y + box.begin.y + y;
      copy(static_cast<std::size_t>(row * shape.x + box.begin.x) * voxel_bytes, at, row_bytes);
      at += row_bytes;
      touched += row_bytes + 4096;  // pages are whole
      if (touched < kScratchWindowBytes / 2) continue;
      file.release();
      touched = 0;
    }
  }
  file.release();
}

class ScratchReader final : public ImageReader {
 public:
  ScratchReader(const ScratchFile& file, const ImageView& image) : file_(file), image_(image) {}
  Shape shape() const override { return image_.shape; }
  Element element() const override { return image_.element; }
  Shape chunk() const override { return {1, 1, 1}; }
  void read(const Box& box, std::byte* voxels) const override {
    const auto* from = static_cast<const std::byte*>(image_.data);
    for_each_row(file_, image_.shape, box, size_of(image_.element),
                 [&](std::size_t there, std::size_t here, std::size_t bytes) {
                   std::memcpy(voxels + here, from + there, bytes);
                 });
  }

 private:
  const ScratchFile& file_;
  ImageView image_;
};

class ScratchWriter final : public ImageWriter {
 public:
  ScratchWriter(const ScratchFile& file, const MutableImageView& image) : file_(file), image_(image) {}
  Shape shape() const override { return image_.shape; }
  Element element() const override { return image_.element; }
  Shape chunk() const override { return {1, 1, 1}; }
  void write(const Box& box, const std::byte* voxels) override {
    auto* to = static_cast<std::byte*>(image_.data);
    for_each_row(
        file_, image_.shape, box, size_of(image_.element),
        [&](std::size_t there, std::size_t here, std::size_t bytes) { std::memcpy(to + there, voxels + here, bytes); });
  }

 private:
  const ScratchFile& file_;
  MutableImageView image_;
};

ConvolverOptions convolver_options(const EngineTask& task, const DeconvolutionPlan& plan, const Plan& part,
                                   const Limits& limits) {
  ConvolverOptions options;
  options.plan = options_of_convolutions(plan, limits, task.options.plan);
  if (plan.in_scratch) options.plan.tile_output = cores_of(part);
  options.trace_memory = task.options.trace_memory;
  options.sentinels = task.options.sentinels;
  options.progress = [keep_going = task.keep_going](const Progress&) { return keep_going(); };
  return options;
}

/// Runs the program in host memory. Slots are the host's, ports are slots, and a Convolve step is a run of one of two
/// convolvers, out of the image slot and into the work slot, which then change places.
class TiledEngine final : public DeconvolutionEngine {
 public:
  TiledEngine(const EngineTask& task, const Limits& limits, DeconvolutionPlan plan)
      : plan_(std::move(plan)),
        program_(make_host_program(plan_)),
        blur_(plan_.convolution.spec, task.psf, task.devices,
              convolver_options(task, plan_, plan_.convolution, limits)),
        adjoint_(plan_.adjoint->spec, task.psf, task.devices, convolver_options(task, plan_, *plan_.adjoint, limits)) {
    for (const std::string& reason : plan_.reasons) log("plan", "{}: {}", task.devices.front().info().id, reason);
    plan_.convolution = blur_.plan();
    plan_.adjoint = adjoint_.plan();
    set_ledgers_of_tiled(limits, task.options.plan, plan_);
    plan_.psf_sum = task.psf_sum;
    plan_.psf_reach = task.psf_reach;
    const auto& first = std::get<Convolve>(program_.iterate.front());
    for (std::size_t id = 0; id < program_.slots.size(); ++id) {
      std::uint64_t bytes = program_.slots[id].bytes;
      if (static_cast<SlotId>(id) == first.work) bytes = first.geometry.image_bytes();
      if (static_cast<SlotId>(id) == first.spectrum) bytes = 0;  // the convolvers have it
      slots_.push_back({nullptr, bytes});
    }
    if (plan_.in_scratch) {
      take_scratch(task.options.plan.scratch);
    } else {
      take_memory();
    }
  }

  const DeconvolutionPlan& plan() const override { return plan_; }
  const Plan& layout() const override { return layout_; }
  std::byte* port(PortId port) override { return slots_.at(slot_of(port)).data; }
  void pass(Section section, Index times) override {
    for (Index time = 0; time < times; ++time) {
      for (const Step& step : program_.steps(section)) {
        std::visit([this](const auto& known) { run(known); }, step);
      }
    }
  }
  void check_sentinels() override {}  // the convolvers look after their own
  std::vector<DeviceShare> shares() const override { return shares_; }
  bool in_scratch() const override { return scratch_.has_value(); }
  void release() override {
    if (scratch_) scratch_->release();
  }

 private:
  struct HostSlot {
    std::byte* data = nullptr;
    std::uint64_t bytes = 0;
  };

  void take_memory() {
    try {
      for (HostSlot& slot : slots_) slot.data = memory_.emplace_back(slot.bytes).data();
    } catch (const std::bad_alloc&) {
      throw OutOfMemory(
          "the estimate and the data do not fit this machine's memory; crop the image, or name a folder for a scratch "
          "file (--scratch)",
          plan_.host_bytes, 0, "memory of this process");
    }
  }
  void take_scratch(const std::string& path) {
    constexpr std::uint64_t kPage = 4096;
    std::uint64_t bytes = 0;
    for (const HostSlot& slot : slots_) bytes += (slot.bytes + kPage - 1) / kPage * kPage;
    scratch_.emplace(path, bytes);
    std::byte* at = scratch_->data();
    for (HostSlot& slot : slots_) {
      slot.data = at;
      at += (slot.bytes + kPage - 1) / kPage * kPage;
    }
  }
  std::size_t slot_of(PortId port) const {
    for (const Section section : kSections) {
      for (const Step& step : program_.steps(section)) {
        const Transfer* transfer = std::get_if<Upload>(&step);
        if (transfer == nullptr) transfer = std::get_if<Download>(&step);
        if (transfer != nullptr && transfer->port == port) return static_cast<std::size_t>(transfer->slot);
      }
    }
    throw Error(Errc::invalid_argument, "the program does not move that port");
  }

  void run(const Upload&) {}    // the port is the slot
  void run(const Download&) {}  // likewise
  void run(const Clear& step) {
    const HostSlot& slot = slots_.at(static_cast<std::size_t>(step.slot));
    const std::uint64_t part = scratch_ ? kScratchWindowBytes : slot.bytes;
    for (std::uint64_t at = 0; at < slot.bytes; at += part) {
      std::memset(slot.data + at, 0, std::min(part, slot.bytes - at));
      release();
    }
  }
  void run(const TransformKernel&) {}
  void run(const Dispatch& step) {
    std::vector<void*> buffers;
    std::uint64_t bytes = 1;
    for (const SlotId id : step.slots) {
      const HostSlot& slot = slots_.at(static_cast<std::size_t>(id));
      buffers.push_back(slot.data);
      bytes += slot.bytes;
    }
    RowsOfThreads rows{0, step.threads[1] * step.threads[2]};
    const std::uint64_t num_rows = rows.count;
    if (scratch_) {
      const double part = static_cast<double>(kScratchWindowBytes) / static_cast<double>(bytes);
      rows.count = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(part * static_cast<double>(num_rows)));
    }
    for (; rows.begin < num_rows; rows.begin += rows.count) {
      run_on_host(*step.kernel, step.precision, buffers, step.parameters, step.threads, host_workers(), rows);
      release();
    }
  }
  void run(const ConvolveDirect&) { throw std::logic_error("restorations have no direct convolutions"); }
  void run(const Convolve& step) {
    auto& image = slots_.at(static_cast<std::size_t>(step.image));
    auto& work = slots_.at(static_cast<std::size_t>(step.work));
    const Element element = plan_.spec.precision == Precision::f32 ? Element::f32 : Element::f64;
    const Shape frame = plan_.frame();
    Convolver& convolver = step.conjugate ? adjoint_ : blur_;
    RunReport report;
    if (scratch_) {
      const ScratchReader read(*scratch_, {image.data, element, frame});
      ScratchWriter written(*scratch_, {work.data, element, frame});
      report = convolver.run(ImageReaders{&read}, ImageWriters{&written});
    } else {
      report = convolver.run({image.data, element, frame}, {work.data, element, frame});
    }
    add_shares(report.devices);
    std::swap(image, work);
  }
  void add_shares(const std::vector<DeviceShare>& shares) {
    if (shares_.empty()) {
      shares_ = shares;
      return;
    }
    for (std::size_t i = 0; i < shares.size(); ++i) {
      shares_[i].num_tiles += shares[i].num_tiles;
      if (!shares[i].failure.empty()) shares_[i].failure = shares[i].failure;
    }
  }

  DeconvolutionPlan plan_;
  Plan layout_;  // z, y, x
  Program program_;
  Convolver blur_;
  Convolver adjoint_;
  std::vector<HostSlot> slots_;
  std::vector<std::vector<std::byte>> memory_;
  std::optional<ScratchFile> scratch_;
  std::vector<DeviceShare> shares_;
};

}  // namespace

std::unique_ptr<DeconvolutionEngine> make_tiled_engine(const EngineTask& task, const Limits& limits,
                                                       DeconvolutionPlan plan) {
  return std::make_unique<TiledEngine>(task, limits, std::move(plan));
}

}  // namespace convoy::inline v0
