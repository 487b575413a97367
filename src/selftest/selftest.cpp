#include "convoy/selftest.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "convoy/convolution.hpp"
#include "convoy/error.hpp"
#include "convoy/version.hpp"
#include "selftest/oracle.hpp"
#include "selftest/tolerances.hpp"

namespace convoy::inline v0 {
namespace {

using Verdict = SelftestCheck::Verdict;

struct Problem {
  ConvolutionSpec spec;
  PlanOptions plan;
};

Problem problem(const Shape& image, const Shape& kernel, Mode mode = Mode::same, Boundary boundary = Boundary::zero) {
  Problem made;
  made.spec.image = image;
  made.spec.kernel = kernel;
  made.spec.mode = mode;
  made.spec.boundary = boundary;
  made.spec.constant = boundary == Boundary::constant ? 1.5 : 0;
  return made;
}

/// A named group of problems that pass or fail together.
struct Check {
  std::string name;
  std::vector<Problem> problems;
};

template <class Real>
std::vector<Real> run(const Problem& problem, const Device& device, const std::vector<double>& image,
                      const std::vector<double>& kernel) {
  const std::vector<Real> voxels(image.begin(), image.end());
  const std::vector<Real> weights(kernel.begin(), kernel.end());
  ConvolverOptions options;
  options.plan = problem.plan;
  options.sentinels = true;
  Convolver convolver(problem.spec, ImageView(weights, problem.spec.kernel), device, options);
  std::vector<Real> output(static_cast<std::size_t>(num_voxels(convolver.output_shape())),
                           std::numeric_limits<Real>::quiet_NaN());
  convolver.run(ImageView(voxels, problem.spec.image), MutableImageView(output, convolver.output_shape()));
  return output;
}

double error_of(const Problem& problem, const Device& device) {
  const auto image = oracle::random_image(problem.spec.image, 1);
  const bool separable = problem.plan.method == Method::separable;
  const auto kernel =
      separable ? oracle::random_separable(problem.spec.kernel, 2) : oracle::random_image(problem.spec.kernel, 2);
  const auto truth = oracle::direct(problem.spec, image, kernel);
  return problem.spec.precision == Precision::f32
             ? oracle::relative_l2(run<float>(problem, device, image, kernel), truth)
             : oracle::relative_l2(run<double>(problem, device, image, kernel), truth);
}

/// What makes the problems impossible on the path that they ask for, or nothing.
std::string why_not(const Check& check, const Device& device) {
  try {
    for (const Problem& each : check.problems) make_plan(each.spec, device.limits(), each.plan);
  } catch (const Error& error) {
    if (error.code() == Errc::unsupported) return error.what();
  }
  return "";
}

std::vector<Check> all_checks(std::optional<Path> path, Method method) {
  const Shape image{6, 9, 10}, kernel{3, 4, 5};
  std::vector<Check> checks;
  const auto add = [&](const std::string& name, std::vector<Problem> problems) {
    checks.push_back({name + ", float32", problems});
    for (Problem& each : problems) each.spec.precision = Precision::f64;
    checks.push_back({name + ", float64", std::move(problems)});
  };
  add("3-D, same", {problem(image, kernel)});
  add("2-D, same", {problem({1, 13, 8}, {1, 5, 4})});
  add("1-D, same", {problem({1, 1, 30}, {1, 1, 7})});
  add("odd and prime sizes", {problem({11, 13, 17}, {5, 3, 7})});
  add("full, valid, circular", {problem(image, kernel, Mode::full), problem(image, kernel, Mode::valid),
                                problem(image, kernel, Mode::circular)});
  std::vector<Problem> boundaries, adjoint;
  for (const Boundary boundary : kAllBoundaries) {
    boundaries.push_back(problem(image, kernel, Mode::same, boundary));
    if (boundary == Boundary::constant) continue;  // has no adjoint
    adjoint.push_back(boundaries.back());
    adjoint.back().spec.operation = Operation::correlate;
  }
  add("boundaries", boundaries);
  add("kernel larger than the image", {problem({4, 5, 6}, {9, 3, 14})});
  add("correlation (adjoint)", adjoint);
  std::vector<Problem> tiled{problem({14, 20, 25}, kernel),
                             problem({14, 20, 25}, kernel, Mode::same, Boundary::nearest)};
  for (Problem& each : tiled) each.plan.min_tiles = 10;
  add("tiles", tiled);
  if (!path && (method == Method::automatic || method == Method::fft)) {
    std::vector<Problem> fused{problem(image, kernel), problem({1, 13, 8}, {1, 5, 4})};
    for (Problem& each : fused) each.plan.path = Path::fused;
    add("fused path of the FFT library", fused);
    std::vector<Problem> staged{problem(image, kernel), problem({1, 13, 8}, {1, 5, 4})};
    for (Problem& each : staged) each.plan.path = Path::staged;
    add("staged path", staged);
  }
  // The lengths at which a fused product has gone wrong before, as the last axis.
  std::vector<Problem> lengths;
  for (const Index length : {21, 22, 26, 33, 39}) lengths.push_back(problem({1, length - 2, 6}, {1, 5, 1}));
  checks.push_back({"awkward lengths, float32", lengths});
  if (!path && method == Method::automatic) {
    for (const Method other : {Method::direct, Method::separable}) {
      std::vector<Problem> problems{problem(image, kernel), problem({1, 13, 70}, {1, 5, 4}),
                                    problem({9, 11, 70}, {3, 3, 3}, Mode::full)};
      for (Problem& each : problems) each.plan.method = other;
      add(fmt::format("method {}", name(other)), problems);
    }
  }
  for (Check& check : checks) {
    for (Problem& each : check.problems) {
      if (path) each.plan.path = path;
      if (method != Method::automatic) each.plan.method = method;
    }
  }
  return checks;
}

SelftestCheck evaluate(const Check& check, const Device& device) {
  const double tolerance = tolerances::convolution(check.problems.front().spec.precision);
  SelftestCheck result{check.name, Verdict::passed, 0, tolerance, 0, ""};
  const auto start = std::chrono::steady_clock::now();
  if (check.problems.front().spec.precision == Precision::f64 && !device.info().limits.supports_f64) {
    result.verdict = Verdict::skipped;
    result.detail = "the device has no double precision";
    return result;
  }
  if (check.problems.front().plan.path) result.detail = why_not(check, device);
  if (!result.detail.empty()) {
    result.verdict = Verdict::skipped;
    return result;
  }
  for (const Problem& each : check.problems) {
    try {
      const double error = error_of(each, device);
      result.error = std::max(result.error, error);
      if (error <= result.tolerance) continue;
      result.detail = fmt::format("{}: relative error {:.2g}", oracle::to_text(each.spec), error);
    } catch (const std::exception& problem) {
      result.detail = fmt::format("{}: {}", oracle::to_text(each.spec), problem.what());
    }
    result.verdict = Verdict::failed;
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

/// Everything that was allocated for the checks must have come back.
SelftestCheck evaluate_leaks(const Device& device, std::uint64_t used_before) {
  SelftestCheck result{"memory given back", Verdict::passed, 0, 0, 0, ""};
  if (device.used_bytes() != used_before) {
    result.verdict = Verdict::failed;
    result.detail = fmt::format("{} bytes were held before, {} are now", used_before, device.used_bytes());
  }
  return result;
}

const char* name(Verdict verdict) {
  return verdict == Verdict::passed ? "passed" : verdict == Verdict::failed ? "failed" : "skipped";
}

}  // namespace

bool SelftestReport::passed() const {
  bool any = false;
  for (const SelftestCheck& check : checks) {
    if (check.verdict == Verdict::failed) return false;
    any = any || check.verdict == Verdict::passed;
  }
  return any;
}

SelftestReport run_selftest(Device device, const std::function<void(const SelftestCheck&)>& done,
                            std::optional<Path> path, Method method) {
  SelftestReport report{device.info(), path, method, {}};
  const std::uint64_t used_before = device.used_bytes();
  const auto add = [&](SelftestCheck check) {
    report.checks.push_back(std::move(check));
    if (done) done(report.checks.back());
  };
  for (const Check& check : all_checks(path, method)) add(evaluate(check, device));
  add(evaluate_leaks(device, used_before));
  return report;
}

std::string to_json(const SelftestReport& report) {
  nlohmann::ordered_json json;
  json["convoy_version"] = CONVOY_VERSION;
  const DeviceInfo& device = report.device;
  json["device"] = {{"id", device.id},
                    {"name", device.name},
                    {"type", name(device.type)},
                    {"driver", device.driver},
                    {"uuid", device.uuid},
                    {"architecture", device.architecture},
                    {"total_bytes", device.limits.total_bytes},
                    {"shared_memory_bytes", device.limits.shared_memory_bytes},
                    {"supports_f64", device.limits.supports_f64}};
  json["path"] = report.path ? name(*report.path) : "auto";
  json["method"] = name(report.method);
  json["passed"] = report.passed();
  for (const SelftestCheck& check : report.checks) {
    nlohmann::ordered_json entry{{"name", check.name}, {"verdict", name(check.verdict)}, {"seconds", check.seconds}};
    if (check.tolerance > 0) {
      entry["relative_l2_error"] = check.error;
      entry["tolerance"] = check.tolerance;
    }
    if (!check.detail.empty()) entry["detail"] = check.detail;
    json["checks"].push_back(entry);
  }
  return json.dump(2);
}

}  // namespace convoy::inline v0
