#include "backends/vulkan/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "backends/vkfft/self_test.hpp"
#include "backends/vulkan/recorder.hpp"
#include "base/disk_cache.hpp"

namespace convoy::backend::vulkan {
namespace {

constexpr std::uint64_t kGuardBytes = 4096;
constexpr std::uint32_t kGuard = 0xA5A5A5A5;
constexpr std::uint32_t kPoison = 0xFFFFFFFF;  // a NaN in f32 and f64

std::size_t index(int i) { return static_cast<std::size_t>(i); }

template <class StepType>
std::vector<const StepType*> steps_of(const Program& program) {
  std::vector<const StepType*> found;
  for (const Section section : kSections) {
    for (const Step& step : program.steps(section)) {
      if (const auto* one = std::get_if<StepType>(&step)) found.push_back(one);
    }
  }
  return found;
}

bool has_external_slots(const Program& program) {
  return std::any_of(program.slots.begin(), program.slots.end(), [](const Slot& slot) { return slot.external; });
}

bool is_downloaded(const Program& program, PortId port) {
  const auto downloads = steps_of<Download>(program);
  return std::any_of(downloads.begin(), downloads.end(), [&](const Download* step) { return step->port == port; });
}

}  // namespace

VulkanSession::VulkanSession(std::shared_ptr<VulkanDevice> device, const Program& program, const LoadOptions& options)
    : device_(std::move(device)),
      program_(program),
      options_(options),
      memory_(device_->account(), device_->physical().memory, device_->physical().heap(), options.trace_memory),
      make_(device_->physical(), device_->handle(), memory_),
      queue_(*device_) {
  const ChargeTo charge(memory_);
  try {
    load();
  } catch (...) {
    release();
    throw;
  }
}

VulkanSession::~VulkanSession() {
  const ChargeTo charge(memory_);
  release();
}

void VulkanSession::load() {
  require_memory();
  make_descriptors();
  make_slots();
  make_ports();
  plan_transforms();
  test_convolutions();
  if (options_.sentinels) fill_sentinels();
  fill_contents();
  record_sections();
}

/// Commands still running are waited for; a lost device answers at once.
void VulkanSession::release() noexcept {
  try {
    drain_external();
  } catch (const Error&) {  // the device is lost: there is nothing to wait for
  }
  for (const Set& set : sets_) {
    const VkFence fence = set.fence.get();
    if (set.in_flight) device_->wait_for(fence);
  }
  sets_.clear();
  kernel_transforms_.clear();
  convolutions_.clear();
  ports_.clear();
  slots_.clear();
  bound_kernels_.clear();
  kernels_.clear();
  descriptors_ = {};
  memory_.destroy_leftovers(device_->handle());
}

/// A software device's memory is the machine's, which is promised before it is there.
void VulkanSession::require_memory() const {
  for (const Slot& slot : program_.slots) {
    const std::uint64_t most = device_->physical().properties.limits.maxStorageBufferRange;
    if (slot.bytes <= most) continue;
    if (slot.external) {
      throw Error(Errc::unsupported,
                  fmt::format("{}: {} has {} bytes, but a kernel sees at most {} of a buffer; run it in parts, or from "
                              "host memory with a Convolver",
                              id(), slot.name, slot.bytes, most));
    }
    throw OutOfMemory(
        fmt::format("{}: slot {} has {} bytes, but a kernel sees at most {} of a buffer; use smaller tiles", id(),
                    slot.name, slot.bytes, most),
        slot.bytes, most, "largest binding");
  }
  if (device_->info().type != DeviceType::software) return;
  const std::uint64_t needed = program_.footprint_bytes();
  if (needed > device_->limits().free_bytes) throw make_.out_of_memory("the program", needed);
}

void VulkanSession::make_descriptors() {
  std::set<std::pair<const KernelSpec*, std::vector<SlotId>>> bindings;
  for (const Dispatch* step : steps_of<Dispatch>(program_)) bindings.emplace(&*step->kernel, step->slots);
  auto num_in_flight = static_cast<std::uint32_t>(steps_of<Convolve>(program_).size() + 1) * 2;
  std::uint32_t num_buffers = num_in_flight * 2;
  for (const auto& [kernel, slots] : bindings) {
    num_in_flight += 1;
    num_buffers += static_cast<std::uint32_t>(slots.size());
  }
  const auto copies = static_cast<std::uint32_t>(program_.num_in_flight);
  const VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, num_buffers * copies};
  VkDescriptorPoolCreateInfo descriptors{};
  descriptors.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO;
  descriptors.maxSets = num_in_flight * copies;
  descriptors.poolSizeCount = 1;
  descriptors.pPoolSizes = &size;
  VkDescriptorPool descriptor_pool = VK_NULL_HANDLE;
  check(vkCreateDescriptorPool(device_->handle(), &descriptors, nullptr, &descriptor_pool),
        "creating a descriptor pool", id());
  descriptors_ = {device_->handle(), descriptor_pool};

