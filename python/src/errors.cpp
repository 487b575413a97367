#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <convoy/error.hpp>
#include <exception>

#include "bindings.hpp"

namespace convoy::python {
namespace {

namespace nb = nanobind;

/// Sets Python's error indicator. The classes are Python's, because one that the C API makes has one base only.
void set_error(const Error& error) {
  const nb::object type = nb::module_::import_("convoy._errors").attr("by_code")(name(error.code()));
  const nb::object value = type(error.what());
  if (const auto* memory = dynamic_cast<const OutOfMemory*>(&error)) {
    value.attr("requested_bytes") = memory->requested_bytes();
    value.attr("limit_bytes") = memory->limit_bytes();
    value.attr("limit_name") = memory->limit_name();
  }
  PyErr_SetObject(type.ptr(), value.ptr());
}

void translate(const std::exception_ptr& thrown, void*) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Error& error) {
    try {
      set_error(error);
    } catch (nb::python_error& raised) {
      raised.restore();
    }
  }
}

}  // namespace

void bind_errors(nb::module_&) { nb::register_exception_translator(translate); }

}  // namespace convoy::python
