// The only dlopen in convoy. driver_libraries.hpp is the table of what is opened.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace convoy::inline v0 {

/// A shared library loaded at run time. Never unloaded: drivers do not survive that.
class SharedLibrary {
 public:
  SharedLibrary() = default;
  /// The first of LibrarySearch(names, override_variable). Does not throw: see loaded() and why_not().
  explicit SharedLibrary(const std::vector<std::string>& names, const char* override_variable = nullptr);

  bool loaded() const { return handle_ != nullptr; }
  /// The name that was loaded.
  const std::string& name() const { return name_; }
  /// The loader's answer to every attempt, in one line.
  const std::string& why_not() const { return why_not_; }
  /// Address of a symbol, or nullptr.
  void* symbol(const char* symbol_name) const;

 private:
  friend class LibrarySearch;
  void* handle_ = nullptr;
  std::string name_;
  std::string why_not_;
};

/// What to look for, and where.
struct LibrarySource {
  std::string description = {};
  const char* variable = nullptr;  ///< if it is set (and not empty), its value is the only name that is tried
  std::vector<std::string> names = {};
  /// Folders beyond the loader's. `$NAME` at the beginning stands for a variable of the environment, and `*` for
  /// anything within a component; of several that match, the one of the highest version comes first.
  std::vector<std::string> folders = {};
  bool is_reported = false;  ///< by list_libraries()
};

/// Libraries of a source in the order in which they are to be taken: the names where the loader looks, then in the
/// folders of CONVOY_LIBRARY_PATH (colons between; semicolons on Windows), then in those of the source.
class LibrarySearch {
 public:
  explicit LibrarySearch(LibrarySource source);

  /// The next one that loads; one that is not loaded() when there is none left.
  SharedLibrary next();
  /// For the report: of several that were loaded, this one is used; without it, the last.
  void use(const SharedLibrary& library) const;

 private:
  struct Place {
    std::string text;     ///< a name, a file, or a folder in which there is nothing to try
    std::string problem;  ///< why nothing was loaded from there
  };
  void add_folder(const std::string& folder);

  LibrarySource source_;
  std::vector<Place> places_;
  std::size_t next_ = 0;
  std::string why_not_;
};

/// Sets `function` to the address of a symbol; where there is none, to nullptr, and adds its name to the list
/// `missing`.
template <class Function>
void look_up(Function& function, const SharedLibrary& library, const std::string& symbol, std::string& missing) {
  function = reinterpret_cast<Function>(library.symbol(symbol.c_str()));
  if (function == nullptr) missing += (missing.empty() ? "" : ", ") + symbol;
}

}  // namespace convoy::inline v0
