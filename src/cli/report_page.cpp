#include "cli/report_page.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "cli/report_curve.hpp"
#include "convoy/bytes_text.hpp"
#include "convoy/error.hpp"

namespace convoy::cli {
namespace {

using Json = nlohmann::json;

constexpr const char* kStyle =
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 "
    "1rem;color:#222;background:#fff}"
    "h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem;border-bottom:1px solid #ddd}"
    "table{border-collapse:collapse}td,th{padding:.15rem .8rem .15rem 0;text-align:left;vertical-align:top}"
    "td.number{text-align:right;font-variant-numeric:tabular-nums}"
    "code{background:#f3f3f3;padding:.1rem .3rem;overflow-wrap:anywhere}"
    ".pictures{display:flex;gap:1rem;flex-wrap:wrap}figure{margin:0}figcaption{color:#666}"
    "img{width:min(28rem,90vw);image-rendering:pixelated}"
    ".warning{background:#fff4d6;border-left:4px solid #e0a800;padding:.4rem .8rem;margin:.4rem 0}"
    ".bar{background:#eee;height:1rem;width:24rem;max-width:100%}.bar div{background:#3b6ea5;height:1rem}"
    "svg{max-width:40rem;width:100%;font:12px system-ui,sans-serif}"
    ".grid{stroke:#e4e4e4}.curve{fill:none;stroke:#3b6ea5;stroke-width:2}";

std::string html_escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      case '\'':
        safe += "&#39;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

std::string base64(const std::string& bytes) {
  constexpr const char* kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) text += j <= count ? kDigits[group >> (18 - 6 * j) & 63] : '=';
  }
  return text;
}

/// The text of a value, whatever it is; a missing one is empty.
std::string text_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return "";
  if (found->is_number_float()) return fmt::format("{:.6g}", found->get<double>());
  return found->is_string() ? found->get<std::string>() : found->dump();
}

double number_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number() ? found->get<double>() : 0;
}

const Json& part_of(const Json& json, const char* key) {
  static const Json kNone = Json::object();
  const auto found = json.find(key);
  return found != json.end() && found->is_structured() ? *found : kNone;
}

std::string extents_of(const Json& shape) {
  std::vector<std::string> extents;
  for (const Json& extent : shape) extents.push_back(extent.dump());
  return fmt::format("{}", fmt::join(extents, " x "));
}

std::string bytes_of(double bytes) { return bytes_to_text(static_cast<std::uint64_t>(bytes)); }

std::string row(const std::string& name, const std::string& value) {
  return value.empty() ? "" : fmt::format("<tr><th>{}</th><td>{}</td></tr>\n", name, html_escaped(value));
}

/// A row for each key that the object has, under its title.
std::string rows_of(const Json& json, const std::vector<std::pair<const char*, const char*>>& titles) {
  std::string rows;
  for (const auto& [key, title] : titles) rows += row(title, text_of(json, key));
  return rows;
}

std::string section(const std::string& title, const std::string& content) {
  return content.empty() ? "" : fmt::format("<h2>{}</h2>\n{}\n", title, content);
}

std::string table(const std::string& rows) { return rows.empty() ? "" : "<table>\n" + rows + "</table>"; }

std::string file_row(const Json& report, const char* key, const char* title) {
  const Json& file = part_of(report, key);
  if (file.empty()) return "";
  return row(title, fmt::format("{} ({} {})", text_of(file, "path"), extents_of(part_of(file, "shape")),
                                text_of(file, "dtype")));
}

std::string summary(const Json& report) {
  std::string rows = file_row(report, "image", "image") + file_row(report, "psf", "PSF") +
                     file_row(report, "kernel", "kernel") + file_row(report, "output", "output");
  if (number_of(report, "num_images") > 1) rows += row("images", text_of(report, "num_images"));
  rows += rows_of(part_of(part_of(report, "plan"), "spec"), {{"algorithm", "algorithm"},
                                                             {"acceleration", "acceleration"},
                                                             {"edges", "edges"},
                                                             {"start", "start"},
                                                             {"mode", "mode"},
                                                             {"boundary", "boundary"}});
  if (number_of(report, "iterations") > 0) {
    const std::string reason = text_of(report, "stop_reason");
    rows += row("iterations", fmt::format("{}{}; {:.4g} s each", text_of(report, "iterations"),
                                          reason == "iterations" ? "" : ", ended by " + reason,
                                          number_of(report, "seconds_per_iteration")));
  }
  for (const Json& device : part_of(report, "devices")) {
    rows += row("device", fmt::format("{}: {}{}{}", text_of(device, "id"), text_of(device, "name"),
                                      device.contains("num_tiles") ? ", tiles: " + text_of(device, "num_tiles") : "",
                                      device.contains("failure") ? ", failed: " + text_of(device, "failure") : ""));
  }
  rows += row("convoy", text_of(report, "version"));
  std::vector<std::string> words;
  for (const Json& word : part_of(report, "command")) words.push_back(word.is_string() ? word.get<std::string>() : "");
  return table(rows) + fmt::format("\n<p><code>{}</code></p>", html_escaped(fmt::format("{}", fmt::join(words, " "))));
}

std::string warnings(const Json& report) {
  std::string list;
  for (const Json& text : part_of(report, "warnings")) {
    if (text.is_string()) list += "<p class=\"warning\">" + html_escaped(text.get<std::string>()) + "</p>\n";
  }
  return list;
}

