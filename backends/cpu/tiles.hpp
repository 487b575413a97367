// How spectra lie in memory on the CPU: cut into small tiles, so that a pass along any axis reads and writes pieces of
// a few cache lines, and hands FFTW columns that fit the first-level cache.
#pragma once

#include <algorithm>
#include <complex>
#include <cstring>

#include "convoy/shape.hpp"

namespace convoy::backend::cpu {

/// Columns that FFTW takes side by side.
constexpr Index kTileColumns = 4;
/// Rows of a tile: 256 bytes of kTileColumns complex numbers each in single precision.
constexpr Index kTileRows = 8;

/// A plane of rows x row_length complex numbers. kTileRows rows make a band, which takes the place that these rows
/// would take one after the other. In a band, tile follows tile along x; in a tile, row follows row. The last band may
/// have fewer rows, and the last tile of a band fewer columns.
struct TiledPlane {
  Index rows = 1;
  Index row_length = 1;
  Index row_pitch = 1;

  Index size() const { return rows * row_pitch; }
  Index num_bands() const { return (rows + kTileRows - 1) / kTileRows; }
  Index num_tiles() const { return (row_length + kTileColumns - 1) / kTileColumns; }
  Index band_rows(Index band) const { return std::min(kTileRows, rows - band * kTileRows); }
  Index tile_columns(Index tile) const { return std::min(kTileColumns, row_length - tile * kTileColumns); }
  /// Of the tile's first element in the plane.
  Index tile_offset(Index band, Index tile) const {
    return band * kTileRows * row_pitch + band_rows(band) * tile * kTileColumns;
  }
};

template <class Complex>
inline void copy(const Complex* from, Index count, Complex* to) {
  std::memcpy(static_cast<void*>(to), from, static_cast<std::size_t>(count) * sizeof(Complex));
}

/// Rows of a narrow tile to rows of kTileColumns, zeros in the columns left over.
template <class Complex>
inline void widen(const Complex* tile, Index rows, Index columns, Complex* wide) {
  if (columns == kTileColumns) return copy(tile, rows * kTileColumns, wide);
  std::fill_n(wide, rows * kTileColumns, Complex(0));
  for (Index row = 0; row < rows; ++row) copy(tile + row * columns, columns, wide + row * kTileColumns);
}

/// What widen() widened, back.
template <class Complex>
inline void narrow(const Complex* wide, Index rows, Index columns, Complex* tile) {
  if (columns == kTileColumns) return copy(wide, rows * kTileColumns, tile);
  for (Index row = 0; row < rows; ++row) copy(wide + row * kTileColumns, columns, tile + row * columns);
}

/// A band from rows side by side: element k of row r at k * stride + r.
template <class Complex>
inline void put_band(const TiledPlane& shape, const Complex* from, Index stride, Index band, Complex* plane) {
  const Index rows = shape.band_rows(band);
  for (Index tile = 0; tile < shape.num_tiles(); ++tile) {
    const Complex* source = from + tile * kTileColumns * stride;
    Complex* to = plane + shape.tile_offset(band, tile);
    const Index columns = shape.tile_columns(tile);
    if (columns == kTileColumns) {  // the same loop with a length that the compiler knows
      for (Index row = 0; row < rows; ++row) {
        for (Index c = 0; c < kTileColumns; ++c) to[row * kTileColumns + c] = source[c * stride + row];
      }
      continue;
    }
    for (Index row = 0; row < rows; ++row) {
      for (Index c = 0; c < columns; ++c) to[row * columns + c] = source[c * stride + row];
    }
  }
}

/// What put_band() put, back. Rows that the band does not have are zero.
template <class Complex>
inline void get_band(const TiledPlane& shape, const Complex* plane, Index band, Complex* to, Index stride) {
  const Index rows = shape.band_rows(band);
  for (Index tile = 0; tile < shape.num_tiles(); ++tile) {
    const Complex* from = plane + shape.tile_offset(band, tile);
    Complex* target = to + tile * kTileColumns * stride;
    const Index columns = shape.tile_columns(tile);
    for (Index c = 0; c < columns; ++c) {
      for (Index row = 0; row < rows; ++row) target[c * stride + row] = from[row * columns + c];
      for (Index row = rows; row < stride; ++row) target[c * stride + row] = Complex(0);
    }
  }
}

/// The columns of one tile, down the bands that hold the first `rows` rows, as rows of kTileColumns.
template <class Complex>
inline void get_columns(const TiledPlane& shape, const Complex* plane, Index tile, Index rows, Complex* to) {
  const Index columns = shape.tile_columns(tile);
  for (Index band = 0; band * kTileRows < rows; ++band) {
    widen(plane + shape.tile_offset(band, tile), shape.band_rows(band), columns, to + band * kTileRows * kTileColumns);
  }
}

template <class Complex>
inline void put_columns(const TiledPlane& shape, const Complex* from, Index tile, Index rows, Complex* plane) {
  const Index columns = shape.tile_columns(tile);
  for (Index band = 0; band * kTileRows < rows; ++band) {
    narrow(from + band * kTileRows * kTileColumns, shape.band_rows(band), columns,
           plane + shape.tile_offset(band, tile));
  }
}

/// The same tile of `planes` planes, cut into batches of `rows_together` rows: batch after batch, in a batch plane
/// after plane, in a plane row after row of kTileColumns. Rows left over in the last batch are zero.
struct TileColumn {
  TiledPlane plane;
  Index band = 0;
  Index tile = 0;
  Index planes = 1;  ///< of a batch, those beyond the ones that are read or written included
  Index rows_together = 1;

