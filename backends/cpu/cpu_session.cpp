#include "backends/cpu/cpu_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "backends/cpu/direct_rows.hpp"
#include "base/work_meter.hpp"
#include "convoy/bytes_text.hpp"
#include "kernels/cpp_kernels.hpp"

namespace convoy::backend::cpu {
namespace {

constexpr std::size_t kGuardBytes = 4096;
constexpr unsigned char kGuard = 0xA5;
constexpr unsigned char kPoison = 0xFF;  // all bits set is a NaN in f32 and f64

/// Products that are worth handing out to another thread.
constexpr Index kProductsOfPiece = 1 << 18;

/// About how long a step takes, by the number of times that it goes through an image.
double passes_of(const Step& step) {
  if (std::holds_alternative<Upload>(step) || std::holds_alternative<Download>(step)) return 0.5;
  if (std::holds_alternative<ConvolveDirect>(step) || std::holds_alternative<TransformKernel>(step)) return 5;
  const Convolve* const convolve = std::get_if<Convolve>(&step);
  return convolve == nullptr ? 1 : convolve->part == Convolve::Part::whole ? 5 : 2;
}

template <class Real>
void sum_directly(const ConvolveDirect& step, const void* image, const void* taps, void* result, WorkerPool& pool) {
  const DirectRows<Real> task{.image = static_cast<const Real*>(image),
                              .taps = static_cast<const Real*>(taps) + step.taps_begin,
                              .result = static_cast<Real*>(result),
                              .row = step.extent[0],
                              .plane = step.extent[0] * step.extent[1],
                              .size = {step.size[0], step.size[1], step.size[2]},
                              .count = {step.count[0], step.count[1], step.count[2]},
                              .adds = step.adds};
  const DirectRowsFunction<Real> rows = direct_rows<Real>();
  const Index products_of_row = step.count[0] * step.size[0] * step.size[1] * step.size[2];
  const Index grain = std::max<Index>(2, kProductsOfPiece / products_of_row / 2 * 2);
  pool.for_each(step.count[1] * step.count[2], grain,
                [&](int, std::int64_t begin, std::int64_t end) { rows(task, begin, end); });
}

}  // namespace

std::byte* CpuSession::Block::slot() const { return memory.data() + kGuardBytes; }

CpuSession::CpuSession(const Program& program, const LoadOptions& options, WorkerPool& pool, MemoryCount& count,
                       std::shared_ptr<void> keep_alive)
    : program_(program), options_(options), keep_alive_(std::move(keep_alive)), pool_(pool), count_(count) {
  try {
    allocate_slots();
    allocate_ports();
    for (const Section section : kSections) {
      for (const Step& step : program_.steps(section)) {
        if (const auto* transform = std::get_if<TransformKernel>(&step)) convolution(transform->geometry);
        if (const auto* convolve = std::get_if<Convolve>(&step)) convolution(convolve->geometry);
      }
    }
  } catch (const std::bad_alloc&) {
    count_.subtract(counted_bytes_);
    throw OutOfMemory(fmt::format("the CPU's memory could not hold {} for this program; give a smaller memory limit",
                                  bytes_to_text(program_.footprint_bytes())),
                      program_.footprint_bytes(), counted_bytes_, "memory of this process");
  } catch (...) {
    count_.subtract(counted_bytes_);
    throw;
  }
}

CpuSession::~CpuSession() {
  for (std::size_t slot = 0; slot < blocks_.size(); ++slot) {
    for (Block& block : blocks_[slot]) {
      count_.subtract(block.bytes);
      block.memory = {};
      trace(fmt::format("free {}", program_.slots[slot].name));
    }
  }
}

void CpuSession::trace(const std::string& step) const {
  if (options_.trace_memory) options_.trace_memory(step, count_.used());
}

void CpuSession::allocate_slots() {
  for (const Slot& slot : program_.slots) {
    auto& sets = blocks_.emplace_back();
    external_.push_back(nullptr);
    if (slot.external) continue;
    for (int set = 0; set < (slot.per_tile_in_flight ? program_.num_in_flight : 1); ++set) {
      sets.push_back({AlignedBuffer(slot.bytes + 2 * kGuardBytes), slot.bytes});
      count_.add(slot.bytes);
      counted_bytes_ += slot.bytes;
      if (options_.sentinels) fill_sentinels(sets.back());
      if (slot.contents) std::copy(slot.contents->begin(), slot.contents->end(), sets.back().slot());
      trace(fmt::format("allocate {}", slot.name));
    }
  }
}

void CpuSession::allocate_ports() {
  for (std::size_t id = 0; id < program_.ports.size(); ++id) {
    const Port& port = program_.ports[id];
    const auto& steps = program_.steps(port.section);
    const Transfer* only = nullptr;
    int num_transfers = 0;
    for (const Step& step : steps) {
      const Transfer* transfer = std::get_if<Upload>(&step);
      if (transfer == nullptr) transfer = std::get_if<Download>(&step);
      if (transfer == nullptr || transfer->port != static_cast<PortId>(id)) continue;
      only = transfer;
      ++num_transfers;
    }
    // A slot that the section clears first would lose what the caller put into it.
    const auto is_cleared = [&](const Step& step) {
      const Clear* clear = std::get_if<Clear>(&step);
      return clear != nullptr && clear->slot == only->slot;
    };
    const bool contiguous = num_transfers == 1 &&
                            (only->num_chunks == 1 || only->chunk_bytes == only->slot_pitch_bytes) &&
                            only->port_offset == 0 && std::none_of(steps.begin(), steps.end(), is_cleared);
    auto& sets = ports_.emplace_back();
    for (int set = 0; set < (port.section == Section::setup ? 1 : program_.num_in_flight); ++set) {
      PortMemory memory;
      if (contiguous) {
        memory.is_slot = true;
        memory.data = static_cast<std::byte*>(this->memory(only->slot, set)) + only->slot_offset;
      } else {
        memory.own = AlignedBuffer(port.bytes);
        memory.data = memory.own.data();
      }
      sets.push_back(std::move(memory));
    }
  }
}

void CpuSession::fill_sentinels(const Block& block) const {
  std::memset(block.memory.data(), kGuard, kGuardBytes);
  std::memset(block.slot(), kPoison, block.bytes);
  std::memset(block.slot() + block.bytes, kGuard, kGuardBytes);
}

void CpuSession::check_sentinels() {
  if (!options_.sentinels) return;
  const auto intact = [](const std::byte* guard) {
    return std::all_of(guard, guard + kGuardBytes, [](std::byte b) { return b == std::byte{kGuard}; });
  };
  for (std::size_t slot = 0; slot < blocks_.size(); ++slot) {
    for (const Block& block : blocks_[slot]) {
      if (intact(block.memory.data()) && intact(block.slot() + block.bytes)) continue;
      throw Error(Errc::device_lost,
                  fmt::format("slot '{}' ({} bytes) was written outside its bounds on the CPU; this is a "
                              "defect of convoy, please report it with this plan",
                              program_.slots[slot].name, block.bytes));
    }
  }
}

const CpuSession::Block& CpuSession::block(SlotId slot, int set) const {
  const auto& sets = blocks_.at(static_cast<std::size_t>(slot));
  return sets.at(sets.size() == 1 ? 0 : static_cast<std::size_t>(set));
}

void* CpuSession::memory(SlotId slot, int set) const {
  std::byte* const external = external_.at(static_cast<std::size_t>(slot));
  return external != nullptr ? external : block(slot, set).slot();
}

CpuConvolution& CpuSession::convolution(const FftGeometry& geometry) {
  for (auto& [known, made] : convolutions_) {
    if (known == geometry) return *made;
  }
  convolutions_.emplace_back(geometry, make_cpu_convolution(geometry, pool_));
  return *convolutions_.back().second;
}

std::byte* CpuSession::port(PortId port, int set) {
  return ports_.at(static_cast<std::size_t>(port)).at(static_cast<std::size_t>(set)).data;
}

void CpuSession::end_setup() {
  for (std::size_t id = 0; id < program_.ports.size(); ++id) {
    if (program_.ports[id].section == Section::setup) ports_[id].clear();
  }
}

void CpuSession::submit(Section section, int set, int times) {
  const std::vector<Step>& steps = program_.steps(section);
  const double passes_of_all = std::accumulate(steps.begin(), steps.end(), 0.0,
                                               [](double sum, const Step& step) { return sum + passes_of(step); });
  for (int time = 0; time < times; ++time) {
    const WorkPart of_times(static_cast<double>(time) / times, (time + 1.0) / times);
    double done = 0;
    for (const Step& step : steps) {
      const double passes = passes_of(step);
      const WorkPart of_steps(done / passes_of_all, (done + passes) / passes_of_all);
      std::visit([&](const auto& known) { run(known, set); }, step);
      done += passes;
    }
  }
}

void CpuSession::run_on(std::uint64_t, const std::vector<ExternalMemory>& memory) {
  for (const ExternalMemory& one : memory) {
    external_.at(static_cast<std::size_t>(one.slot)) = reinterpret_cast<std::byte*>(one.handle) + one.offset_bytes;
  }
  submit(Section::run, 0, 1);
}

void CpuSession::run(const Upload& step, int set) {
  const PortMemory& from = ports_.at(static_cast<std::size_t>(step.port)).at(static_cast<std::size_t>(set));
  if (from.is_slot) return;
  auto* to = static_cast<std::byte*>(memory(step.slot, set)) + step.slot_offset;
  for (std::uint64_t i = 0; i < step.num_chunks; ++i) {
    std::memcpy(to + i * step.slot_pitch_bytes, from.data + step.port_offset + i * step.chunk_bytes, step.chunk_bytes);
  }
}

void CpuSession::run(const Download& step, int set) {
  const PortMemory& to = ports_.at(static_cast<std::size_t>(step.port)).at(static_cast<std::size_t>(set));
  if (to.is_slot) return;
  const auto* from = static_cast<const std::byte*>(memory(step.slot, set)) + step.slot_offset;
  for (std::uint64_t i = 0; i < step.num_chunks; ++i) {
    std::memcpy(to.data + step.port_offset + i * step.chunk_bytes, from + i * step.slot_pitch_bytes, step.chunk_bytes);
  }
}

void CpuSession::run(const Clear& step, int set) {
  auto* const target = static_cast<std::byte*>(memory(step.slot, set));
  const std::uint64_t bytes = program_.slots[static_cast<std::size_t>(step.slot)].bytes;
  workers().for_each(static_cast<std::int64_t>(bytes), 1 << 22, [&](int, std::int64_t begin, std::int64_t end) {
    std::memset(target + begin, 0, static_cast<std::size_t>(end - begin));
  });
}

void CpuSession::run(const Dispatch& step, int set) {
  std::vector<void*> buffers;
  for (const SlotId slot : step.slots) buffers.push_back(memory(slot, set));
  run_on_host(*step.kernel, step.precision, buffers, step.parameters, step.threads, workers());
}

void CpuSession::run(const TransformKernel& step, int set) {
  convolution(step.geometry).transform_kernel(memory(step.spectrum, set));
}

void CpuSession::run(const Convolve& step, int set) {
  CpuConvolution& known = convolution(step.geometry);
  switch (step.part) {
    case Convolve::Part::whole:
      return known.convolve(memory(step.image, set), memory(step.work, set), memory(step.spectrum, set),
                            step.conjugate);
    case Convolve::Part::forward:
      return known.forward(memory(step.image, set), memory(step.work, set));
    case Convolve::Part::product:
      return known.product(memory(step.work, set), memory(step.spectrum, set), step.conjugate,
                           memory(step.product, set), step.adds);
    case Convolve::Part::inverse:
      return known.inverse(memory(step.work, set), memory(step.image, set));
  }
}

void CpuSession::run(const ConvolveDirect& step, int set) {
  const auto run_as = step.precision == Precision::f32 ? sum_directly<float> : sum_directly<double>;
  run_as(step, memory(step.image, set), memory(step.taps, set), memory(step.result, set), workers());
}

}  // namespace convoy::backend::cpu