  sets_.resize(index(program_.num_in_flight));
  for (Set& set : sets_) set.fence = make_fence(device_->handle(), id());
}

void VulkanSession::make_slots() {
  for (const Slot& slot : program_.slots) {
    auto& copies = slots_.emplace_back();
    if (slot.external) continue;
    for (int set = 0; set < (slot.per_tile_in_flight ? program_.num_in_flight : 1); ++set) {
      copies.push_back(make_.on_device(slot.name, slot.bytes + (options_.sentinels ? kGuardBytes : 0)));
    }
  }
  if (options_.sentinels) fill_sentinels();
}

void VulkanSession::make_ports() {
  for (std::size_t id = 0; id < program_.ports.size(); ++id) {
    const Port& port = program_.ports[id];
    const HostUse use = is_downloaded(program_, static_cast<PortId>(id)) ? HostUse::reads : HostUse::writes;
    auto& copies = ports_.emplace_back();
    for (int set = 0; set < (port.section == Section::setup ? 1 : program_.num_in_flight); ++set) {
      copies.push_back(make_.on_host(port.name, port.bytes, use));
    }
  }
}

VkBuffer VulkanSession::slot(SlotId slot, int set) const {
  const auto& copies = slots_.at(index(slot));
  return copies.at(copies.size() == 1 ? 0 : index(set)).get();
}

void VulkanSession::plan_transforms() {
  memory_.set_purpose("tables of VkFFT");
  try {
    for (const TransformKernel* step : steps_of<TransformKernel>(program_)) kernel_transform(*step, 0);
    for (int set = 0; set < program_.num_in_flight; ++set) {
      for (const Convolve* step : steps_of<Convolve>(program_)) {
        if (step->part != Convolve::Part::product) convolution(*step, set);  // that is an element-wise kernel
      }
    }
  } catch (const OutOfMemory&) {
    throw make_.out_of_memory("tables of VkFFT", memory_.refused_bytes());
  }
}

Transform& VulkanSession::kernel_transform(const TransformKernel& step, int set) {
  const TileBuffers buffers{.image = {}, .work = {}, .spectrum = slot(step.spectrum, set)};
  for (const PlannedConvolution& known : kernel_transforms_) {
    if (known.geometry == step.geometry && known.buffers == buffers) return *known.transform;
  }
  auto transform = make_kernel_transform(planning_handles(), step.geometry, buffers.spectrum);
  kernel_transforms_.push_back({step.geometry, false, buffers, std::move(transform)});
  return *kernel_transforms_.back().transform;
}

Transform& VulkanSession::convolution(const Convolve& step, int set) {
  // Parts of one transform share it, whatever the spectrum.
  const bool whole = step.part == Convolve::Part::whole;
  const TileBuffers buffers{slot(step.image, set), slot(step.work, set),
                            whole ? slot(step.spectrum, set) : VkBuffer(VK_NULL_HANDLE)};
  for (const PlannedConvolution& known : convolutions_) {
    if (known.geometry == step.geometry && known.conjugate == step.conjugate && known.buffers == buffers) {
      return *known.transform;
    }
  }
  const Dispatch multiply = multiply_step(step);
  auto transform = make_convolution(planning_handles(), step.geometry, step.conjugate, buffers,
                                    [this, multiply, set](VkCommandBuffer commands) {
                                      record_barrier(commands);
                                      record(commands, multiply, set);
                                      record_barrier(commands);
                                    });
  convolutions_.push_back({step.geometry, step.conjugate, buffers, std::move(transform)});
  return *convolutions_.back().transform;
}

PlanningHandles VulkanSession::planning_handles() const {
  return {.physical_device = device_->physical().handle,
          .device = device_->handle(),
          .queue = device_->queue(),
          .command_pool = queue_.pool(),
          .fence = queue_.fence(),
          .pipeline_cache = device_->pipeline_cache(),
          .coalesced_bytes = device_->physical().coalesced_bytes(),
          .identity = device_identity(device_->info())};
}

