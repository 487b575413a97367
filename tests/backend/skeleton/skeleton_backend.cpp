// The shortest right backend: host memory, one thread, convolutions as direct sums. It passes the contract suite, and
// backends/README.md ("How to add a backend") walks through it: copy this folder to backends/NAME and make it fast.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>

#include "backends/backend.hpp"
#include "base/host_memory.hpp"
#include "base/worker_pool.hpp"
#include "direct/lower_direct.hpp"
#include "kernels/cpp_kernels.hpp"

namespace convoy::backend {
namespace skeleton {
namespace {

constexpr std::size_t kGuardBytes = 64;
constexpr std::byte kGuard{0xA5};
constexpr std::byte kPoison{0xFF};  // all bits set is a NaN in f32 and f64

/// 1. Memory: what a device must be able to say of it.
struct MemoryCount {
  std::atomic<std::uint64_t> used{0}, peak{0};
  void add(std::uint64_t bytes) {
    used += bytes;
    peak = std::max(peak.load(), used.load());
  }
};

/// 2. The convolution. In which form the kernel lies in the spectrum slot is the backend's own business between
/// TransformKernel and Convolve; here it stays as it came, padded reals, so that TransformKernel does nothing.
template <class Real>
void convolve(const FftGeometry& g, Real* image, Real* work, const Real* kernel, bool conjugate,
              std::vector<double>& sums) {
  const auto& [px, py, pz] = g.padded;
  const auto& [nx, ny, nz] = g.extent;
  std::copy(image, image + nx * ny * nz, work);  // which is larger than the image
  std::fill(sums.begin(), sums.end(), 0.0);
  for (Index z = 0; z < pz; ++z) {
    for (Index y = 0; y < py; ++y) {
      for (Index x = 0; x < px; ++x) {
        const double weight = kernel[(z * py + y) * 2 * g.row_pitch + x];
        if (weight == 0) continue;
        // Output voxel o takes image voxel o - k, or o + k for the correlation, modulo `padded`; beyond `extent` is 0.
        const std::array<Index, 3> shift = conjugate ? std::array{x, y, z} : std::array{px - x, py - y, pz - z};
        for (Index oz = 0; oz < nz; ++oz) {
          const Index iz = (oz + shift[2]) % pz;
          for (Index oy = 0; oy < ny && iz < nz; ++oy) {
            const Index iy = (oy + shift[1]) % py;
            for (Index ox = 0; ox < nx && iy < ny; ++ox) {
              const Index ix = (ox + shift[0]) % px;
              if (ix < nx)
                sums[static_cast<std::size_t>((oz * ny + oy) * nx + ox)] += weight * work[(iz * ny + iy) * nx + ix];
            }
          }
        }
      }
    }
  }
  std::transform(sums.begin(), sums.begin() + nx * ny * nz, image, [](double sum) { return static_cast<Real>(sum); });
}

/// 3. A loaded program. Everything here happens in submit(), so that wait() has nothing to wait for; a backend with
/// queues puts the same steps into one.
class SkeletonSession final : public Session {
 public:
  SkeletonSession(const Program& program, const LoadOptions& options, std::shared_ptr<MemoryCount> count)
      : program_(program), options_(options), count_(std::move(count)), external_(program.slots.size()) {
    for (const Slot& slot : program_.slots) {
      auto& copies = slots_.emplace_back();
      if (slot.external) continue;
      copies.resize(slot.per_tile_in_flight ? static_cast<std::size_t>(program_.num_in_flight) : 1);
      for (auto& memory : copies) {
        memory.assign(slot.bytes + 2 * kGuardBytes, kGuard);
        std::fill_n(memory.begin() + kGuardBytes, slot.bytes, kPoison);
        if (slot.contents) std::copy(slot.contents->begin(), slot.contents->end(), memory.begin() + kGuardBytes);
        count_->add(slot.bytes);
        trace("allocate " + slot.name);
      }
    }
    for (const Section section : kSections) {  // load() allocates all that steps will want
      for (const Step& step : program_.steps(section)) {
        const auto* convolution = std::get_if<Convolve>(&step);
        if (convolution == nullptr) continue;
        sums_.resize(std::max(sums_.size(), sums_of(convolution->geometry)));
      }
    }
    for (const Port& port : program_.ports) {
      const int copies = port.section == Section::setup ? 1 : program_.num_in_flight;
      ports_.emplace_back(static_cast<std::size_t>(copies), std::vector<std::byte>(port.bytes));
    }
  }
  ~SkeletonSession() override {
    for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
      count_->used -= slots_[slot].size() * program_.slots[slot].bytes;
      trace("free " + program_.slots[slot].name);
    }
  }

