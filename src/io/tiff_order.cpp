#include "io/tiff_order.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace convoy::io {

std::vector<Index> pages_in_order_of(const std::vector<FileAxis>& axes) {
  std::vector<Index> order;
  order.reserve(static_cast<std::size_t>(num_planes_of(axes)));
  const auto page_of = [&](Index time, Index channel, Index z) {
    Index page = 0;
    for (const FileAxis& axis : axes) {
      page = page * axis.extent + (axis.name == 'T' ? time : axis.name == 'C' ? channel : z);
    }
    return page;
  };
  for (Index time = 0; time < extent_of(axes, 'T'); ++time) {
    for (Index channel = 0; channel < extent_of(axes, 'C'); ++channel) {
      for (Index z = 0; z < extent_of(axes, 'Z'); ++z) order.push_back(page_of(time, channel, z));
    }
  }
  return order;
}

std::vector<Index> pages_of_runs(const std::vector<FileAxis>& axes, const std::vector<PlaneRun>& runs, Index num_pages,
                                 std::string& why_not) {
  const std::vector<Index> sequence = pages_in_order_of(axes);
  const auto num_planes = static_cast<Index>(sequence.size());
  std::vector<Index> planes_in_sequence(sequence.size());  // as pages would follow one another
  for (std::size_t plane = 0; plane < sequence.size(); ++plane) {
    planes_in_sequence[static_cast<std::size_t>(sequence[plane])] = static_cast<Index>(plane);
  }
  const Index channels = extent_of(axes, 'C');
  const Index planes = extent_of(axes, 'Z');
  std::vector<Index> order(sequence.size(), -1);
  std::vector<bool> taken(static_cast<std::size_t>(num_pages));
  for (const PlaneRun& run : runs) {
    const bool inside = run.time >= 0 && run.time < extent_of(axes, 'T') && run.channel >= 0 &&
                        run.channel < channels && run.z >= 0 && run.z < planes && run.page >= 0 &&
                        run.page < num_pages && run.count >= 0 && run.count <= num_planes;
    if (!inside) {
      why_not = fmt::format("its description places planes beyond the {} that there are", num_planes);
      return order;
    }
    const Index first = sequence[static_cast<std::size_t>((run.time * channels + run.channel) * planes + run.z)];
    const Index count = run.count == 0 ? num_planes - first : run.count;
    for (Index i = 0; i < count; ++i) {
      const Index page = run.page + i;
      if (first + i >= num_planes || page >= num_pages || taken[static_cast<std::size_t>(page)]) {
        why_not = fmt::format("its description places plane {} on page {}, which is {}", first + i + 1, page + 1,
                              page < num_pages && first + i < num_planes ? "another plane's" : "beyond the last");
        return order;
      }
      taken[static_cast<std::size_t>(page)] = true;
      order[static_cast<std::size_t>(planes_in_sequence[static_cast<std::size_t>(first + i)])] = page;
    }
  }
  if (const auto missing = std::count(order.begin(), order.end(), -1); missing > 0) {
    why_not = fmt::format("its description names the pages of {} planes of {}", num_planes - missing, num_planes);
  }
  return order;
}

}  // namespace convoy::io
