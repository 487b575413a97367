// What one copy of a driver moves between host and device memory.
#pragma once

#include <cstdint>

#include "backends/backend.hpp"

namespace convoy::backend::gpu {

/// Rows of bytes, so far apart on either side.
struct Rectangle {
  std::uint64_t width_bytes = 0;
  std::uint64_t rows = 1;
  std::uint64_t host_pitch_bytes = 0;
  std::uint64_t slot_pitch_bytes = 0;

  bool is_line() const { return rows == 1 || (host_pitch_bytes == width_bytes && slot_pitch_bytes == width_bytes); }
};

/// Calls move(rectangle, host_offset, slot_offset) for as few rectangles as the box has: one where rows or planes
/// follow each other without gaps, else one a plane.
template <class Move>
void for_each_rectangle(const HostBox& box, const Move& move) {
  auto [width, rows, planes] = box.extent;
  auto [host_row, host_plane] = box.host_pitch_bytes;
  auto [slot_row, slot_plane] = box.slot_pitch_bytes;
  const bool rows_touch = rows == 1 || (host_row == width && slot_row == width);
  if (rows_touch) {
    width *= rows;
    rows = planes;
    host_row = host_plane;
    slot_row = slot_plane;
    planes = 1;
  } else if (host_plane == rows * host_row && slot_plane == rows * slot_row) {
    rows *= planes;
    planes = 1;
  }
  for (std::uint64_t plane = 0; plane < planes; ++plane) {
    move(Rectangle{width, rows, host_row, slot_row}, plane * host_plane, box.slot_offset + plane * slot_plane);
  }
}

}  // namespace convoy::backend::gpu
