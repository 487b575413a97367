// Short transforms as straight-line text, for one thread's registers.
#pragma once

#include <string>
#include <vector>

#include "convoy/shape.hpp"

namespace convoy::inline v0 {

/// Signs of the exponent.
inline constexpr int kForward = -1;
inline constexpr int kInverse = 1;

/// Names of the variables that hold a complex number.
struct ComplexName {
  std::string x;
  std::string y;
};

/// Appends statements to a kernel body; every value gets a new name, so that compilers see single assignments.
/// Constants of double precision end in _d, which the printers turn into what their language wants.
class ButterflyText {
 public:
  ButterflyText(std::string& text, bool is_double) : text_(text), is_double_(is_double) {}

  /// X[k] = sum over j of x[j] exp(sign 2 pi i j k / n). Products of 2, 3, 5, 7, 11 and 13.
  std::vector<ComplexName> transform(const std::vector<ComplexName>& x, int sign);
  /// a * exp(sign 2 pi i k / n), where the exponential is known now.
  ComplexName rotate(const ComplexName& a, Index k, Index n, int sign);
  /// a * b, or a * conj(b).
  ComplexName multiply(const ComplexName& a, const ComplexName& b, bool conjugate);
  /// a * b + c
  ComplexName multiply_add(const ComplexName& a, const ComplexName& b, const ComplexName& c);

 private:
  std::vector<ComplexName> prime_transform(const std::vector<ComplexName>& x, int sign);
  std::vector<ComplexName> composite_transform(const std::vector<ComplexName>& x, Index inner, int sign);
  ComplexName sum(const ComplexName& a, const ComplexName& b);
  ComplexName difference(const ComplexName& a, const ComplexName& b);
  std::string value(const std::string& expression);
  std::string constant(double number) const;

  std::string& text_;
  bool is_double_;
  int num_values_ = 0;
};

}  // namespace convoy::inline v0
