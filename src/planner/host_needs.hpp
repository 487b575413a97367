// Host memory of a run.
#pragma once

#include <vector>

#include "convoy/plan.hpp"
#include "planner/layout.hpp"

namespace convoy::inline v0 {

/// Boxes are read and written in slabs of about this many bytes: small enough that a run stops soon and that what
/// readers hold is little beside the box, large enough for disks.
std::uint64_t slab_bytes(std::uint64_t box_bytes);

struct HostTask {
  const ConvolutionSpec& spec;
  const Limits& limits;
  const PlanOptions& options;
};

/// In bytes.
struct HostNeeds {
  std::uint64_t device_memory = 0;  ///< where that is the machine's own
  std::uint64_t transforms = 0;     ///< there: their tables, and scratch of the threads
  std::uint64_t ports = 0;
  std::uint64_t positions = 0;  ///< of what tiles show of the image, axis by axis
  std::uint64_t boxes_read = 0;
  std::uint64_t boxes_written = 0;
  std::uint64_t records = 0;  ///< what the writer remembers of boxes
  std::uint64_t slabs = 0;    ///< parts of boxes on their way from files
  std::uint64_t sums = 0;     ///< of a folded adjoint
  std::uint64_t weights = 0;
  std::uint64_t kernel = 0;  ///< its port is gone when the boxes come: what it takes beyond them

  std::uint64_t total_bytes() const;
};

HostNeeds host_needs(const HostTask& task, const std::array<const AxisPlan*, 3>& axes, const TileLayout& layout,
                     int num_in_flight);

/// Line by line, those of 0 bytes left out.
std::vector<LedgerLine> host_ledger(const HostNeeds& needs);

}  // namespace convoy::inline v0
