#include <array>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/json_text.hpp"
#include "base/path_text.hpp"
#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "cli/print.hpp"
#include "cli/report_page.hpp"
#include "cli/run_picture.hpp"
#include "convoy/error.hpp"
#include "convoy/io.hpp"

namespace convoy::cli {
namespace {

struct ReportCommand {
  std::string report_path;
  std::string page_path;
  bool quiet = false;

  void run() const;
};

/// As named in the report, or else beside it: reports move together with what they are about.
std::string found_path(const std::string& path, const std::string& report_path) {
  std::error_code problem;
  if (std::filesystem::exists(path_from(path), problem)) return path;
  const std::filesystem::path beside = path_from(report_path).parent_path() / path_from(path);
  return std::filesystem::exists(beside, problem) ? text_from(beside) : path;
}

/// A .raw file does not say what it holds; the report does.
OpenOptions options_for(const nlohmann::json& file) {
  OpenOptions options;
  if (file.at("path").get<std::string>().ends_with(".raw")) {
    const auto shape = file.at("shape").get<std::array<Index, 3>>();
    options.raw = RawLayout{{shape[0], shape[1], shape[2]}, file.at("dtype").get<std::string>()};
  }
  return options;
}

/// The PNG of a file that the report names, or else the problem.
std::string picture_of(const nlohmann::json& report, const char* key, const std::string& report_path,
                       std::string& problem) {
  constexpr Index kLargestExtent = 640;
  try {
    const nlohmann::json& file = report.at(key);
    const std::string path = found_path(file.at("path").get<std::string>(), report_path);
    return encode_png(projections_of(path, options_for(file), kLargestExtent).view());
  } catch (const nlohmann::json::exception&) {
    problem = "the report does not name it";
  } catch (const Error& error) {
    problem = error.what();
  }
  return "";
}

void ReportCommand::run() const {
  require_different_files(page_path, report_path);
  require_writable(page_path);
  constexpr std::uint64_t kMostBytes = std::uint64_t{256} << 20;
  const std::optional<nlohmann::json> report = parse_json(read_text(report_path, kMostBytes));
  if (!report || !report->is_object()) throw Error(Errc::io, report_path + ": is no JSON of a run");
  ReportPictures pictures;
  pictures.input_png = picture_of(*report, "image", report_path, pictures.input_problem);
  pictures.output_png = picture_of(*report, "output", report_path, pictures.output_problem);
  const std::string page = report_page(*report, pictures);
  write_text(page_path, page);
  if (!quiet) print_summary("{} -> {}\n", report_path, page_path);
}

}  // namespace

void add_report(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "report", "Make a page of a run: pictures, curve, memory, times and plan in one HTML file");
  const auto state = std::make_shared<ReportCommand>();
  command->add_option("RUN", state->report_path, "What convolve or deconvolve wrote with --report: .json")->required();
  command->add_option("PAGE", state->page_path, "Page to write: .html")->required()->check(ends_in(".html"));
  command->add_flag("--quiet,-q", state->quiet, "Print nothing");
  command->footer(
      "The pictures are of the files that the report names, where they can still be read, by the same path or beside\n"
      "the report.\n"
      "Example:\n"
      "  convoy deconvolve blurred.tif psf.tif restored.tif --report run.json\n"
      "  convoy report run.json run.html");
  command->callback([state] { state->run(); });
}

}  // namespace convoy::cli
