// Which page of a TIFF is which plane.
#pragma once

#include <string>
#include <vector>

#include "io/tiff_description.hpp"

namespace convoy::io {

/// For each plane (time, channel, z; z fastest) the page, pages being in the order of the axes.
std::vector<Index> pages_in_order_of(const std::vector<FileAxis>& axes);

/// The same as the file's runs say. `why_not` is set, and the result not to be used, if they do not give every plane a
/// page of its own among `num_pages`.
std::vector<Index> pages_of_runs(const std::vector<FileAxis>& axes, const std::vector<PlaneRun>& runs, Index num_pages,
                                 std::string& why_not);

}  // namespace convoy::io
