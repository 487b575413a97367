// Under which names the files of an array lie.
#include <charconv>

#include "io/io_error.hpp"
#include "io/zarr_chunks.hpp"

namespace convoy::io {
namespace {

/// Whether a text is the number of a file along an axis, as it is written in names.
bool is_number_below(std::string_view text, Index most) {
  Index number = -1;
  const auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_whole = problem == std::errc() && rest == text.data() + text.size();
  return is_whole && number >= 0 && number < most && (text.size() == 1 || text[0] != '0');
}

/// Looks for files of an array. Folders that cannot be listed are remembered.
class Search {
 public:
  Search(const InputFolder& folder, const ZarrArray& array) : folder_(folder), array_(array) {}

  bool finds_any() {
    const bool nested = array_.separator == '/';
    return nested ? finds_below(array_.key_prefix.empty() ? "." : "c", 0) : finds_flat();
  }

  const std::optional<Error>& problem() const { return problem_; }

 private:
  bool has_entry(const std::string& name, const std::function<bool(const std::string&)>& wanted) {
    try {
      return folder_.has_entry(name, wanted);
    } catch (const Error& error) {
      problem_ = error;
      return false;
    }
  }

  bool finds_flat() {
    return has_entry(".", [this](std::string_view name) {
      if (!name.starts_with(array_.key_prefix)) return false;
      name.remove_prefix(array_.key_prefix.size());
      for (std::size_t axis = 0; axis < array_.extents.size(); ++axis) {
        const bool last = axis + 1 == array_.extents.size();
        const std::size_t end = last ? name.size() : name.find('.');
        if (end == std::string_view::npos || !is_number_below(name.substr(0, end), array_.num_files(axis)))
          return false;
        name.remove_prefix(last ? end : end + 1);
      }
      return true;
    });
  }

  bool finds_below(const std::string& place, std::size_t axis) {
    return has_entry(place, [&](const std::string& name) {
      if (!is_number_below(name, array_.num_files(axis))) return false;
      return axis + 1 == array_.extents.size() || finds_below(place + "/" + name, axis + 1);
    });
  }

  const InputFolder& folder_;
  const ZarrArray& array_;
  std::optional<Error> problem_;
};

}  // namespace

ZarrArray with_separator_found(const InputFolder& folder, const ZarrArray& array, bool may_be_empty,
                               std::string& warning) {
  Search named(folder, array);
  if (named.finds_any()) return array;
  const ZarrArray other = array.with_separator(array.separator == '/' ? '.' : '/');
  Search otherwise(folder, other);
  const std::vector<Index> first(array.extents.size(), 0);
  if (otherwise.finds_any()) {
    warning = fmt::format(
        "the metadata names chunks as in '{}'; there are none, and those that are named as in '{}' are read",
        array.file_name(first), other.file_name(first));
    return other;
  }
  if (named.problem()) throw *named.problem();
  if (may_be_empty) return array;
  fail(folder.path(),
       "holds no chunk at all, neither as in '{}' nor as in '{}'. Is the store whole? If nothing but the fill value {} "
       "was "
       "ever in it, --allow-missing-chunks (OpenOptions::allow_missing_chunks) reads that",
       array.file_name(first), other.file_name(first), array.fill_value);
}

}  // namespace convoy::io
