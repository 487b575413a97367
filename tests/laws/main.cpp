// test_laws: laws over random cases. A case that breaks one is reported with a smaller one and the command that repeats
// it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <string_view>

#include "laws/law.hpp"
#include "support/device_under_test.hpp"

namespace convoy::laws {
namespace {

struct Arguments {
  std::vector<std::string> names;
  std::uint64_t seed = 20240601;
  Index num_cases = 1000;
  Index only = -1;
};

/// Each case has dice of its own, so that it is the same alone.
Case make_case(const Law& law, std::uint64_t seed, Index number) {
  std::uint64_t mixed = seed;
  for (const char letter : std::string_view(law.name))
    mixed = mixed * 0x100000001b3 + static_cast<std::uint64_t>(letter);
  test::Dice dice(mixed * 0x9e3779b97f4a7c15 + static_cast<std::uint64_t>(number));
  return law.make(dice);
}

void report(const Law& law, const Arguments& arguments, Index number, const Case& one, const std::string& failure) {
  fmt::print("BROKEN: {}: {}\n  case {}: {}\n  {}\n", law.name, law.says, number, to_text(one), failure);
  const Case smallest = shrunk(law, one);
  fmt::print("  shrunk to: {}\n  {}\n", to_text(smallest), failure_of(law, smallest));
  fmt::print("  repeat with: CONVOY_TEST_DEVICE={} test_laws --law {} --seed {} --only {}\n",
             device_under_test().info().id, law.name, arguments.seed, number);
}

/// Whether the law held in every case.
bool holds(const Law& law, const Arguments& arguments) {
  constexpr int kMostReported = 3;
  const auto begin = std::chrono::steady_clock::now();
  const bool alone = arguments.only >= 0;
  const Index first = alone ? arguments.only : 0;
  const Index last = alone ? arguments.only + 1 : arguments.num_cases;
  int num_broken = 0;
  for (Index number = first; number < last && num_broken < kMostReported; ++number) {
    const Case one = make_case(law, arguments.seed, number);
    const std::string failure = failure_of(law, one);
    if (failure.empty()) continue;
    ++num_broken;
    report(law, arguments, number, one, failure);
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  fmt::print("{:<10}{:>8} cases, {:>2} broken, {:6.1f} s   {}\n", law.name, last - first, num_broken, elapsed.count(),
             law.says);
  std::fflush(stdout);
  return num_broken == 0;
}

std::vector<Law> chosen(const std::vector<std::string>& names) {
  if (names.empty()) return all_laws();
  std::vector<Law> laws;
  for (const std::string& wanted : names) {
    std::vector<Law> known = all_laws();
    known.push_back(false_law());
    const auto found = std::find_if(known.begin(), known.end(), [&](const Law& law) { return law.name == wanted; });
    if (found == known.end()) throw Error(Errc::invalid_argument, fmt::format("there is no law '{}'", wanted));
    laws.push_back(*found);
  }
  return laws;
}

int run(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Tries laws of convolution on random cases, on the device that CONVOY_TEST_DEVICE names (default: cpu).",
               "test_laws");
  app.add_option("--law", arguments.names, "These laws only")->delimiter(',');
  app.add_option("--seed", arguments.seed, "Of the cases");
  app.add_option("--cases", arguments.num_cases, "Of each law (default 1000)")->check(CLI::PositiveNumber);
  app.add_option("--only", arguments.only, "This case alone")->check(CLI::NonNegativeNumber);
  CLI11_PARSE(app, argc, argv);
  device_under_test();
  fmt::print("seed {}\n", arguments.seed);
  bool all_hold = true;
  for (const Law& law : chosen(arguments.names)) all_hold = holds(law, arguments) && all_hold;
  return all_hold ? 0 : 1;
}

}  // namespace
}  // namespace convoy::laws

int main(int argc, char** argv) {
  try {
    return convoy::laws::run(argc, argv);
  } catch (const std::exception& problem) {
    fmt::print(stderr, "test_laws: {}\n", problem.what());
    return 2;
  }
}
