#include "program/program.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace convoy::inline v0 {
namespace {

/// Prints steps by the names of what they touch.
class StepPrinter {
 public:
  explicit StepPrinter(const Program& program) : program_(program) {}

  std::string operator()(const Upload& step) const { return transfer(step, port(step.port), slot(step.slot)); }
  std::string operator()(const Download& step) const { return transfer(step, slot(step.slot), port(step.port)); }
  std::string operator()(const Clear& step) const { return slot(step.slot); }

  std::string operator()(const Dispatch& step) const {
    std::string text = fmt::format("{} {} threads {}x{}x{} on", step.kernel->name, convoy::name(step.precision),
                                   step.threads[0], step.threads[1], step.threads[2]);
    for (const SlotId id : step.slots) text += " " + slot(id);
    text += ":";
    for (std::size_t i = 0; i < step.parameters.size(); ++i) {
      text += fmt::format(" {}={}", step.kernel->parameters.at(i).name, step.parameters[i].bits);
    }
    return text;
  }

  std::string operator()(const TransformKernel& step) const {
    return fmt::format("{} using {}: {}", slot(step.spectrum), slot(step.work), geometry(step.geometry));
  }

  std::string operator()(const Convolve& step) const {
    const std::string image =
        step.arrays ? fmt::format("{} -> {}, tiles from {} of {}{},", slot(step.image), slot(step.arrays->output_slot),
                                  step.arrays->first_tile, step.arrays->image.num_tiles(), of_kernels(*step.arrays))
                    : slot(step.image);
    const std::string spectrum = (step.conjugate ? "conjugate " : "") + slot(step.spectrum);
    switch (step.part) {
      case Convolve::Part::forward:
        return fmt::format("forward {} -> {}: {}", image, slot(step.work), geometry(step.geometry));
      case Convolve::Part::product:
        return fmt::format("{} with {}{}{}: {}", slot(step.work), spectrum, step.adds ? " added to " : " to ",
                           slot(step.product), geometry(step.geometry));
      case Convolve::Part::inverse:
        return fmt::format("inverse {} -> {}: {}", slot(step.work), image, geometry(step.geometry));
      case Convolve::Part::whole:
        break;
    }
    return fmt::format("{} with {} using {}: {}", image, spectrum, slot(step.work), geometry(step.geometry));
  }

  std::string operator()(const ConvolveDirect& step) const {
    return fmt::format("{} with {} from {}{}{}: {} {} taps, {} of {}", slot(step.image), slot(step.taps),
                       step.taps_begin, step.adds ? " added to " : " to ", slot(step.result),
                       convoy::name(step.precision), box(step.size), box(step.count), box(step.extent));
  }

 private:
  static std::string of_kernels(const Convolve::Arrays& arrays) {
    if (arrays.fan == KernelFan::Kind::single) return "";
    return fmt::format(", {} kernels from {} of {}", arrays.kernels_at_once, arrays.first_kernel, arrays.num_kernels);
  }
  static std::string box(const std::array<Index, 3>& extents) {
    return fmt::format("{}x{}x{}", extents[2], extents[1], extents[0]);
  }
  std::string slot(SlotId id) const { return program_.slots.at(static_cast<std::size_t>(id)).name; }
  std::string port(PortId id) const { return program_.ports.at(static_cast<std::size_t>(id)).name; }

  static std::string transfer(const Transfer& step, const std::string& from, const std::string& to) {
    std::string text = fmt::format("{} -> {}: {} x {} B", from, to, step.num_chunks, step.chunk_bytes);
    if (step.num_chunks > 1) text += fmt::format(", pitch {} B", step.slot_pitch_bytes);
    if (step.port_offset > 0) text += fmt::format(", port offset {} B", step.port_offset);
    if (step.slot_offset > 0) text += fmt::format(", slot offset {} B", step.slot_offset);
    return text;
  }

  static std::string geometry(const FftGeometry& g) {
    std::string extent;
    std::string padded;
    for (int d = g.num_axes - 1; d >= 0; --d) {
      const char* separator = extent.empty() ? "" : "x";
      extent += fmt::format("{}{}", separator, g.extent[d]);
      padded += fmt::format("{}{}", separator, g.padded[d]);
    }
    const std::string kernel =
        g.kernel_extent > 0 ? fmt::format(", kernel {} at {}", g.kernel_extent, g.kernel_place) : "";
    const std::string batch = g.batch > 1 ? fmt::format("{} times ", g.batch) : "";
    return fmt::format("{} {} {}{} in {}, row pitch {}{}", convoy::name(g.path), convoy::name(g.precision), batch,
                       extent, padded, g.row_pitch, kernel);
  }

  const Program& program_;
};

std::string steps_to_text(Section section, const Program& program) {
  std::string text;
  for (const Step& step : program.steps(section)) {
    text += fmt::format("{} {} {}\n", name(section), name(step), std::visit(StepPrinter(program), step));
  }
  return text;
}

/// Behind the last, if there is none of that name.
std::size_t place_of_parameter(const KernelSpec& kernel, std::string_view name) {
  const auto& known = kernel.parameters;
  const auto is_named = [name](const KernelSpec::Parameter& one) { return one.name == name; };
  return static_cast<std::size_t>(std::find_if(known.begin(), known.end(), is_named) - known.begin());
}

}  // namespace

bool Dispatch::has_parameter(std::string_view name) const {
  return place_of_parameter(*kernel, name) < kernel->parameters.size();
}
KernelParameter& Dispatch::parameter(std::string_view name) { return parameters.at(place_of_parameter(*kernel, name)); }
KernelParameter Dispatch::parameter(std::string_view name) const {
  return parameters.at(place_of_parameter(*kernel, name));
}

std::uint64_t Program::footprint_bytes() const {
  std::uint64_t bytes = 0;
  for (const Slot& slot : slots) {
    if (slot.external) continue;
    const std::uint64_t copies = slot.per_tile_in_flight ? static_cast<std::uint64_t>(num_in_flight) : 1;
    bytes = saturating_sum(bytes, saturating_product(slot.bytes, copies));
  }
  return bytes;
}

const std::vector<Step>& Program::steps(Section section) const {
  switch (section) {
    case Section::setup:
      return setup;
    case Section::run:
      return run;
    case Section::iterate:
      return iterate;
    case Section::measure:
      return measure;
    case Section::finish:
      break;
  }
  return finish;
}

const char* name(Section section) {
  constexpr const char* kNames[] = {"setup", "run", "iterate", "measure", "finish"};
  static_assert(std::size(kNames) == kSections.size());
  return kNames[static_cast<std::size_t>(section)];
}

const char* name(const Step& step) {
  constexpr const char* kNames[] = {"Upload",          "Download", "Clear",         "Dispatch",
                                    "TransformKernel", "Convolve", "ConvolveDirect"};
  static_assert(std::size(kNames) == std::variant_size_v<Step>);
  return kNames[step.index()];
}

std::string to_text(const Program& program) {
  std::string text;
  for (const Slot& slot : program.slots) {
    text += fmt::format("slot {} {} B{}\n", slot.name, slot.bytes,
                        slot.per_tile_in_flight ? " per set"
                        : slot.external         ? " external"
                                                : "");
  }
  for (const Port& port : program.ports) {
    text += fmt::format("port {} {} B, {}\n", port.name, port.bytes, name(port.section));
  }
  for (const Section section : kSections) text += steps_to_text(section, program);
  return text + fmt::format("sets {}\n", program.num_in_flight);
}

}  // namespace convoy::inline v0
