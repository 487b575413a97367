// `convoy clean`: what interrupted runs left beside their outputs.
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/interrupt.hpp"
#include "cli/print.hpp"
#include "convoy/error.hpp"
#include "convoy/io.hpp"
#include "convoy/plan.hpp"

namespace convoy::cli {
namespace {

const char* state_of(const Leftover& leftover) {
  if (leftover.in_use) return "being written";
  return leftover.resumable ? "resumable" : "abandoned";
}

std::string age_text(double seconds) {
  constexpr double kMinute = 60, kHour = 3600, kDay = 86400;
  if (seconds < 2 * kMinute) return fmt::format("{:.0f} s", seconds);
  if (seconds < 2 * kHour) return fmt::format("{:.0f} min", seconds / kMinute);
  if (seconds < 2 * kDay) return fmt::format("{:.0f} h", seconds / kHour);
  return fmt::format("{:.0f} days", seconds / kDay);
}

struct CleanCommand {
  std::vector<std::string> folders;
  bool remove = false;
  bool resumable = false;
  bool json = false;

  bool is_to_be_removed(const Leftover& leftover) const {
    return remove && !leftover.in_use && (resumable || !leftover.resumable);
  }

  void print(const Leftover& leftover, bool removed) const {
    print_result("{:<13} {:>10}  {:>8}  {}, of {}{}\n", state_of(leftover), bytes_to_text(leftover.size_bytes),
                 age_text(leftover.age_seconds), leftover.path, leftover.output, removed ? ": removed" : "");
  }

  /// All are tried; the first that cannot be removed is the error.
  void run() const {
    std::string problem;
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const std::string& folder : folders) {
      for (const Leftover& leftover : find_leftovers(folder)) {
        stop_if_interrupted();
        bool removed = false;
        try {
          removed = is_to_be_removed(leftover) && remove_leftover(leftover.path);
        } catch (const Error& error) {
          if (problem.empty()) problem = error.what();
        }
        if (!json) print(leftover, removed);
        list.push_back({{"path", leftover.path},
                        {"output", leftover.output},
                        {"size_bytes", leftover.size_bytes},
                        {"age_seconds", leftover.age_seconds},
                        {"state", state_of(leftover)},
                        {"removed", removed}});
      }
    }
    if (json) print_result("{}\n", list.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    if (!problem.empty()) throw Error(Errc::io, problem);
  }
};

}  // namespace

void add_clean(CLI::App& program) {
  CLI::App* command =
      program.add_subcommand("clean", "List what interrupted runs left beside their outputs, or remove it");
  const auto state = std::make_shared<CleanCommand>();
  command->add_option("FOLDER", state->folders, "Folders to look into; not into those below them")->required();
  auto* remove = command->add_flag("--remove", state->remove, "Remove what is abandoned: no --resume continues it");
  command->add_flag("--resumable", state->resumable, "With --remove: remove what --resume would continue, too")
      ->needs(remove);
  command->add_flag("--json", state->json, "Print the list as JSON");
  command->footer(
      "What a process is writing, links, and what belongs to other users is never removed. What a killed run left is\n"
      "removed, too, by the next run that writes the same output.\n"
      "Examples:\n"
      "  convoy clean results\n"
      "  convoy clean results /scratch/results --remove\n"
      "  convoy clean results --remove --resumable");
  command->callback([state] { state->run(); });
}

}  // namespace convoy::cli