  std::byte* port(PortId port, int set) override {
    return ports_.at(static_cast<std::size_t>(port)).at(static_cast<std::size_t>(set)).data();
  }
  void submit(Section section, int set, int times) override {
    for (int time = 0; time < times; ++time) {
      for (const Step& step : program_.steps(section)) {
        std::visit([&](const auto& known) { run(known, set); }, step);
      }
    }
  }
  void run_on(std::uint64_t, const std::vector<ExternalMemory>& memory) override {
    for (const ExternalMemory& one : memory) {
      external_.at(static_cast<std::size_t>(one.slot)) = reinterpret_cast<std::byte*>(one.handle) + one.offset_bytes;
    }
    submit(Section::run, 0, 1);
  }
  void wait(int) override {}
  void end_setup() override {
    for (std::size_t port = 0; port < ports_.size(); ++port) {
      if (program_.ports[port].section == Section::setup) ports_[port].clear();
    }
  }
  void check_sentinels() override {
    const auto intact = [](const std::byte* guard) {
      return std::all_of(guard, guard + kGuardBytes, [](std::byte byte) { return byte == kGuard; });
    };
    for (std::size_t slot = 0; slot < slots_.size() && options_.sentinels; ++slot) {
      for (const auto& memory : slots_[slot]) {
        if (intact(memory.data()) && intact(memory.data() + memory.size() - kGuardBytes)) continue;
        throw Error(Errc::device_lost, "slot '" + program_.slots[slot].name + "' was written outside its bounds");
      }
    }
  }

 private:
  void trace(const std::string& step) const {
    if (options_.trace_memory) options_.trace_memory(step, count_->used);
  }
  std::byte* memory(SlotId slot, int set) {
    const auto place = static_cast<std::size_t>(slot);
    if (program_.slots.at(place).external) return external_.at(place);
    return slots_[place].at(slots_[place].size() == 1 ? 0 : static_cast<std::size_t>(set)).data() + kGuardBytes;
  }

  void run(const Upload& step, int set) {
    for (std::uint64_t i = 0; i < step.num_chunks; ++i) {
      std::memcpy(memory(step.slot, set) + step.slot_offset + i * step.slot_pitch_bytes,
                  port(step.port, set) + step.port_offset + i * step.chunk_bytes, step.chunk_bytes);
    }
  }
  void run(const Download& step, int set) {
    for (std::uint64_t i = 0; i < step.num_chunks; ++i) {
      std::memcpy(port(step.port, set) + step.port_offset + i * step.chunk_bytes,
                  memory(step.slot, set) + step.slot_offset + i * step.slot_pitch_bytes, step.chunk_bytes);
    }
  }
  void run(const Clear& step, int set) {
    std::memset(memory(step.slot, set), 0, program_.slots.at(static_cast<std::size_t>(step.slot)).bytes);
  }
  void run(const Dispatch& step, int set) {  // the element-wise kernels of src/kernels, here as C++
    std::vector<void*> buffers;
    for (const SlotId slot : step.slots) buffers.push_back(memory(slot, set));
    run_on_host(*step.kernel, step.precision, buffers, step.parameters, step.threads, host_workers());
  }
  void run(const TransformKernel&, int) {}
  static std::size_t sums_of(const FftGeometry& geometry) {
    const auto& [nx, ny, nz] = geometry.extent;
    return static_cast<std::size_t>(nx * ny * nz);
  }
  void run(const Convolve& step, int set) {
    const auto run_as = [&]<class Real>(Real) {
      auto* image = reinterpret_cast<Real*>(memory(step.image, set));
      auto* work = reinterpret_cast<Real*>(memory(step.work, set));
      const auto* spectrum = reinterpret_cast<const Real*>(memory(step.spectrum, set));
      const std::size_t count = sums_of(step.geometry);
      switch (step.part) {
        case Convolve::Part::whole:
          return convolve(step.geometry, image, work, spectrum, step.conjugate, sums_);
        case Convolve::Part::forward:  // nothing is transformed: work holds the voxels
          std::copy_n(image, count, work);
          return;
        case Convolve::Part::product: {
          auto* product = reinterpret_cast<Real*>(memory(step.product, set));
          const std::vector<Real> before(product, product + count);
          std::copy_n(work, count, product);
          std::vector<Real> unused(step.geometry.work_bytes() / sizeof(Real));
          convolve(step.geometry, product, unused.data(), spectrum, step.conjugate, sums_);
          for (std::size_t i = 0; step.adds && i < count; ++i) product[i] += before[i];
          return;
        }
        case Convolve::Part::inverse:
          std::copy_n(work, count, image);
          return;
      }
    };
    step.geometry.precision == Precision::f32 ? run_as(0.0f) : run_as(0.0);
  }
  /// What programs for GPUs have in its place.
  void run(const ConvolveDirect& step, int set) { run(direct_dispatch(step), set); }

