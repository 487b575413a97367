// For backends that open devices in a way of their own: what open_device does beside Backend::open.
#pragma once

#include <memory>
#include <string>

#include "backends/backend.hpp"

namespace convoy::backend {

/// "auto, cuda, ..."
std::string known_names();

/// Throws Error(backend_unavailable), with the reason, where the backend has no device, or none after a fork.
BackendInfo require_devices(Backend& backend);

/// As users get it: the last copy closes it, but not in a forked child, whose parent's it is.
convoy::Device handed_out(std::shared_ptr<Device> device);

}  // namespace convoy::backend
