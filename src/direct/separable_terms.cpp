#include "direct/separable_terms.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

namespace convoy::inline v0 {
namespace {

using Vector = std::vector<double>;

/// By rows.
struct Matrix {
  Index rows = 1;
  Index columns = 1;
  Vector values;

  double* row(Index i) { return values.data() + i * columns; }
  const double* row(Index i) const { return values.data() + i * columns; }
};

/// A column times a row.
struct Product {
  Vector column;
  Vector row;
};

double dot(const Vector& a, const Vector& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }
double norm(const Vector& values) { return std::sqrt(dot(values, values)); }

void subtract(const Product& product, Matrix& matrix) {
  for (Index i = 0; i < matrix.rows; ++i) {
    const double factor = product.column[static_cast<std::size_t>(i)];
    double* row = matrix.row(i);
    for (std::size_t j = 0; j < product.row.size(); ++j) row[j] -= factor * product.row[j];
  }
}

/// The row and the column of the largest element, whose product has these elements.
std::optional<Product> cross_of_largest(const Matrix& matrix) {
  const auto largest = std::max_element(matrix.values.begin(), matrix.values.end(),
                                        [](double a, double b) { return std::abs(a) < std::abs(b); });
  if (*largest == 0) return {};
  const Index place = largest - matrix.values.begin();
  const double* row = matrix.row(place / matrix.columns);
  Product product{Vector(static_cast<std::size_t>(matrix.rows)), Vector(row, row + matrix.columns)};
  for (Index i = 0; i < matrix.rows; ++i) {
    product.column[static_cast<std::size_t>(i)] = matrix.row(i)[place % matrix.columns] / *largest;
  }
  return product;
}

/// Gram-Schmidt, twice; what depends on the others goes.
void make_orthonormal(std::vector<Vector>& vectors) {
  std::vector<Vector> kept;
  for (Vector& vector : vectors) {
    const double before = norm(vector);
    for (int time = 0; time < 2; ++time) {
      for (const Vector& other : kept) {
        const double part = dot(vector, other);
        for (std::size_t i = 0; i < vector.size(); ++i) vector[i] -= part * other[i];
      }
    }
    const double length = norm(vector);
    if (!(length > 1e-14 * before)) continue;
    for (double& value : vector) value /= length;
    kept.push_back(std::move(vector));
  }
  vectors = std::move(kept);
}

/// For orthonormal columns the rows that make the best of them.
std::vector<Vector> rows_for(const Matrix& matrix, const std::vector<Vector>& columns) {
  std::vector<Vector> rows(columns.size(), Vector(static_cast<std::size_t>(matrix.columns)));
  for (Index i = 0; i < matrix.rows; ++i) {
    const double* from = matrix.row(i);
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const double factor = columns[c][static_cast<std::size_t>(i)];
      for (std::size_t j = 0; j < rows[c].size(); ++j) rows[c][j] += factor * from[j];
    }
  }
  return rows;
}

std::vector<Vector> columns_for(const Matrix& matrix, const std::vector<Vector>& rows) {
  std::vector<Vector> columns;
  for (const Vector& row : rows) {
    Vector& column = columns.emplace_back(static_cast<std::size_t>(matrix.rows));
    for (Index i = 0; i < matrix.rows; ++i) {
      column[static_cast<std::size_t>(i)] = std::inner_product(row.begin(), row.end(), matrix.row(i), 0.0);
    }
  }
  return columns;
}

/// The fewest products whose sum is the matrix but for `left_over` (a norm); empty if that takes more than `at_most`.
/// They span what the largest singular values do, to which subspace iteration converges at once from crosses.
std::vector<Product> low_rank(const Matrix& matrix, double left_over, int at_most) {
  Matrix rest = matrix;
  std::vector<Vector> columns;
  for (int rank = 1; rank <= at_most; ++rank) {
    auto cross = cross_of_largest(rest);
    if (!cross)
      cross = Product{Vector(static_cast<std::size_t>(matrix.rows)), Vector(static_cast<std::size_t>(matrix.columns))};
    subtract(*cross, rest);
    columns.push_back(cross->column);
    // A cross leaves at most a few times more than the best product would.
    if (norm(rest.values) > 100 * left_over * std::sqrt(static_cast<double>(matrix.rows))) continue;
    std::vector<Vector> refined = columns;
    make_orthonormal(refined);
    std::vector<Vector> rows = rows_for(matrix, refined);
    for (int time = 0; time < 2; ++time) {
      std::vector<Vector> orthonormal_rows = rows;
      make_orthonormal(orthonormal_rows);
      refined = columns_for(matrix, orthonormal_rows);
      make_orthonormal(refined);
      rows = rows_for(matrix, refined);
    }
    std::vector<Product> products;
    Matrix error = matrix;
    for (std::size_t i = 0; i < refined.size(); ++i) {
      products.push_back({std::move(refined[i]), std::move(rows[i])});
      subtract(products.back(), error);
    }
    if (norm(error.values) <= left_over) return products;
  }
  return {};
}

/// Factors along axes of one element become 1, so that nothing is to be done there; the longest axis takes them over.
void gather_scale(SeparableTerm& term) {
  Vector& longest = *std::max_element(term.factors.begin(), term.factors.end(),
                                      [](const Vector& a, const Vector& b) { return a.size() < b.size(); });
  for (Vector& factor : term.factors) {
    if (factor.size() > 1 || &factor == &longest) continue;
    for (double& value : longest) value *= factor.front();
    factor.front() = 1;
  }
}

}  // namespace

double separable_tolerance(Precision precision) { return precision == Precision::f32 ? 1e-7 : 5e-15; }

std::vector<SeparableTerm> separable_terms(const std::vector<double>& kernel, const std::array<Index, 3>& extent,
                                           double tolerance, int at_most) {
  const auto& [nx, ny, nz] = extent;
  const double left_over = tolerance * norm(kernel);
  const auto zeros = [](Index size) { return Vector(static_cast<std::size_t>(size)); };
  if (left_over == 0) return {{{zeros(nx), zeros(ny), zeros(nz)}}};
  std::vector<Product> planes{{{1.0}, kernel}};
  if (nz > 1) planes = low_rank({nz, ny * nx, kernel}, left_over / 2, at_most);
  std::vector<SeparableTerm> terms;
  for (const Product& plane : planes) {
    std::vector<Product> products{{{1.0}, plane.row}};
    if (ny > 1) products = low_rank({ny, nx, plane.row}, left_over / 2, at_most - static_cast<int>(terms.size()));
    if (products.empty() || static_cast<int>(terms.size() + products.size()) > at_most) return {};
    for (Product& product : products) {
      terms.push_back({{std::move(product.row), std::move(product.column), plane.column}});
      gather_scale(terms.back());
    }
  }
  return terms;
}

}  // namespace convoy::inline v0
