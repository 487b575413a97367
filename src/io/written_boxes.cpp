#include "io/written_boxes.hpp"

#include <algorithm>
#include <bit>

namespace convoy::io {
namespace {

bool touch(const Box& a, const Box& b) { return count_of(intersection(a, b)) > 0; }

}  // namespace

void WrittenBoxes::clear() {
  grids_.clear();
  num_boxes_ = 0;
}

void WrittenBoxes::insert(const WrittenBox& written) {
  Logarithms logarithms{};
  Place place{written.image, 0, 0, 0};
  for (int axis = 0; axis < 3; ++axis) {
    const auto a = static_cast<std::size_t>(axis);
    logarithms[a] = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(written.box.size[axis] - 1)));
    place[a + 1] = written.box.begin[axis] >> logarithms[a];
  }
  grids_[logarithms][place].push_back(written);
  ++num_boxes_;
}

void WrittenBoxes::filter_touching(Index image, const Box& box, const Keep& keep) {
  const Keep keep_others = [&](WrittenBox& written) {
    return written.image != image || !touch(written.box, box) || keep(written);
  };
  for (auto& [logarithms, cells] : grids_) {
    Place first{image, 0, 0, 0};
    Place last = first;
    double num_cells = 1;
    for (int axis = 0; axis < 3; ++axis) {
      const auto a = static_cast<std::size_t>(axis);
      first[a + 1] = std::max<Index>(0, (box.begin[axis] >> logarithms[a]) - 1);
      last[a + 1] = (box.begin[axis] + box.size[axis] - 1) >> logarithms[a];
      num_cells *= static_cast<double>(last[a + 1] - first[a + 1] + 1);
    }
    if (num_cells < static_cast<double>(cells.size())) {
      filter_cells(cells, first, last, keep_others);
    } else {
      for (auto& [place, boxes] : cells) filter_cell(boxes, keep_others);
    }
  }
}

void WrittenBoxes::filter(const Keep& keep) {
  for (auto& [logarithms, cells] : grids_) {
    for (auto& [place, boxes] : cells) filter_cell(boxes, keep);
  }
}

void WrittenBoxes::filter_cells(Cells& cells, const Place& first, const Place& last, const Keep& keep) {
  for (Index z = first[1]; z <= last[1]; ++z) {
    for (Index y = first[2]; y <= last[2]; ++y) {
      const auto end = cells.upper_bound({first[0], z, y, last[3]});
      for (auto cell = cells.lower_bound({first[0], z, y, first[3]}); cell != end; ++cell) {
        filter_cell(cell->second, keep);
      }
    }
  }
}

void WrittenBoxes::filter_cell(std::vector<WrittenBox>& boxes, const Keep& keep) {
  num_boxes_ -= std::erase_if(boxes, [&](WrittenBox& written) { return !keep(written); });
}

}  // namespace convoy::io
