// The largest differences that a suite has seen, by kind of check. The file that CONVOY_TEST_JSON names gets them when
// the program ends: tests/results keeps the last ones, docs/trust.md shows them.
#pragma once

#include <string>
#include <vector>

#include "convoy/convoy.hpp"

namespace convoy::test {

struct DifferenceKind {
  std::string check;  ///< "in tiles", "adjoint law" ...
  Path path;          ///< of the plan
  Precision precision = Precision::f32;
};

/// Fails unless `difference` to the truth is at most `tolerance`.
void check_difference(const DifferenceKind& kind, double difference, double tolerance);

/// Fails unless `output` of the device under test is the CPU's of the same problem, to tolerances::between_devices.
/// Does nothing where the device is the CPU, or the machine has no FFTW.
template <class Real>
void check_difference_from_cpu(const DifferenceKind& kind, const ConvolutionSpec& spec, const PlanOptions& plan,
                               const std::vector<Real>& image, const std::vector<Real>& kernel,
                               const std::vector<Real>& output);

}  // namespace convoy::test
