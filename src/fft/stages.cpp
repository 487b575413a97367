#include "fft/stages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>

namespace convoy::inline v0 {
StagesText::StagesText(std::string& body, const std::vector<Index>& radices, TransformThreads threads,
                       Precision precision, MemoryView shared)
    : body_(body),
      radices_(radices),
      length_(std::accumulate(radices.begin(), radices.end(), Index{1}, std::multiplies<>())),
      threads_(std::move(threads)),
      shared_(std::move(shared)),
      butterfly_(body, precision == Precision::f64) {}

void StagesText::forward(const MemoryView& from, const MemoryView& to) {
  forward_but_last(from);
  const std::size_t last = num_stages() - 1;
  const MemoryView& source = last == 0 ? from : shared_;
  begin(last);
  put(last, forward_values(last, loaded(last, source)), source, to);
  end();
}

void StagesText::inverse(const MemoryView& from, const MemoryView& to) {
  const std::size_t last = num_stages() - 1;
  begin(last);
  put(last, inverse_values(last, loaded(last, from)), from, last == 0 ? to : shared_);
  end();
  inverse_but_last(to);
}

void StagesText::forward_but_last(const MemoryView& from, const std::function<void()>& before_last_barrier) {
  for (std::size_t i = 0; i + 1 < num_stages(); ++i) {
    const MemoryView& source = i == 0 ? from : shared_;
    begin(i);
    put(i, forward_values(i, loaded(i, source)), source, shared_);
    end();
    if (i + 2 == num_stages() && before_last_barrier) before_last_barrier();
    barrier();
  }
}

void StagesText::inverse_but_last(const MemoryView& to) {
  for (std::size_t i = num_stages() - 1; i-- > 0;) {
    barrier();
    begin(i);
    put(i, inverse_values(i, loaded(i, shared_)), shared_, i == 0 ? to : shared_);
    end();
  }
}

void StagesText::round_trip(const MemoryView& data, const SpectrumOp& change) {
  const std::size_t last = num_stages() - 1;
  const auto memory = [&](std::size_t stage) -> const MemoryView& { return stage == 0 ? data : shared_; };
  const bool together = change.loads_together;
  const bool ahead =
      together && last > 0 && num_butterflies(last) * std::max<Index>(1, threads_.num_transforms) <= threads_.count;
  const Index radix = radices_[last];
  const auto declare_all = [&] {
    for (Index j = 0; j < radix; ++j) body_ += change.declare(j);
  };
  const auto load_all = [&] {
    if (change.make_all) return change.make_all();
    body_ += change.begin;
    for (Index j = 0; j < radix; ++j) body_ += change.load(j, stride(last));
  };
  if (ahead) declare_all();
  forward_but_last(data, [&] {
    if (!ahead) return;
    begin(last);
    load_all();
    end();
  });
  begin(last);
  if (together && !ahead) {
    declare_all();
    load_all();
  }
  std::vector<ComplexName> values = forward_values(last, loaded(last, memory(last)));
  if (!together) body_ += change.begin;
  body_ += "// times the spectrum, frequency by frequency\n";
  for (Index j = 0; j < radix; ++j) {
    if (!together) body_ += change.declare(j) + change.load(j, stride(last));
    ComplexName& value = values[static_cast<std::size_t>(j)];
    value = change.apply(value, j);
  }
  put(last, inverse_values(last, values), memory(last), memory(last));
  end();
  inverse_but_last(data);
}

/// Of the sub-transforms that the stage splits.
Index StagesText::sub_length(std::size_t stage) const {
  Index length = length_;
  for (std::size_t i = 0; i < stage; ++i) length /= radices_[i];
  return length;
}

Index StagesText::first_root(std::size_t stage) const {
  Index first = 0;
  for (std::size_t i = 0; i < stage; ++i) first += stride(i);
  return first;
}

/// Loop over the butterflies of the stage: `at` is the first element, `n` its place in the sub-transform.
void StagesText::begin(std::size_t stage) {
  const Index butterflies = num_butterflies(stage);
  body_ += fmt::format("// stage {} of {}: radix {}, stride {}, {} butterflies of {} threads\n", stage + 1,
                       num_stages(), radices_[stage], stride(stage), butterflies, threads_.count);
  if (threads_.num_transforms > 0) {
    const bool along = stage == 0 && threads_.first_stage_along;
    const Index inner = along ? butterflies : threads_.num_transforms;
    body_ += fmt::format("for (uint t = {}; t < {}u; t += {}u) {{\n", threads_.number,
                         butterflies * threads_.num_transforms, threads_.count);
    body_ +=
        fmt::format("uint {0} = t % {2}u;\nuint {1} = t / {2}u;\n", along ? "b" : "line", along ? "line" : "b", inner);
  } else if (butterflies == threads_.count && !threads_.some_idle) {
    body_ += fmt::format("{{\nuint b = {};\n", threads_.number);
  } else {
    body_ += fmt::format("for (uint b = {}; b < {}u; b += {}u) {{\n", threads_.number, butterflies, threads_.count);
  }
  if (stage == 0) {
    body_ += "uint n = b;\nuint at = b;\n";
  } else if (stride(stage) == 1) {
    body_ += fmt::format("uint n = 0u;\nuint at = b * {}u;\n", sub_length(stage));
  } else {
    body_ += fmt::format("uint n = b % {0}u;\nuint at = b / {0}u * {1}u + n;\n", stride(stage), sub_length(stage));
  }
}

std::vector<ComplexName> StagesText::loaded(std::size_t stage, const MemoryView& from) {
  body_ += from.begin(stride(stage));
  std::vector<ComplexName> values;
  for (Index j = 0; j < radices_[stage]; ++j) {
    const std::string name = fmt::format("v{}", num_loaded_++);
    body_ += from.load(name, j, stride(stage));
    values.push_back({name + ".x", name + ".y"});
  }
  if (from.loaded) body_ += from.loaded(values);
  return values;
}

void StagesText::put(std::size_t stage, const std::vector<ComplexName>& values, const MemoryView& from,
                     const MemoryView& to) {
  if (from.memory != to.memory) body_ += to.begin(stride(stage));
  for (std::size_t j = 0; j < values.size(); ++j) {
    body_ += to.store(values[j], static_cast<Index>(j), stride(stage));
  }
}

std::vector<ComplexName> StagesText::butterflies(const std::vector<ComplexName>& values, int sign) {
  body_ += fmt::format("// {} transform of {} in registers\n", sign == kForward ? "forward" : "inverse", values.size());
  return butterfly_.transform(values, sign);
}

std::vector<ComplexName> StagesText::forward_values(std::size_t stage, const std::vector<ComplexName>& values) {
  return twiddled(stage, butterflies(values, kForward), false);
}

std::vector<ComplexName> StagesText::inverse_values(std::size_t stage, const std::vector<ComplexName>& values) {
  return butterflies(twiddled(stage, values, true), kInverse);
}

/// Element k times exp(-2 pi i n k / sub_length), or its conjugate. One root is looked up; the others are its powers,
/// each the product of two about half as high, so that roundings add up to few.
std::vector<ComplexName> StagesText::twiddled(std::size_t stage, std::vector<ComplexName> values, bool conjugate) {
  if (stride(stage) == 1) return values;
  const std::string root = fmt::format("w{}", num_loaded_++);
  body_ += fmt::format("// twiddle factors: powers of exp({}2 pi i n / {})\n", conjugate ? "" : "-", sub_length(stage));
  body_ += fmt::format("real2 {} = table[table_begin + {}u + n];\n", root, first_root(stage));
  std::vector<ComplexName> powers{{}, {root + ".x", root + ".y"}};
  for (std::size_t k = 2; k < values.size(); ++k) {
    powers.push_back(butterfly_.multiply(powers[k / 2], powers[k - k / 2], false));
  }
  for (std::size_t k = 1; k < values.size(); ++k) values[k] = butterfly_.multiply(values[k], powers[k], conjugate);
  return values;
}

}  // namespace convoy::inline v0
