// A program: what a device shall hold and do, as data. The plan makes it, a backend runs it, nothing is asked back.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "fft/geometry.hpp"
#include "fft/tile_access.hpp"
#include "kernels/kernel_spec.hpp"
#include "planner/kernel_fan.hpp"

namespace convoy::inline v0 {

struct Plan;

using SlotId = int;
using PortId = int;

/// A device buffer.
struct Slot {
  std::string name;
  std::uint64_t bytes = 0;
  /// One copy for each set of ports, so that transfers and computing overlap; of one set, too, where its pieces come
  /// and go while others are computed (see Program::run).
  bool per_tile_in_flight = false;
  bool external = false;  ///< the caller's memory, named at each Session::run_on: not allocated, not in the footprint
  std::shared_ptr<const std::vector<std::byte>> contents{};  ///< what load() puts there; nothing: undefined
};

/// Lists of steps that a session runs on request.
enum class Section {
  setup,    ///< once: kernel to spectrum
  run,      ///< once per tile or image
  iterate,  ///< iterative methods: after run, as often as wanted
  measure,  ///< in place of iterate: the same, and sums of how far it has come
  finish    ///< after the last iteration
};
inline constexpr std::array kSections{Section::setup, Section::run, Section::iterate, Section::measure,
                                      Section::finish};
/// "setup", "run" ...
const char* name(Section section);

/// A host buffer that the session owns (pinned where that helps). Its uploads read it, its downloads write it.
struct Port {
  std::string name;
  std::uint64_t bytes = 0;
  Section section = Section::run;  ///< ports of setup are given back by Session::end_setup
};

/// num_chunks pieces of chunk_bytes. In the port they lie tight from port_offset on; in the slot they start
/// slot_pitch_bytes apart from slot_offset on.
struct Transfer {
  PortId port = 0;
  SlotId slot = 0;
  std::uint64_t chunk_bytes = 0;
  std::uint64_t num_chunks = 1;
  std::uint64_t slot_pitch_bytes = 0;
  std::uint64_t port_offset = 0;
  std::uint64_t slot_offset = 0;
};
struct Upload : Transfer {};
struct Download : Transfer {};

/// Sets every byte of a slot to zero.
struct Clear {
  SlotId slot = 0;
};

/// Runs an element-wise kernel on threads (x, y, z); buffers and parameters in the order of the kernel's spec.
struct Dispatch {
  KernelHandle kernel;
  Precision precision = Precision::f32;
  std::vector<SlotId> slots;
  std::vector<KernelParameter> parameters;
  std::array<std::uint64_t, 3> threads{1, 1, 1};

  bool has_parameter(std::string_view name) const;
  /// By the name that the kernel's spec gives it; throws std::out_of_range if it has none of that name.
  KernelParameter& parameter(std::string_view name);
  KernelParameter parameter(std::string_view name) const;
};

/// Spectrum slot in place: padded reals in rows of 2 * row_pitch -> their transform, in whatever order Convolve wants.
struct TransformKernel {
  FftGeometry geometry;
  SlotId spectrum = 0;
  SlotId work = 0;  ///< free to be overwritten
  Index num = 1;    ///< kernels whose spectra lie one behind the other; of native paths
};

/// image <- crop(inverse(transform(zero-padded image) * spectrum)), normalised: a circular convolution of period
/// `padded`, of which the first `extent` voxels are kept. Overwrites work; the spectrum stays. With `conjugate` the
/// product is with the conjugate spectrum: the circular correlation, which is the exact adjoint.
/// In parts, so that several kernels share a transform: `forward`, then one or more of `product`, then `inverse` do the
/// same. What lies in work between them is the device's business: some transform less forth and more in the product.
/// Fused paths of VkFFT have no parts.
struct Convolve {
  enum class Part {
    whole,
    forward,  ///< image -> work; the image stays
    product,  ///< work times the spectrum -> product, which another slot holds than work; or added to it (`adds`)
    inverse   ///< work -> image
  };
  FftGeometry geometry;
  SlotId image = 0;
  SlotId work = 0;
  SlotId spectrum = 0;
  bool conjugate = false;
  /// Native paths only: the first pass reads tiles from the caller's array in slot `image`, and the last one writes
  /// them to the caller's in slot `output`.
  struct Arrays {
    TileAccess image;
    TileAccess output;
    SlotId output_slot = 0;
    Index first_tile = 0;  ///< geometry.batch tiles from here on; those behind the last are the last one again
    /// Several kernels: these of num_kernels, whose spectra lie in the spectrum slot one behind the other. Where each
    /// has a tile of its own, of work or product, those of a kernel follow each other, then come the next one's.
    KernelFan::Kind fan = KernelFan::Kind::single;
    Index num_kernels = 1;
    Index kernels_at_once = 1;
    Index first_kernel = 0;
    bool operator==(const Arrays&) const = default;
  };
  std::optional<Arrays> arrays{};
  Part part = Part::whole;
  SlotId product = 0;  ///< of Part::product: as work
  bool adds = false;