  Index rows() const { return plane.band_rows(band); }
  Index columns() const { return plane.tile_columns(tile); }
  Index offset(Index z) const { return z * plane.size() + plane.tile_offset(band, tile); }
  Index num_batches() const { return (rows() + rows_together - 1) / rows_together; }
  /// Whether batches can be copied to and from the tiles as they are.
  bool is_whole() const { return columns() == kTileColumns && rows() % rows_together == 0; }
  Index row_size() const { return rows_together * kTileColumns; }
  Index batch_size() const { return planes * row_size(); }
};

template <class Complex>
inline void get_batches(const TileColumn& column, const Complex* volume, Index filled, Complex* to) {
  Complex wide[kTileRows * kTileColumns];
  std::fill_n(wide, kTileRows * kTileColumns, Complex(0));
  const bool direct = column.is_whole();
  for (Index z = 0; z < filled; ++z) {
    const Complex* from = volume + column.offset(z);
    if (!direct) {
      widen(from, column.rows(), column.columns(), wide);
      from = wide;
    }
    for (Index batch = 0; batch < column.num_batches(); ++batch) {
      copy(from + batch * column.row_size(), column.row_size(),
           to + batch * column.batch_size() + z * column.row_size());
    }
  }
  for (Index batch = 0; batch < column.num_batches(); ++batch) {
    Complex* begin = to + batch * column.batch_size();
    std::fill(begin + filled * column.row_size(), begin + column.batch_size(), Complex(0));
  }
}

template <class Complex>
inline void put_batches(const TileColumn& column, const Complex* from, Index kept, Complex* volume) {
  Complex wide[kTileRows * kTileColumns];
  const bool direct = column.is_whole();
  for (Index z = 0; z < kept; ++z) {
    Complex* to = volume + column.offset(z);
    for (Index batch = 0; batch < column.num_batches(); ++batch) {
      copy(from + batch * column.batch_size() + z * column.row_size(), column.row_size(),
           (direct ? to : wide) + batch * column.row_size());
    }
    if (!direct) narrow(wide, column.rows(), column.columns(), to);
  }
}

}  // namespace convoy::backend::cpu
