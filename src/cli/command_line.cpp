#include "cli/command_line.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <map>
#include <optional>
#include <string_view>

#include "base/path_text.hpp"
#include "convoy/error.hpp"
#include "convoy/plan.hpp"

namespace convoy::cli {
namespace {

std::vector<std::string_view> split_at_commas(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::size_t comma = text.find(','); comma != std::string_view::npos; comma = text.find(',')) {
    parts.push_back(text.substr(0, comma));
    text.remove_prefix(comma + 1);
  }
  parts.push_back(text);
  return parts;
}

template <class Number>
std::optional<Number> whole_text_as(std::string_view text) {
  Number value{};
  const auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || problem != std::errc() || rest != text.data() + text.size()) return std::nullopt;
  return value;
}

Shape extents_from_text(const std::string& option, const std::string& text, std::size_t fewest, Index least,
                        const char* expected) {
  const auto parts = split_at_commas(text);
  Shape extents;
  bool good = parts.size() >= fewest && parts.size() <= 3;
  for (std::size_t i = 0; good && i < parts.size(); ++i) {
    const auto value = whole_text_as<Index>(parts[i]);
    good = value && *value >= least;
    if (good) extents[static_cast<int>(3 - parts.size() + i)] = *value;
  }
  if (!good) throw CLI::ValidationError(option, fmt::format("'{}' is not {}", text, expected));
  return extents;
}

std::vector<std::string>& typed_words() {
  static std::vector<std::string> words;
  return words;
}

std::uint64_t memory_limit_from_text(const std::string& option, const std::string& text) {
  try {
    const std::uint64_t bytes = bytes_from_text(text);
    if (bytes > 0) return bytes;
  } catch (const Error& error) {
    throw CLI::ValidationError(option, error.what());
  }
  throw CLI::ValidationError(option, "0 bytes hold nothing; leave it out to use what is free");
}

/// Empty if the text is a number that is allowed.
template <class Allowed>
std::string number_problem(const std::string& text, const Allowed& allowed, const char* which) {
  double number = 0;
  if (CLI::detail::lexical_cast(text, number) && allowed(number)) return {};
  return fmt::format("'{}' is not a number {}", text, which);
}

}  // namespace

void need_subcommand(CLI::App& command) {
  command.callback([&command] {
    if (!command.get_subcommands().empty()) return;
    std::vector<std::string> names;
    for (const CLI::App* known : command.get_subcommands([](const CLI::App*) { return true; })) {
      names.push_back(known->get_name());
    }
    const std::string of =
        command.get_parent() != nullptr ? command.get_name() + ": " : "";  // convoy's own name is printed anyway
    throw CLI::ValidationError(fmt::format("{}a subcommand is needed: {}", of, fmt::join(names, ", ")));
  });
}

Shape shape_from_text(const std::string& option, const std::string& text) {
  return extents_from_text(option, text, 1, 1, "a size; write Z,Y,X in whole voxels above 0, as in 128,512,512");
}

Shape index_from_text(const std::string& option, const std::string& text) {
  return extents_from_text(option, text, 3, 0, "a voxel; write z,y,x counted from 0, as in 16,32,32");
}

Position position_from_text(const std::string& option, const std::string& text) {
  const auto parts = split_at_commas(text);
  std::vector<double> values;
  for (const std::string_view part : parts) {
    const auto value = whole_text_as<double>(part);
    if (value && std::isfinite(*value)) values.push_back(*value);
  }
  if (parts.size() != 3 || values.size() != 3) {
    throw CLI::ValidationError(option, fmt::format("'{}' is not three numbers; write z,y,x, as in 0.3,0.1,0.1", text));
  }
  return {values[0], values[1], values[2]};
}

CLI::Option* add_shape(CLI::App& command, const std::string& option, Shape& shape, const std::string& description) {
  return command
      .add_option_function<std::string>(
          option, [&shape, option](const std::string& text) { shape = shape_from_text(option, text); }, description)
      ->type_name("Z,Y,X");
}

CLI::Option* add_position(CLI::App& command, const std::string& option, Position& position,
                          const std::string& description) {
  return command
      .add_option_function<std::string>(
          option, [&position, option](const std::string& text) { position = position_from_text(option, text); },
          description)
      ->type_name("z,y,x");
}

