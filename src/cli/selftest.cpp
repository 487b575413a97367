#include "convoy/selftest.hpp"

#include <fmt/format.h>

#include <memory>

#include "cli/commands.hpp"
#include "cli/convolution_options.hpp"
#include "cli/device_options.hpp"
#include "cli/print.hpp"
#include "convoy/error.hpp"
#include "convoy/io.hpp"

namespace convoy::cli {
namespace {

struct SelftestArguments {
  std::string backend = "auto";
  std::string report_path;
  std::optional<Path> path;
  Method method = Method::automatic;
};

void print_check(const SelftestCheck& check) {
  const char* verdict = check.verdict == SelftestCheck::Verdict::passed   ? "passed"
                        : check.verdict == SelftestCheck::Verdict::failed ? "FAILED"
                                                                          : "skipped";
  const std::string figures =
      check.tolerance > 0 ? fmt::format("{:8.1e} of {:.0e}", check.error, check.tolerance) : std::string();
  print_result("{:<38} {:<8} {:<18} {:6.1f} s  {}\n", check.name, verdict, figures, check.seconds, check.detail);
}

void run(const SelftestArguments& arguments) {
  if (!arguments.report_path.empty()) require_writable(arguments.report_path);
  const Device device = open_device(arguments.backend);
  print_result("{}: {}, {}\n", device.info().id, device.info().name, device.info().driver);
  print_result("{:<38} {:<8} {:<18} {:>8}\n", "check", "verdict", "error of allowed", "time");
  const SelftestReport report = run_selftest(device, print_check, arguments.path, arguments.method);
  if (!arguments.report_path.empty()) write_text(arguments.report_path, to_json(report) + "\n");
  if (!report.passed()) {
    throw Error(
        Errc::unsupported,
        fmt::format("{} gives wrong results: do not use it; please send the report (--report FILE)", device.info().id));
  }
  print_result("{} can be trusted with what was checked\n", device.info().id);
}

}  // namespace

void add_selftest(CLI::App& program) {
  CLI::App* command = program.add_subcommand("selftest", "Check a device against direct sums: whether to trust it");
  const auto arguments = std::make_shared<SelftestArguments>();
  command->add_option("--backend", arguments->backend, backend_choices(", ") + "; with :N for the N-th device")
      ->capture_default_str();
  command->add_option("--report", arguments->report_path,
                      "Write device, driver, errors and verdicts to this JSON file");
  add_path(*command, arguments->path, "The path that every check is computed on");
  add_method(*command, arguments->method, "The method that every check is computed by");
  command->footer("Examples:\n  convoy selftest\n  convoy selftest --backend hip --report selftest.json");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace convoy::cli