void VulkanSession::test_convolutions() {
  std::set<const Transform*> tested;  // with the spectrum of the step that each was planned for
  for (const Convolve* convolve : steps_of<Convolve>(program_)) {
    if (convolve->part == Convolve::Part::product || !tested.insert(&convolution(*convolve, 0)).second) continue;
    for (const TransformKernel* kernel : steps_of<TransformKernel>(program_)) {
      if (kernel->geometry == convolve->geometry && kernel->spectrum == convolve->spectrum) {
        test_convolution(*convolve, *kernel);
      }
    }
  }
}

void VulkanSession::test_convolution(const Convolve& convolve, const TransformKernel& kernel) {
  const FftGeometry& g = convolve.geometry;
  const auto set_slot = [&](VkBuffer buffer, std::uint64_t bytes, const std::vector<Impulse>& impulses) {
    queue_.run_once([&](VkCommandBuffer commands) {
      vkCmdFillBuffer(commands, buffer, 0, bytes, 0);
      record_barrier(commands);
      for (const Impulse& impulse : impulses) {
        const auto single = static_cast<float>(impulse.value);
        const void* const value = g.precision == Precision::f32 ? static_cast<const void*>(&single) : &impulse.value;
        vkCmdUpdateBuffer(commands, buffer, impulse.index * g.real_bytes(), g.real_bytes(), value);
      }
    });
  };
  const VkBuffer image = slot(convolve.image, 0);
  require_self_test(
      fmt::format("{} ({}, {})", id(), device_->info().name, device_->info().driver), g, convolve.conjugate,
      {.set_image = [&](const auto& impulses) { set_slot(image, g.image_bytes(), impulses); },
       .set_spectrum =
           [&](const auto& impulses) { set_slot(slot(convolve.spectrum, 0), g.spectrum_bytes(), impulses); },
       .poison_work =
           [&] {
             queue_.run_once([&](VkCommandBuffer commands) {
               vkCmdFillBuffer(commands, slot(convolve.work, 0), 0, g.work_bytes(), kPoison);
             });
           },
       .transform_kernel = [&] { queue_.run_once([&](VkCommandBuffer commands) { record(commands, kernel, 0); }); },
       .convolve =
           [&] { queue_.run_once([&](VkCommandBuffer commands) { convolution(convolve, 0).append(commands); }); },
       .read_image = [&](std::uint64_t offset,
                         std::span<std::byte> bytes) { queue_.read(make_, image, offset, bytes); }});
}

void VulkanSession::record_sections() {
  for (const Section section : kSections) {
    if (section == Section::run && has_external_slots(program_)) continue;  // when the caller's buffers are known
    for (int set = 0; set < (section == Section::setup ? 1 : program_.num_in_flight); ++set) {
      sets_[index(set)].sections[static_cast<std::size_t>(section)] = record_section(section, set);
    }
  }
}

VkCommandBuffer VulkanSession::record_section(Section section, int set) {
  const VkCommandBuffer commands = queue_.begin();
  for (const Step& step : program_.steps(section)) {
    record_barrier(commands);
    std::visit([&](const auto& known) { record(commands, known, set); }, step);
  }
  record_host_barrier(commands);
  queue_.end(commands);
  return commands;
}

void VulkanSession::fill_contents() {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const auto& contents = program_.slots[i].contents;
    if (!contents) continue;
    const Buffer staging = make_.on_host(program_.slots[i].name, contents->size(), HostUse::writes);
    std::copy(contents->begin(), contents->end(), staging.mapped());
    const VkBufferCopy region{0, 0, contents->size()};
    queue_.run_once([&](VkCommandBuffer commands) {
      for (const Buffer& buffer : slots_[i]) vkCmdCopyBuffer(commands, staging.get(), buffer.get(), 1, &region);
    });
  }
}

void VulkanSession::fill_sentinels() {
  queue_.run_once([&](VkCommandBuffer commands) {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      const std::uint64_t bytes = program_.slots[i].bytes;
      for (const Buffer& buffer : slots_[i]) {
        if (bytes > 0) vkCmdFillBuffer(commands, buffer.get(), 0, bytes, kPoison);
        vkCmdFillBuffer(commands, buffer.get(), bytes, kGuardBytes, kGuard);
      }
    }
  });
}

