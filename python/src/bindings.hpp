// What each file of the extension adds to the module.
#pragma once

#include <nanobind/nanobind.h>

#include <convoy/error.hpp>

namespace convoy::python {

/// The classes of convoy/_errors.py raised for convoy's exceptions.
void bind_errors(nanobind::module_& module);
void bind_convolver(nanobind::module_& module);
void bind_deconvolver(nanobind::module_& module);
void bind_resident(nanobind::module_& module);
void bind_synthetic(nanobind::module_& module);
/// Plans, devices, self-test, variables.
void bind_planning(nanobind::module_& module);

}  // namespace convoy::python