  bool operator==(const Convolve&) const = default;
};

/// A sum over taps, without a transform: for every voxel b of `count`
///   result[b] = sum over t < size of taps[taps_begin + t] * image[b + size - 1 - t]      (+ result[b] if `adds`)
/// All in device order. Taps lie tight; image and result have rows of `extent[0]` and planes of `extent[1]` rows, and
/// count + size - 1 does not exceed `extent`. Programs for GPUs hold none: make_program() makes dispatches of them.
struct ConvolveDirect {
  Precision precision = Precision::f32;
  SlotId image = 0;
  SlotId taps = 0;
  SlotId result = 0;  ///< another slot than the image
  std::array<Index, 3> extent{1, 1, 1};
  std::array<Index, 3> size{1, 1, 1};
  std::array<Index, 3> count{1, 1, 1};
  Index taps_begin = 0;
  bool adds = false;

  bool operator==(const ConvolveDirect&) const = default;
};

using Step = std::variant<Upload, Download, Clear, Dispatch, TransformKernel, Convolve, ConvolveDirect>;

struct Program {
  std::vector<Slot> slots;
  std::vector<Port> ports;
  std::vector<Step> setup;
  /// Of a per_tile_in_flight slot, no step before an upload touches what it fills, and none behind a download what that
  /// reads.
  std::vector<Step> run;
  std::vector<Step> iterate;
  std::vector<Step> measure;
  std::vector<Step> finish;
  int num_in_flight = 1;  ///< copies of per_tile_in_flight slots and of ports of other sections than setup

  const std::vector<Step>& steps(Section section) const;

  std::uint64_t footprint_bytes() const;
};

/// "Upload", "Convolve" ...
const char* name(const Step& step);

/// One line a slot, port and step; for logs and golden tests.
std::string to_text(const Program& program);

/// The ports of a program made by make_program.
namespace ports {
/// setup: axes' kernel_size in device order, tight; made as AxisPlan says. Of separable paths, for each product its
/// factors along device axes 0, 1 and 2. Several kernels one behind the other.
inline constexpr PortId kernel = 0;
inline constexpr PortId input = 1;   ///< run: extent in device order, tight
inline constexpr PortId output = 2;  ///< run: tile_output rows of axis 1, each extent[0] long (device order)
/// Of turns that have several tiles in or out (KernelFan): behind those ports. Upload steps are those of tile 0, then
/// of tile 1 and so on; Download steps likewise.
PortId input_of(Index tile);
PortId output_of(const KernelFan& fan, Index tile);
}  // namespace ports

/// The slots of a program made by make_tile_program, by what they hold.
struct TileSlots {
  std::vector<SlotId> images;   ///< of transforms, results too; of arrays on the device, one
  std::vector<SlotId> results;  ///< as many as the turn has: image slots, but of paths without transforms
  std::vector<SlotId> spectra;  ///< or taps
  std::vector<SlotId> work;     ///< of transforms one; of separable paths as many as they take
  SlotId product = 0;           ///< of a turn in parts
  SlotId num_slots = 0;         ///< the next number
};
TileSlots tile_slots(const Plan& plan);

/// The program of one turn of the plan (KernelFan). Throws Error(unsupported) for Plan::batch beyond 1.
Program make_program(const Plan& plan);

/// The same with Convolve steps even where the plan's path is native: for programs made from it, which end with
/// lower_native_passes() (fft/lower_passes.hpp).
Program make_tile_program(const Plan& plan);

}  // namespace convoy::inline v0
