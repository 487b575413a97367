// The extension convoy._core: convoy's classes with the GIL, signals and exceptions of Python. Names, defaults and
// documentation are those of convoy/*.py, which alone uses it.
#include <nanobind/nanobind.h>

#include <convoy/version.hpp>

#include "bindings.hpp"

NB_MODULE(_core, module) {
  nanobind::set_leak_warnings(false);  // Python ends without destroying what a module keeps (convoy.convolve's objects)
  module.attr("version") = CONVOY_VERSION;
  convoy::python::bind_errors(module);
  convoy::python::bind_convolver(module);
  convoy::python::bind_deconvolver(module);
  convoy::python::bind_resident(module);
  convoy::python::bind_planning(module);
  convoy::python::bind_synthetic(module);
}
