// The loops of direct_rows.hpp, compiled once for each set of instructions: by files that define CONVOY_VECTORS, the
// name of its namespace, and CONVOY_VECTOR_BYTES. Nothing of the standard library may be used here: an inline function
// that is compiled for AVX-512 might become the one that the whole program calls.
#include "backends/cpu/direct_rows.hpp"

namespace convoy::backend::cpu::CONVOY_VECTORS {
namespace {

using Index = std::int64_t;

template <class Real>
struct Vector {
  typedef Real Type __attribute__((vector_size(CONVOY_VECTOR_BYTES), aligned(alignof(Real)), may_alias));
  static constexpr Index kLanes = CONVOY_VECTOR_BYTES / static_cast<Index>(sizeof(Real));
};

/// Outputs that one pass over the taps makes: kRows rows of kVectors vectors, which stay in registers.
constexpr int kRows = 2;
constexpr int kVectors = 4;

/// kNx: taps of a row where the compiler shall know, else 0.
template <class Real, int kNumRows, int kNumVectors, Index kNx>
struct Block {
  using V = typename Vector<Real>::Type;
  static constexpr Index kLanes = Vector<Real>::kLanes;

  /// image: the first voxel that the first output reads. A row of the image is read once for all output rows.
  static void run(const DirectRows<Real>& task, const Real* image, const Real* before, Real* result) {
    V sum[kNumRows][kNumVectors];
    for (int r = 0; r < kNumRows; ++r) {
      for (int v = 0; v < kNumVectors; ++v) {
        sum[r][v] = before != nullptr ? *reinterpret_cast<const V*>(before + r * task.row + v * kLanes) : V{};
      }
    }
    const Index nx = kNx > 0 ? kNx : task.size[0], ny = task.size[1], nz = task.size[2];
    for (Index z = 0; z < nz; ++z) {
      for (Index row = 0; row < ny + kNumRows - 1; ++row) {
        const Real* from = image + z * task.plane + row * task.row;
        // Output row r reads it with the taps of row ny - 1 - (row - r).
        const Real* taps[kNumRows];
        bool reads[kNumRows];
        for (int r = 0; r < kNumRows; ++r) {
          const Index y = ny - 1 - row + r;
          reads[r] = y >= 0 && y < ny;
          taps[r] = task.taps + ((nz - 1 - z) * ny + y) * nx + nx - 1;
        }
        bool all_read = true;
        for (int r = 0; r < kNumRows; ++r) all_read = all_read && reads[r];
        if (all_read) {
          for (Index x = 0; x < nx; ++x) {
            V voxels[kNumVectors];
            for (int v = 0; v < kNumVectors; ++v) voxels[v] = *reinterpret_cast<const V*>(from + x + v * kLanes);
            for (int r = 0; r < kNumRows; ++r) {
              for (int v = 0; v < kNumVectors; ++v) sum[r][v] += taps[r][-x] * voxels[v];
            }
          }
          continue;
        }
        for (int r = 0; r < kNumRows; ++r) {
          if (!reads[r]) continue;
          for (Index x = 0; x < nx; ++x) {
            for (int v = 0; v < kNumVectors; ++v) {
              sum[r][v] += taps[r][-x] * *reinterpret_cast<const V*>(from + x + v * kLanes);
            }
          }
        }
      }
    }
    for (int r = 0; r < kNumRows; ++r) {
      for (int v = 0; v < kNumVectors; ++v) *reinterpret_cast<V*>(result + r * task.row + v * kLanes) = sum[r][v];
    }
  }
};

/// One output.
template <class Real>
Real output(const DirectRows<Real>& task, const Real* image, Real before) {
  Real sum = before;
  const Index nx = task.size[0], ny = task.size[1], nz = task.size[2];
  for (Index z = 0; z < nz; ++z) {
    for (Index y = 0; y < ny; ++y) {
      const Real* from = image + z * task.plane + y * task.row;
      const Real* taps = task.taps + ((nz - 1 - z) * ny + ny - 1 - y) * nx + nx - 1;
      for (Index x = 0; x < nx; ++x) sum += taps[-x] * from[x];
    }
  }
  return sum;
}

template <class Real, int kNumRows, Index kNx>
void rows_together(const DirectRows<Real>& task, const Real* image, Real* result) {
  constexpr Index kLanes = Vector<Real>::kLanes;
  const Index count = task.count[0];
  if (count < kLanes) {
    for (int r = 0; r < kNumRows; ++r) {
      for (Index x = 0; x < count; ++x) {
        Real& to = result[r * task.row + x];
        to = output(task, image + r * task.row + x, task.adds ? to : Real(0));
      }
    }
    return;
  }
  // The last vector overlaps others; what it adds to is kept before they are written.
  const Index last = count - kLanes;
  Real at_end[kNumRows * kLanes];
  for (int r = 0; r < kNumRows; ++r) {
    for (Index i = 0; i < kLanes; ++i) at_end[r * kLanes + i] = task.adds ? result[r * task.row + last + i] : Real(0);
  }
  Index x = 0;
  for (; x + kVectors * kLanes <= count; x += kVectors * kLanes) {
    Block<Real, kNumRows, kVectors, kNx>::run(task, image + x, task.adds ? result + x : nullptr, result + x);
  }
  for (; x + kLanes <= count; x += kLanes) {
    Block<Real, kNumRows, 1, kNx>::run(task, image + x, task.adds ? result + x : nullptr, result + x);
  }
  if (x == count) return;
  if (!task.adds) {
    Block<Real, kNumRows, 1, kNx>::run(task, image + last, nullptr, result + last);
    return;
  }
  for (int r = 0; r < kNumRows; ++r) {
    for (Index i = 0; i < kLanes; ++i) result[r * task.row + last + i] = at_end[r * kLanes + i];
  }
  Block<Real, kNumRows, 1, kNx>::run(task, image + last, result + last, result + last);
}

template <class Real, Index kNx>
void rows_of(const DirectRows<Real>& task, Index begin, Index end) {
  const Index rows = task.count[1];
  for (Index i = begin; i < end;) {
    const Index y = i % rows;
    const Index at = i / rows * task.plane + y * task.row;
    if (i + 1 < end && y + 1 < rows) {
      rows_together<Real, kRows, kNx>(task, task.image + at, task.result + at);
      i += kRows;
    } else {
      rows_together<Real, 1, kNx>(task, task.image + at, task.result + at);
      ++i;
    }
  }
}

}  // namespace

template <class Real>
void run(const DirectRows<Real>& task, Index begin, Index end) {
  switch (task.size[0]) {
    case 1:
      return rows_of<Real, 1>(task, begin, end);
    case 3:
      return rows_of<Real, 3>(task, begin, end);
    case 5:
      return rows_of<Real, 5>(task, begin, end);
    case 7:
      return rows_of<Real, 7>(task, begin, end);
    default:
      return rows_of<Real, 0>(task, begin, end);
  }
}

template void run(const DirectRows<float>&, Index, Index);
template void run(const DirectRows<double>&, Index, Index);

}  // namespace convoy::backend::cpu::CONVOY_VECTORS
