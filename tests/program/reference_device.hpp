// Runs programs by their definition: slow, exact for small integers, and blind to everything but the program.
#pragma once

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "program/program.hpp"

namespace convoy::test {

class ReferenceDevice {
 public:
  explicit ReferenceDevice(const Program& program) : program_(program) {
    for (const Slot& slot : program.slots) slots_.emplace_back(slot.bytes / sizeof(double), kPoison);
    for (const Port& port : program.ports) ports_.emplace_back(port.bytes / sizeof(double), kPoison);
  }

  std::vector<double>& port(PortId id) { return ports_.at(static_cast<std::size_t>(id)); }
  void setup() { run(program_.setup); }
  void run() { run(program_.run); }

 private:
  static constexpr double kPoison = 1e9;  // what was never written shows in every result

  void run(const std::vector<Step>& steps) {
    for (const Step& step : steps) std::visit([this](const auto& s) { execute(s); }, step);
  }

  std::vector<double>& slot(SlotId id) { return slots_.at(static_cast<std::size_t>(id)); }

  static std::size_t doubles(std::uint64_t bytes) {
    if (bytes % sizeof(double) != 0) throw std::logic_error("a transfer cuts a voxel");
    return bytes / sizeof(double);
  }

  template <class Move>
  void for_each_voxel(const Transfer& t, const Move& move) {
    const std::size_t chunk = doubles(t.chunk_bytes);
    for (std::uint64_t c = 0; c < t.num_chunks; ++c) {
      for (std::size_t i = 0; i < chunk; ++i) {
        move(port(t.port).at(doubles(t.port_offset) + c * chunk + i),
             slot(t.slot).at(doubles(t.slot_offset) + c * doubles(t.slot_pitch_bytes) + i));
      }
    }
  }

  void execute(const Upload& step) {
    for_each_voxel(step, [](double& in_port, double& in_slot) { in_slot = in_port; });
  }
  void execute(const Download& step) {
    for_each_voxel(step, [](double& in_port, double& in_slot) { in_port = in_slot; });
  }
  void execute(const Clear& step) { std::fill(slot(step.slot).begin(), slot(step.slot).end(), 0.0); }

  /// kernels::place_kernel, by its description.
  void execute(const Dispatch& step) {
    if (step.kernel != &kernels::place_kernel) throw std::logic_error("unknown kernel");
    if (step.parameters.size() != 12 || step.slots.size() != 2) throw std::logic_error("wrong number of arguments");
    const auto at = [&](std::size_t i) { return std::size_t{step.parameters[i].bits}; };
    if (step.threads != std::array<std::uint64_t, 3>{at(0), at(1), at(2)})
      throw std::logic_error("threads are not size");
    for (std::size_t z = 0; z < at(2); ++z) {
      for (std::size_t y = 0; y < at(1); ++y) {
        for (std::size_t x = 0; x < at(0); ++x) {
          const std::size_t row = (at(11) * at(8) + (z + at(5)) % at(8)) * at(10) + (y + at(4)) % at(7);
          slot(step.slots[1]).at(row * at(9) + (x + at(3)) % at(6)) =
              slot(step.slots[0]).at((z * at(1) + y) * at(0) + x);
        }
      }
    }
  }

  /// The spectrum slot simply keeps its reals.
  void execute(const TransformKernel& step) { poison(step.work); }

  void execute(const Convolve& step) {
    const FftGeometry& g = step.geometry;
    if (doubles(g.image_bytes()) != slot(step.image).size()) throw std::logic_error("image slot of another size");
    if (doubles(g.work_bytes()) != slot(step.work).size()) throw std::logic_error("work slot of another size");
    if (doubles(g.spectrum_bytes()) != slot(step.spectrum).size()) throw std::logic_error("spectrum of another size");
    const std::vector<double> image = slot(step.image);
    const std::vector<double>& spectrum = slot(step.spectrum);
    for_each(g.extent, [&](const std::array<Index, 3>& out) {
      double sum = 0;
      for_each(g.extent, [&](const std::array<Index, 3>& in) {
        std::array<Index, 3> at{};
        for (int d = 0; d < 3; ++d) at[d] = (out[d] - in[d] + g.padded[d]) % g.padded[d];
        const Index place = (at[2] * g.padded[1] + at[1]) * 2 * g.row_pitch + at[0];
        sum += image.at(offset(in, g.extent)) * spectrum.at(static_cast<std::size_t>(place));
      });
      slot(step.image).at(offset(out, g.extent)) = sum;
    });
    poison(step.work);
  }

  void execute(const ConvolveDirect& step) {
    const auto [nx, ny, nz] = step.size;
    for_each(step.count, [&](const std::array<Index, 3>& out) {
      double sum = step.adds ? slot(step.result).at(offset(out, step.extent)) : 0;
      for_each(step.size, [&](const std::array<Index, 3>& t) {
        const std::array<Index, 3> in{out[0] + nx - 1 - t[0], out[1] + ny - 1 - t[1], out[2] + nz - 1 - t[2]};
        sum += slot(step.taps).at(static_cast<std::size_t>(step.taps_begin) + offset(t, step.size)) *
               slot(step.image).at(offset(in, step.extent));
      });
      slot(step.result).at(offset(out, step.extent)) = sum;
    });
  }

  void poison(SlotId id) { std::fill(slot(id).begin(), slot(id).end(), kPoison); }

  static std::size_t offset(const std::array<Index, 3>& at, const std::array<Index, 3>& extent) {
    return static_cast<std::size_t>((at[2] * extent[1] + at[1]) * extent[0] + at[0]);
  }

  template <class Body>
  static void for_each(const std::array<Index, 3>& extent, const Body& body) {
    for (Index z = 0; z < extent[2]; ++z) {
      for (Index y = 0; y < extent[1]; ++y) {
        for (Index x = 0; x < extent[0]; ++x) body({x, y, z});
      }
    }
  }

  const Program& program_;
  std::vector<std::vector<double>> slots_;
  std::vector<std::vector<double>> ports_;
};

}  // namespace convoy::test
