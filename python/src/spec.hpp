// Dictionaries of convoy/_api.py as convoy's specs and options, and reports as dictionaries.
#pragma once

#include <nanobind/nanobind.h>

#include <convoy/convoy.hpp>
#include <string>
#include <vector>

namespace convoy::python {

namespace nb = nanobind;

/// All throw nb::value_error for words that mean nothing, naming those that do; every key must be there.
ConvolutionSpec convolution_spec(const nb::dict& options);
DeconvolutionSpec deconvolution_spec(const nb::dict& options);
PlanOptions plan_options(const nb::dict& options);

/// Throws Error as open_device() does.
std::vector<Device> open_devices(const std::vector<std::string>& ids);

/// The values that C++ gives what a caller leaves out, under the names of convoy/_api.py.
nb::dict defaults();

nb::tuple to_tuple(const Shape& shape);
/// ((begin, end), ...) in z, y, x order.
nb::list to_list(const Box& box);
nb::dict to_dict(const RunReport& report);
nb::dict to_dict(const DeconvolutionReport& report);

/// (JSON, text).
template <class Plan>
nb::tuple to_tuple(const Plan& plan) {
  return nb::make_tuple(to_json(plan), to_text(plan));
}

}  // namespace convoy::python
