// A program on the CPU: a small interpreter. Uploads and downloads that move a whole slot cost nothing: the port is the
// slot's own memory.
#pragma once

#include <memory>
#include <vector>

#include "backends/backend.hpp"
#include "backends/cpu/aligned_buffer.hpp"
#include "backends/cpu/cpu_convolution.hpp"

namespace convoy::backend::cpu {

/// Bytes that sessions hold on one device, and the most it was.
class MemoryCount {
 public:
  void add(std::uint64_t bytes) {
    const std::uint64_t now = used_.fetch_add(bytes) + bytes;
    std::uint64_t peak = peak_.load();
    while (now > peak && !peak_.compare_exchange_weak(peak, now)) {
    }
  }
  void subtract(std::uint64_t bytes) { used_.fetch_sub(bytes); }
  std::uint64_t used() const { return used_.load(); }
  std::uint64_t peak() const { return peak_.load(); }
  void reset_peak() { peak_ = used_.load(); }

 private:
  std::atomic<std::uint64_t> used_{0};
  std::atomic<std::uint64_t> peak_{0};
};

/// Sets may be used by several threads at once, each alone (WorkerPool::Alone) and of its own number in the pool.
class CpuSession final : public Session {
 public:
  /// `keep_alive` owns pool and count.
  CpuSession(const Program& program, const LoadOptions& options, WorkerPool& pool, MemoryCount& count,
             std::shared_ptr<void> keep_alive);
  ~CpuSession() override;

  std::byte* port(PortId port, int set) override;
  void submit(Section section, int set, int times) override;
  void run_on(std::uint64_t queue, const std::vector<ExternalMemory>& memory) override;
  void wait(int) override {}
  void end_setup() override;
  void check_sentinels() override;

 private:
  struct Block {
    AlignedBuffer memory;
    std::uint64_t bytes = 0;
    std::byte* slot() const;
  };
  struct PortMemory {
    AlignedBuffer own;  // empty if the port is a slot's memory
    std::byte* data = nullptr;
    bool is_slot = false;
  };

  void allocate_slots();
  void allocate_ports();
  void fill_sentinels(const Block& block) const;
  const Block& block(SlotId slot, int set) const;
  void* memory(SlotId slot, int set) const;
  CpuConvolution& convolution(const FftGeometry& geometry);
  void trace(const std::string& step) const;
  WorkerPool& workers() const { return workers_or_alone(pool_); }

  void run(const Upload& step, int set);
  void run(const Download& step, int set);
  void run(const Clear& step, int set);
  void run(const Dispatch& step, int set);
  void run(const TransformKernel& step, int set);
  void run(const Convolve& step, int set);
  void run(const ConvolveDirect& step, int set);

  Program program_;
  LoadOptions options_;
  std::shared_ptr<void> keep_alive_;
  WorkerPool& pool_;
  MemoryCount& count_;
  std::uint64_t counted_bytes_ = 0;
  std::vector<std::vector<Block>> blocks_;      // [slot][set]; none for external slots
  std::vector<std::byte*> external_;            // [slot]
  std::vector<std::vector<PortMemory>> ports_;  // [port][set]
  std::vector<std::pair<FftGeometry, std::unique_ptr<CpuConvolution>>> convolutions_;
};

}  // namespace convoy::backend::cpu
