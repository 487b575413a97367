// The only dlopen in convoy.
#pragma once

#include <string>
#include <vector>

namespace convoy {

/// A shared library loaded at run time. Never unloaded: drivers do not survive that.
class SharedLibrary {
 public:
  SharedLibrary() = default;
  /// Tries the names in order, where the loader looks, then in the folders of CONVOY_LIBRARY_PATH (colons between); the
  /// first that loads is taken. If the environment variable `override_variable` is set
  /// (and not empty), its value is the only name tried. Does not throw: see loaded() and why_not().
  explicit SharedLibrary(const std::vector<const char*>& names, const char* override_variable = nullptr);

  bool loaded() const { return handle_ != nullptr; }
  /// The name that was loaded.
  const std::string& name() const { return name_; }
  /// The loader's answer to every attempt, in one line.
  const std::string& why_not() const { return why_not_; }
  /// Address of a symbol, or nullptr.
  void* symbol(const char* symbol_name) const;

 private:
  void* handle_ = nullptr;
  std::string name_;
  std::string why_not_;
};

/// Sets `function` to the address of a symbol; where there is none, to nullptr, and adds its name to the list
/// `missing`.
template <class Function>
void look_up(Function& function, const SharedLibrary& library, const std::string& symbol, std::string& missing) {
  function = reinterpret_cast<Function>(library.symbol(symbol.c_str()));
  if (function == nullptr) missing += (missing.empty() ? "" : ", ") + symbol;
}

}  // namespace convoy
