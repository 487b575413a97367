#include "fft/butterfly.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

namespace convoy::inline v0 {
namespace {

/// The inner factor of a composite length: 4 x 4 for 16, 3 x 3 for 9, 2 x 5 for 10.
Index inner_factor(Index n) {
  Index best = n;
  for (Index factor = 2; factor * factor <= n; ++factor) {
    if (n % factor == 0) best = factor;
  }
  return best;
}

double angle_of(Index k, Index n, int sign) {
  return sign * 2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(n);
}

std::string negated(const std::string& name) { return "-" + name; }

}  // namespace

std::string ButterflyText::constant(double number) const {
  return fmt::format("{:.{}g}{}", number, is_double_ ? 20 : 10, is_double_ ? "_d" : "f");
}

std::string ButterflyText::value(const std::string& expression) {
  std::string name = fmt::format("r{}", num_values_++);
  text_ += fmt::format("real {} = {};\n", name, expression);
  return name;
}

ComplexName ButterflyText::sum(const ComplexName& a, const ComplexName& b) {
  return {value(a.x + " + " + b.x), value(a.y + " + " + b.y)};
}

ComplexName ButterflyText::difference(const ComplexName& a, const ComplexName& b) {
  return {value(a.x + " - " + b.x), value(a.y + " - " + b.y)};
}

ComplexName ButterflyText::multiply(const ComplexName& a, const ComplexName& b, bool conjugate) {
  const char* const minus = conjugate ? "+" : "-";
  const char* const plus = conjugate ? "-" : "+";
  return {value(fmt::format("{} * {} {} {} * {}", a.x, b.x, minus, a.y, b.y)),
          value(fmt::format("{} * {} {} {} * {}", a.y, b.x, plus, a.x, b.y))};
}

ComplexName ButterflyText::multiply_add(const ComplexName& a, const ComplexName& b, const ComplexName& c) {
  return {value(fmt::format("{} * {} - {} * {} + {}", a.x, b.x, a.y, b.y, c.x)),
          value(fmt::format("{} * {} + {} * {} + {}", a.y, b.x, a.x, b.y, c.y))};
}

ComplexName ButterflyText::rotate(const ComplexName& a, Index k, Index n, int sign) {
  k %= n;
  if (k == 0) return a;
  if (2 * k == n) return {value(negated(a.x)), value(negated(a.y))};
  if (4 * k == n || 4 * k == 3 * n) {
    const bool by_plus_i = (4 * k == n) == (sign > 0);
    return by_plus_i ? ComplexName{value(negated(a.y)), a.x} : ComplexName{a.y, value(negated(a.x))};
  }
  const std::string c = constant(std::cos(angle_of(k, n, sign)));
  const std::string s = constant(std::sin(angle_of(k, n, sign)));
  return {value(fmt::format("{} * ({}) - {} * ({})", a.x, c, a.y, s)),
          value(fmt::format("{} * ({}) + {} * ({})", a.y, c, a.x, s))};
}

std::vector<ComplexName> ButterflyText::transform(const std::vector<ComplexName>& x, int sign) {
  const auto n = static_cast<Index>(x.size());
  if (n == 1) return x;
  if (n == 2) return {sum(x[0], x[1]), difference(x[0], x[1])};
  const Index inner = inner_factor(n);
  return inner == n ? prime_transform(x, sign) : composite_transform(x, inner, sign);
}

/// With s_j = x_j + x_{n-j} and d_j = x_j - x_{n-j}: X_k = x_0 + sum cos(a jk) s_j + sign i sum sin(a jk) d_j.
std::vector<ComplexName> ButterflyText::prime_transform(const std::vector<ComplexName>& x, int sign) {
  const auto n = static_cast<Index>(x.size());
  const Index half = (n - 1) / 2;
  std::vector<ComplexName> sums;
  std::vector<ComplexName> differences;
  ComplexName zeroth = x[0];
  for (Index j = 1; j <= half; ++j) {
    const auto& a = x[static_cast<std::size_t>(j)];
    const auto& b = x[static_cast<std::size_t>(n - j)];
    sums.push_back(sum(a, b));
    differences.push_back(difference(a, b));
    zeroth = sum(zeroth, sums.back());
  }
  std::vector<ComplexName> result(x.size());
  result[0] = zeroth;
  for (Index k = 1; k <= half; ++k) {
    ComplexName even{x[0].x, x[0].y};
    ComplexName odd;
    for (Index j = 1; j <= half; ++j) {
      const auto at = static_cast<std::size_t>(j - 1);
      const std::string c = constant(std::cos(angle_of(j * k % n, n, 1)));
      const std::string s = constant(std::sin(angle_of(j * k % n, n, sign)));
      even = {fmt::format("{} + ({}) * {}", even.x, c, sums[at].x),
              fmt::format("{} + ({}) * {}", even.y, c, sums[at].y)};
      const char* const plus = j == 1 ? "" : " + ";
      odd = {fmt::format("{}{}({}) * {}", odd.x, plus, s, differences[at].x),
             fmt::format("{}{}({}) * {}", odd.y, plus, s, differences[at].y)};
    }
    const ComplexName e{value(even.x), value(even.y)};
    const ComplexName o{value(odd.x), value(odd.y)};
    result[static_cast<std::size_t>(k)] = {value(e.x + " - " + o.y), value(e.y + " + " + o.x)};
    result[static_cast<std::size_t>(n - k)] = {value(e.x + " + " + o.y), value(e.y + " - " + o.x)};
  }
  return result;
}

/// Cooley and Tukey: n = inner * outer, x[j + outer * i] -> X[k + inner * l].
std::vector<ComplexName> ButterflyText::composite_transform(const std::vector<ComplexName>& x, Index inner, int sign) {
  const auto n = static_cast<Index>(x.size());
  const Index outer = n / inner;
  std::vector<std::vector<ComplexName>> columns(static_cast<std::size_t>(inner));
  for (Index j = 0; j < outer; ++j) {
    std::vector<ComplexName> part;
    for (Index i = 0; i < inner; ++i) part.push_back(x[static_cast<std::size_t>(j + outer * i)]);
    const std::vector<ComplexName> done = transform(part, sign);
    for (Index k = 0; k < inner; ++k) {
      columns[static_cast<std::size_t>(k)].push_back(rotate(done[static_cast<std::size_t>(k)], j * k, n, sign));
    }
  }
  std::vector<ComplexName> result(x.size());
  for (Index k = 0; k < inner; ++k) {
    const std::vector<ComplexName> done = transform(columns[static_cast<std::size_t>(k)], sign);
    for (Index l = 0; l < outer; ++l)
      result[static_cast<std::size_t>(k + inner * l)] = done[static_cast<std::size_t>(l)];
  }
  return result;
}

}  // namespace convoy::inline v0