  Program program_;
  LoadOptions options_;
  std::shared_ptr<MemoryCount> count_;
  std::vector<std::byte*> external_;                        // [slot]
  std::vector<std::vector<std::vector<std::byte>>> slots_;  // [slot][set]; none for external slots
  std::vector<double> sums_;
  std::vector<std::vector<std::vector<std::byte>>> ports_;  // [port][set]
};

/// 4. The device: what the planner knows of it is Limits. Without shared memory and with memory_is_host it is planned
/// for as a CPU is: no passes of convoy's own, which are GPU code.
Limits query_limits() {
  Limits limits;
  limits.total_bytes = total_host_bytes();
  limits.free_bytes = std::min(limits.total_bytes, available_host_bytes());
  limits.reserve_bytes = limits.free_bytes / 10;
  limits.memory_is_host = true;
  limits.num_host_threads = 1;
  limits.memory_bytes_per_second = 1e9;
  return limits;
}

class SkeletonDevice final : public Device {
 public:
  explicit SkeletonDevice(DeviceInfo info) : info_(std::move(info)) {}
  const DeviceInfo& info() const override { return info_; }
  bool survives_fork() const override { return true; }
  Limits limits() const override { return query_limits(); }
  std::uint64_t used_bytes() const override { return count_->used; }
  std::uint64_t peak_bytes() const override { return count_->peak; }
  void reset_peak() override { count_->peak = count_->used.load(); }
  std::unique_ptr<Session> load(const Program& program, const LoadOptions& options) override {
    const std::uint64_t needed = program.footprint_bytes(), free = query_limits().free_bytes;
    if (needed > free) throw OutOfMemory("the program does not fit the machine's memory", needed, free, "memory");
    return std::make_unique<SkeletonSession>(program, options, count_);
  }

 private:
  DeviceInfo info_;
  std::shared_ptr<MemoryCount> count_ = std::make_shared<MemoryCount>();
};

/// 5. The backend: which devices there are. `software` keeps "auto" from taking it.
class SkeletonBackend final : public Backend {
 public:
  const char* name() const override { return "skeleton"; }
  bool survives_fork() const override { return true; }
  BackendInfo probe() override {
    return {name(), "", {{"skeleton:0", "direct sums", "none", "", "", DeviceType::software, query_limits()}}};
  }
  std::shared_ptr<Device> open(int index) override {
    return std::make_shared<SkeletonDevice>(probe().devices.at(static_cast<std::size_t>(index)));
  }
};

}  // namespace
}  // namespace skeleton

Backend& skeleton_backend() {
  static skeleton::SkeletonBackend backend;
  return backend;
}

}  // namespace convoy::backend
