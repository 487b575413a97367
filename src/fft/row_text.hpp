// The text of passes over rows, for kernels that do nothing else and for those that go on with columns.
#pragma once

#include <optional>
#include <string>

#include "fft/passes.hpp"

namespace convoy::kernels::pass_text {

/// The names by which the text knows a thread.
struct RowLanes {
  std::string thread = "local_x";  ///< its number among those of a pair of rows
  std::string pair = "local_y";    ///< of the workgroup's
  /// Some threads have no pair; their number is beyond every row's length.
  bool some_idle = false;
  std::string barrier = "group_barrier()";  ///< of the pair's threads at least
};

struct RowsText {
  const PassShape& shape;
  Precision precision = Precision::f32;
  const Rows& rows;
  RowLanes lanes{};
  std::optional<Placement> place{};
  /// The text knows `plane`, and `group` counts within it; it has awaited what it needs. Else `group` counts in all.
  bool in_planes = false;
};

KernelBuffer image_buffer(const Rows& rows, bool writable);
KernelBuffer work_buffer(const Rows& rows, bool writable);

std::string rows_forward_text(const RowsText& what);
std::string rows_inverse_text(const RowsText& what, double scale);

}  // namespace convoy::kernels::pass_text
