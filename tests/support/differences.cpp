#include "support/differences.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>

#include "selftest/oracle.hpp"
#include "selftest/tolerances.hpp"
#include "support/device_under_test.hpp"

namespace convoy::test {
namespace {

using nlohmann::ordered_json;

struct Seen {
  double tolerance = 0;
  Index num_checks = 0;
  double largest = 0;
  double tolerance_from_cpu = 0;
  std::optional<double> largest_from_cpu = {};
};

std::string date_today() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  char text[sizeof "2000-01-01"];
  return std::strftime(text, sizeof text, "%Y-%m-%d", std::gmtime(&now)) > 0 ? text : "";
}

/// Written when the program ends.
class Record {
 public:
  ~Record() {
    const char* path = std::getenv("CONVOY_TEST_JSON");
    if (path != nullptr && *path != '\0' && !seen_.empty()) std::ofstream(path) << to_json().dump(2) << '\n';
  }

  Seen& of(const DifferenceKind& kind) { return seen_[{kind.check, name(kind.precision), name(kind.path)}]; }

 private:
  ordered_json to_json() const {
    ordered_json checks = ordered_json::array();
    for (const auto& [kind, seen] : seen_) {
      ordered_json check{{"check", std::get<0>(kind)},    {"precision", std::get<1>(kind)}, {"path", std::get<2>(kind)},
                         {"num_checks", seen.num_checks}, {"tolerance", seen.tolerance},    {"largest", seen.largest}};
      if (seen.largest_from_cpu) {
        check["tolerance_from_cpu"] = seen.tolerance_from_cpu;
        check["largest_from_cpu"] = *seen.largest_from_cpu;
      }
      checks.push_back(std::move(check));
    }
    return {{"device", {{"id", device_.id}, {"name", device_.name}, {"driver", device_.driver}}},
            {"date", date_today()},
            {"commit", CONVOY_COMMIT},
            {"checks", std::move(checks)}};
  }

  DeviceInfo device_ = device_under_test().info();
  std::map<std::tuple<std::string, std::string, std::string>, Seen> seen_;
};

Seen& seen_of(const DifferenceKind& kind) {
  static Record record;
  return record.of(kind);
}

std::optional<Device> cpu_beside() {
  static const std::optional<Device> cpu = []() -> std::optional<Device> {
    if (device_under_test().info().id.starts_with("cpu")) return {};
    try {
      return open_device("cpu");
    } catch (const Error&) {
      return {};
    }
  }();
  return cpu;
}

}  // namespace

void check_difference(const DifferenceKind& kind, double difference, double tolerance) {
  Seen& seen = seen_of(kind);
  ++seen.num_checks;
  seen.tolerance = tolerance;
  seen.largest = std::max(seen.largest, difference);
  CAPTURE(kind.check);
  CAPTURE(name(kind.path));
  CHECK(difference <= tolerance);
}

template <class Real>
void check_difference_from_cpu(const DifferenceKind& kind, const ConvolutionSpec& spec, const PlanOptions& plan,
                               const std::vector<Real>& image, const std::vector<Real>& kernel,
                               const std::vector<Real>& output) {
  const std::optional<Device> cpu = cpu_beside();
  if (!cpu) return;
  ConvolverOptions options;
  options.plan = plan;
  Convolver convolver(spec, ImageView(kernel, spec.kernel), *cpu, options);
  std::vector<Real> expected(output.size());
  convolver.run(ImageView(image, spec.image), MutableImageView(expected, convolver.output_shape()));
  const double difference = oracle::relative_l2(output, {expected.begin(), expected.end()});
  Seen& seen = seen_of(kind);
  seen.tolerance_from_cpu = tolerances::between_devices(spec.precision);
  seen.largest_from_cpu = std::max(seen.largest_from_cpu.value_or(0), difference);
  CAPTURE(kind.check);
  CAPTURE(name(kind.path));
  CHECK(difference <= tolerances::between_devices(spec.precision));
}

template void check_difference_from_cpu(const DifferenceKind&, const ConvolutionSpec&, const PlanOptions&,
                                        const std::vector<float>&, const std::vector<float>&,
                                        const std::vector<float>&);
template void check_difference_from_cpu(const DifferenceKind&, const ConvolutionSpec&, const PlanOptions&,
                                        const std::vector<double>&, const std::vector<double>&,
                                        const std::vector<double>&);

}  // namespace convoy::test