std::string figure(const std::string& png, const std::string& problem, const char* caption) {
  if (png.empty())
    return fmt::format("<figure><figcaption>{}: not shown: {}</figcaption></figure>\n", caption, html_escaped(problem));
  return fmt::format(
      "<figure><img alt=\"{0}\" src=\"data:image/png;base64,{1}\"><figcaption>{0}</figcaption></figure>\n", caption,
      base64(png));
}

std::string curve(const Json& report) {
  std::vector<std::pair<double, double>> points;
  for (const Json& point : part_of(report, "curve")) {
    if (point.is_object()) points.emplace_back(number_of(point, "iteration"), number_of(point, "divergence"));
  }
  return curve_to_svg(points, "I-divergence");
}

std::string ledger(const Json& lines) {
  std::string rows;
  for (const Json& line : lines) {
    rows += fmt::format("<tr><th>{}</th><td class=\"number\">{}</td><td>{}</td></tr>\n",
                        html_escaped(text_of(line, "name")), bytes_of(number_of(line, "bytes")),
                        html_escaped(text_of(line, "note")));
  }
  return table(rows);
}

/// How much of `most` was taken, as a bar.
std::string bar(const char* title, double bytes, double most, const char* of_what) {
  if (!(bytes > 0)) return "";
  std::string text = fmt::format("<p>{}: {}", title, bytes_of(bytes));
  if (!(most > 0)) return text + "</p>\n";
  const double percent = 100 * bytes / most;
  return text + fmt::format(" of {} ({:.0f} %), {}</p><div class=\"bar\"><div style=\"width:{:.1f}%\"></div></div>\n",
                            bytes_of(most), percent, of_what, std::min(100.0, percent));
}

std::string memory(const Json& report) {
  const Json& plan = part_of(report, "plan");
  return bar("Device memory, highest", number_of(report, "peak_device_bytes"), number_of(plan, "budget_bytes"),
             "what the plan had to fit") +
         ledger(part_of(plan, "ledger")) +
         bar("Host memory, highest", number_of(report, "peak_host_bytes"), number_of(report, "ram_limit_bytes"),
             "the limit of --ram-limit") +
         ledger(part_of(plan, "host_ledger"));
}

std::string times(const Json& report) {
  const Json& timings = part_of(report, "timings");
  const double total = number_of(timings, "total_seconds");
  std::string rows;
  for (const auto& [key, title] : {std::pair{"read_seconds", "reading"},
                                   {"prepare_seconds", "preparing"},
                                   {"run_seconds", "running"},
                                   {"write_seconds", "writing"}}) {
    const double seconds = number_of(timings, key);
    rows += fmt::format(
        "<tr><th>{}</th><td class=\"number\">{:.3f} s</td><td><div class=\"bar\"><div "
        "style=\"width:{:.1f}%\"></div></div></td></tr>\n",
        title, seconds, total > 0 ? 100 * seconds / total : 0.0);
  }
  return table(rows);
}

std::string voxels(const Json& report) {
  std::string rows = rows_of(report, {{"input_sum", "sum of the input"},
                                      {"output_sum", "sum of the output"},
                                      {"background", "background"},
                                      {"psf_factor", "PSF multiplied with"},
                                      {"kernel_factor", "kernel multiplied with"},
                                      {"missing_voxels", "missing voxels"},
                                      {"negative_voxels", "negative input voxels, taken as 0"},
                                      {"saturated_voxels", "clipped output voxels"},
                                      {"non_finite_voxels", "NaN and infinite voxels"}});
  if (const Json& seam = part_of(report, "seam"); !seam.empty()) {
    rows += row("relative difference at seams of fast tiles", text_of(seam, "relative_l2"));
  }
  return table(rows);
}

std::string reasons(const Json& report) {
  const Json& plan = part_of(report, "plan");
  std::string rows = row("frame", extents_of(part_of(plan, "frame"))) +
                     row("padded", extents_of(part_of(plan, "padded"))) + row("tiles", text_of(plan, "num_tiles")) +
                     row("path", text_of(plan, "path"));
  std::string list;
  for (const Json& reason : part_of(plan, "reasons")) {
    if (reason.is_string()) list += "<li>" + html_escaped(reason.get<std::string>()) + "</li>\n";
  }
  return table(rows) + (list.empty() ? "" : "\n<ul>\n" + list + "</ul>");
}

}  // namespace

std::string report_page(const nlohmann::json& report, const ReportPictures& pictures) {
  const std::string kind = text_of(part_of(report, "plan"), "kind");
  if (kind != "convolution" && kind != "deconvolution") {
    throw Error(Errc::invalid_argument, "this is no report of convoy convolve or convoy deconvolve (--report)");
  }
  const std::string title = fmt::format("{} of {}", kind == "convolution" ? "Convolution" : "Deconvolution",
                                        html_escaped(text_of(part_of(report, "image"), "path")));
  return fmt::format(
             "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}</title>\n"
             "<style>{1}</style></head><body>\n<h1>{0}</h1>\n",
             title, kStyle) +
         warnings(report) + summary(report) +
         section("Pictures",
                 "<p>Maximum projections along z and along x, of the first image; each on a grey scale of "
                 "its own, gamma 0.5.</p>\n<div class=\"pictures\">" +
                     figure(pictures.input_png, pictures.input_problem, "before") +
                     figure(pictures.output_png, pictures.output_problem, "after") + "</div>") +
         section("Course of the iterations", curve(report)) + section("Voxels", voxels(report)) +
         section("Memory", memory(report)) + section("Time", times(report)) + section("Plan", reasons(report)) +
         "</body></html>\n";
}

}  // namespace convoy::cli