CLI::Validator ends_in(const std::string& ending) {
  return CLI::Validator(
      [ending](std::string& path) {
        return CLI::detail::to_lower(path).ends_with(ending) ? "" : "'" + path + "' does not end in " + ending;
      },
      "");
}

CLI::Validator above_zero() {
  return {[](const std::string& text) {
            return number_problem(
                text, [](double number) { return number > 0; }, "above 0");
          },
          ""};
}

CLI::Validator zero_or_above() {
  return {[](const std::string& text) {
            return number_problem(
                text, [](double number) { return number >= 0; }, "of 0 or more");
          },
          ""};
}

CLI::Validator whole_number(Index least, Index most) {
  return {[least, most](const std::string& text) {
            const auto value = whole_text_as<Index>(text);
            if (value && *value >= least && *value <= most) return std::string();
            return fmt::format("'{}' is not a whole number from {} to {}", text, least, most);
          },
          ""};
}

CLI::Validator not_empty() {
  return {[](const std::string& text) { return text.empty() ? std::string("'' names nothing") : std::string(); }, ""};
}

std::string usual_spelling(const std::string& text) {
  static const std::map<std::string, std::string> spellings{
      {"uint8", "u8"},          {"byte", "u8"},       {"uint16", "u16"},         {"ushort", "u16"},
      {"float32", "f32"},       {"float", "f32"},     {"single", "f32"},         {"float64", "f64"},
      {"double", "f64"},        {"periodic", "wrap"}, {"edge", "nearest"},       {"replicate", "nearest"},
      {"symmetric", "reflect"}, {"zeros", "zero"},    {"reflect_101", "mirror"}, {"int8", "i8"},
      {"int16", "i16"},         {"short", "i16"},     {"uint32", "u32"},         {"int32", "i32"},
      {"float16", "f16"},       {"half", "f16"},      {"bfloat16", "bf16"},      {"complex64", "c64"},
      {"complex128", "c128"},   {"complex", "c128"}};
  const std::string word = lower_case(text);
  const auto known = spellings.find(word);
  return known == spellings.end() ? word : known->second;
}

CLI::Option* add_element(CLI::App& command, Element& element, const std::vector<Element>& allowed,
                         const std::string& description) {
  return add_choice(
      command, "--dtype", element, allowed, [](Element value) { return name(value); }, description);
}

CLI::Option* add_memory_limit(CLI::App& command, const std::string& option, std::uint64_t& bytes,
                              const std::string& description) {
  return command
      .add_option_function<std::string>(
          option, [&bytes, option](const std::string& text) { bytes = memory_limit_from_text(option, text); },
          description)
      ->type_name("BYTES");
}

CLI::Option* add_overwrite(CLI::App& command, bool& overwrite) {
  return command.add_flag("--overwrite", overwrite,
                          "Replace a .zarr output that exists, if convoy wrote all that it holds (single files are "
                          "always replaced)");
}

CLI::Option* add_ome_zarr(CLI::App& command, OmeZarr& version) {
  return add_choice(
      command, "--ome-zarr", version, {OmeZarr::v0_4, OmeZarr::v0_5}, [](OmeZarr value) { return name(value); },
      "Version of a .zarr output: 0.4 has a file per chunk (Zarr version 2), 0.5 shards (Zarr version 3; default 0.4)");
}

void require_different_files(const std::string& output, const std::string& input) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const auto place_of = [&](const std::string& path) {
    const fs::path absolute = fs::absolute(path_from(path), ignored);
    fs::path place = fs::weakly_canonical(absolute, ignored);
    if (place.empty()) place = absolute.lexically_normal();     // in a folder that may not be entered
    return place.has_filename() ? place : place.parent_path();  // "image.zarr/"
  };
  const fs::path written = place_of(output);
  const fs::path read = place_of(input);
  const bool within = std::mismatch(written.begin(), written.end(), read.begin(), read.end()).first == written.end();
  if (!within && !fs::equivalent(path_from(output), path_from(input), ignored)) return;
  throw CLI::ValidationError(output, "is read and would be written; give the output a name of its own");
}

void remember_command_line(int count, char** arguments) { typed_words().assign(arguments, arguments + count); }

const std::vector<std::string>& command_line() { return typed_words(); }

}  // namespace convoy::cli
