// Options of convoy's own kinds: sizes, positions, choices. All throw CLI::ValidationError, which is a usage error.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/nearest_word.hpp"
#include "convoy/error.hpp"
#include "convoy/image.hpp"
#include "convoy/io.hpp"
#include "convoy/shape.hpp"
#include "convoy/synthetic.hpp"

namespace convoy::cli {

/// A usage error that names the subcommands unless one is given; unlike CLI11's own check, after unknown words are
/// reported.
void need_subcommand(CLI::App& command);

/// "Z,Y,X"; "Y,X" and "X" put 1s in front. Every extent is a whole number above 0.
Shape shape_from_text(const std::string& option, const std::string& text);
/// "z,y,x", three whole numbers, 0 allowed.
Shape index_from_text(const std::string& option, const std::string& text);
/// "z,y,x", three numbers.
Position position_from_text(const std::string& option, const std::string& text);

CLI::Option* add_shape(CLI::App& command, const std::string& option, Shape& shape, const std::string& description);
CLI::Option* add_position(CLI::App& command, const std::string& option, Position& position,
                          const std::string& description);

/// convoy's name for a common spelling of the same thing, in lower case: "float32" is "f32", "UINT16" is "u16",
/// "Same" is "same". Other words are only brought to lower case.
std::string usual_spelling(const std::string& text);

/// An option that takes the name of one of `values`, in any case and usual spelling. `name_of` makes the names.
template <class Value, class NameOf>
CLI::Option* add_choice(CLI::App& command, const std::string& option, Value& chosen, const std::vector<Value>& values,
                        NameOf name_of, const std::string& description) {
  std::vector<std::string> names;
  for (const Value value : values) names.push_back(name_of(value));
  const auto choose = [&chosen, values, names, option](const std::string& text) {
    const std::string word = usual_spelling(text);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (word == names[i]) {
        chosen = values[i];
        return;
      }
    }
    throw CLI::ValidationError(
        option, fmt::format("'{}' is none of {}{}", text, fmt::join(names, ", "), suggestion(text, names)));
  };
  return command.add_option_function<std::string>(option, choose, description)
      ->type_name(fmt::format("{}", fmt::join(names, "|")));
}

/// The library's reading of an option's text; what it refuses is a usage error.
template <class Read>
auto value_of_option(const char* option, const std::string& text, Read read) {
  try {
    return read(text);
  } catch (const Error& error) {
    throw CLI::ValidationError(option, error.what());
  }
}

/// Checks of options that take a number.
CLI::Validator above_zero();
CLI::Validator zero_or_above();
CLI::Validator whole_number(Index least, Index most);
/// A check of options that take a text: "" names nothing.
CLI::Validator not_empty();
/// A check of options that take a file's name: it ends in `ending`, in any case.
CLI::Validator ends_in(const std::string& ending);

/// Of kElements or, without complex ones, of kRealElements, for add_choice().
template <class Value = Element>
std::vector<Value> all_elements(bool complex_too = false) {
  std::vector<Value> all;
  for (const ElementFacts& facts : complex_too ? std::span<const ElementFacts>(kElements) : kRealElements) {
    all.push_back(facts.element);
  }
  return all;
}

/// --dtype: how the voxels of a file that is written are stored.
CLI::Option* add_element(CLI::App& command, Element& element, const std::vector<Element>& allowed,
                         const std::string& description);

/// An option that takes a number of bytes above 0, as in 2GiB.
CLI::Option* add_memory_limit(CLI::App& command, const std::string& option, std::uint64_t& bytes,
                              const std::string& description);

/// --overwrite, of all commands that write images.
CLI::Option* add_overwrite(CLI::App& command, bool& overwrite);
/// --ome-zarr, likewise.
CLI::Option* add_ome_zarr(CLI::App& command, OmeZarr& version);

/// A usage error unless the two name different files.
void require_different_files(const std::string& output, const std::string& input);

/// What was typed, for reports.
void remember_command_line(int count, char** arguments);
const std::vector<std::string>& command_line();

}  // namespace convoy::cli
