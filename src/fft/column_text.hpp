// The text of passes over columns, for kernels that do nothing else and for those that do rows as well.
#pragma once

#include <string>

#include "fft/passes.hpp"

namespace convoy::kernels::pass_text {

/// The text knows `outer`, the sheet, and `group`, which counts within it.
struct ColumnsText {
  const PassShape& shape;
  Precision precision = Precision::f32;
  const Columns& columns;
  bool in_planes = false;  ///< the text has awaited what it needs
};

std::string columns_forward_text(const ColumnsText& what);
std::string columns_inverse_text(const ColumnsText& what);
/// Where a product goes: back to work, to another buffer, or onto what is there.
enum class ProductPlace { in_place, apart, added };
std::string columns_product_text(const ColumnsText& what, bool conjugate, ProductPlace place);

}  // namespace convoy::kernels::pass_text