void VulkanSession::check_sentinels() {
  if (!options_.sentinels) return;
  drain_external();
  const ChargeTo charge(memory_);
  std::vector<std::uint32_t> guard(kGuardBytes / sizeof(std::uint32_t));
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    for (const Buffer& buffer : slots_[i]) {
      queue_.read(make_, buffer.get(), program_.slots[i].bytes, std::as_writable_bytes(std::span(guard)));
      if (std::all_of(guard.begin(), guard.end(), [](std::uint32_t word) { return word == kGuard; })) continue;
      throw Error(Errc::device_lost,
                  fmt::format("slot '{}' ({} bytes) was written past its end on {}; this is a defect of convoy, please "
                              "report it with this plan",
                              program_.slots[i].name, program_.slots[i].bytes, id()));
    }
  }
}

std::byte* VulkanSession::port(PortId port, int set) {
  const auto& copies = ports_.at(index(port));
  return copies.at(copies.size() == 1 ? 0 : index(set)).mapped();
}

void VulkanSession::submit(Section section, int number, int times) {
  Set& set = sets_.at(index(number));
  const VkCommandBuffer commands = set.sections[static_cast<std::size_t>(section)];
  if (commands == VK_NULL_HANDLE) {
    throw Error(Errc::invalid_argument,
                fmt::format("section {} was submitted, which the program does not have or has ended", name(section)));
  }
  queue_.submit(commands, set.fence.get(), times);
  set.in_flight = true;
}

void VulkanSession::wait(int number) {
  drain_external();
  Set& set = sets_.at(index(number));
  if (!set.in_flight) return;
  queue_.wait(set.fence.get());
  set.in_flight = false;
}

void VulkanSession::end_setup() {
  const ChargeTo charge(memory_);
  VkCommandBuffer& setup = sets_.front().sections[static_cast<std::size_t>(Section::setup)];
  if (setup != VK_NULL_HANDLE) queue_.release(setup);
  setup = VK_NULL_HANDLE;
  kernel_transforms_.clear();
  for (std::size_t id = 0; id < program_.ports.size(); ++id) {
    if (program_.ports[id].section == Section::setup) ports_[id].clear();
  }
}

void VulkanSession::record(VkCommandBuffer commands, const Upload& step, int set) {
  const auto& copies = ports_.at(index(step.port));
  record_upload(commands, step, copies.at(copies.size() == 1 ? 0 : index(set)).get(), slot(step.slot, set));
}

void VulkanSession::record(VkCommandBuffer commands, const Download& step, int set) {
  const auto& copies = ports_.at(index(step.port));
  record_download(commands, step, copies.at(copies.size() == 1 ? 0 : index(set)).get(), slot(step.slot, set));
}

void VulkanSession::record(VkCommandBuffer commands, const Clear& step, int set) {
  const Slot& cleared = program_.slots.at(index(step.slot));
  if (cleared.bytes == 0) return;
  const ExternalBuffer at = cleared.external ? external_.at(index(step.slot)) : ExternalBuffer{slot(step.slot, set), 0};
  vkCmdFillBuffer(commands, at.buffer, at.offset_bytes, cleared.bytes, 0);
}

void VulkanSession::record(VkCommandBuffer commands, const Dispatch& step, int set) {
  const auto groups = num_groups(*step.kernel, step.threads);
  const auto& most = device_->physical().properties.limits.maxComputeWorkGroupCount;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    if (groups[axis] <= most[axis]) continue;
    throw Error(Errc::unsupported, fmt::format("{}: kernel {} needs {} workgroups on axis {}, the device takes {}",
                                               id(), step.kernel->name, groups[axis], axis, most[axis]));
  }
  kernels_.push_back(device_->kernel(*step.kernel, step.precision));
  const Kernel& kernel = *kernels_.back();
  record_dispatch(commands, kernel, *step.kernel, bind(kernel, step.slots, set), step.parameters, step.threads);
}

void VulkanSession::record(VkCommandBuffer commands, const TransformKernel& step, int set) {
  kernel_transform(step, set).append(commands);
}

void VulkanSession::record(VkCommandBuffer commands, const Convolve& step, int set) {
  switch (step.part) {
    case Convolve::Part::whole:
      return convolution(step, set).append(commands);
    case Convolve::Part::forward:
      return convolution(step, set).append_forward(commands);
    case Convolve::Part::product:
      return record(commands, product_step(step), set);
    case Convolve::Part::inverse:
      return convolution(step, set).append_inverse(commands);
  }
}

void VulkanSession::record(VkCommandBuffer, const ConvolveDirect&, int) {
  throw std::logic_error("programs for GPUs hold dispatches in place of direct convolutions");
}

}  // namespace convoy::backend::vulkan
