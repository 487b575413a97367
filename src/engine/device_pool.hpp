// The devices of a convolver, each with its own plan and session; all plans cut the output into the same tiles.
#pragma once

#include <exception>
#include <functional>
#include <string>
#include <vector>

#include "convoy/convolution.hpp"
#include "engine/load_with_retry.hpp"

namespace convoy::inline v0 {

using LoadedPlan = Loaded<Plan>;

/// The limit given, or what a Convolver takes for it.
std::uint64_t host_memory_limit(const PlanOptions& options);

/// Throws what make_plan and Device::load throw; OutOfMemory only after smaller plans have failed too.
LoadedPlan load_plan(const ConvolutionSpec& spec, Device& device, const ConvolverOptions& options);

struct PreparedDevice {
  Device device;
  LoadedPlan loaded;             ///< without a session when the device takes no part any more
  std::exception_ptr problem{};  ///< why it does not

  bool works() const { return loaded.session != nullptr && problem == nullptr; }
  /// The problem in words, or nothing.
  std::string failure() const;
};

/// Whether a device that met this problem is left out, rather than the run given up.
bool drops_device(const Error& problem);

/// Plans and loads for all devices, and has each set up. Several take PlanOptions::tile_output, or else the smallest of
/// the tiles that they would take alone. Of several devices those that refuse are left out, which the
/// log and their problem report; throws as throw_no_device_left() if all do. Of one device as load_plan().
std::vector<PreparedDevice> prepare_devices(const ConvolutionSpec& spec, const std::vector<Device>& devices,
                                            const ConvolverOptions& options,
                                            const std::function<void(LoadedPlan&)>& set_up);

/// The plan of the common tiling. Some device must have been prepared.
const Plan& common_plan(const std::vector<PreparedDevice>& devices);

/// Device memory that convoy holds on them, and the most that it was; each device once, however often it was given.
std::uint64_t used_bytes_of(const std::vector<PreparedDevice>& devices);
std::uint64_t peak_bytes_of(const std::vector<PreparedDevice>& devices);

struct DeviceProblem {
  std::string id;
  std::exception_ptr problem;

  std::string text() const;  ///< nothing without a problem
};

/// Of one device its own problem; of several OutOfMemory if all ran out of it, else Error, with all their causes.
[[noreturn]] void throw_none_left(const std::vector<DeviceProblem>& problems);
[[noreturn]] void throw_no_device_left(const std::vector<PreparedDevice>& devices);

/// Deterministic runs need devices of one kind: which of them does a tile is chance, and kinds round differently.
/// Throws Error(invalid_argument).
void require_one_kind(const std::vector<Device>& devices);

}  // namespace convoy::inline v0
