#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <optional>
#include <string>
#include <vector>

#include "bindings.hpp"
#include "spec.hpp"
#include "watch.hpp"

namespace convoy::python {
namespace {

nb::dict to_dict(const DeviceInfo& info) {
  nb::dict result;
  result["id"] = info.id;
  result["name"] = info.name;
  result["driver"] = info.driver;
  result["uuid"] = info.uuid;
  result["architecture"] = info.architecture;
  result["type"] = name(info.type);
  result["total_bytes"] = info.limits.total_bytes;
  result["free_bytes"] = info.limits.free_bytes;
  result["supports_float64"] = info.limits.supports_f64;
  return result;
}

/// (backend, why it has no device, devices) of each.
nb::list devices() {
  nb::list result;
  for (const BackendInfo& backend : without_gil([] { return list_backends(); })) {
    nb::list found;
    for (const DeviceInfo& info : backend.devices) found.append(to_dict(info));
    result.append(nb::make_tuple(backend.name, backend.unavailable_because, found));
  }
  return result;
}

template <class Work>
nb::tuple planned(const Work& make) {
  nb::tuple result;
  std::string json, text;
  watched(nullptr, nb::none(), false, [&](const Watch&) {
    const auto plan = make();
    json = to_json(plan);
    text = to_text(plan);
  });
  return nb::make_tuple(json, text);
}

nb::tuple plan_convolution(const nb::dict& spec, const std::string& device, const nb::dict& options) {
  const ConvolutionSpec what = convolution_spec(spec);
  const PlanOptions how = plan_options(options);
  return planned([&] { return make_plan(what, open_device(device), how); });
}

nb::tuple plan_deconvolution(const nb::dict& spec, const std::string& device, const nb::dict& options) {
  const DeconvolutionSpec what = deconvolution_spec(spec);
  const PlanOptions how = plan_options(options);
  return planned([&] { return make_plan(what, open_device(device).limits(), how); });
}

nb::tuple output_shape_of(const nb::dict& spec) { return to_tuple(output_shape(convolution_spec(spec))); }

nb::list split(const nb::dict& spec, Index num_regions) {
  nb::list result;
  for (const Box& box : split_output(convolution_spec(spec), num_regions)) result.append(to_list(box));
  return result;
}

/// (passed, JSON). `done` is called with name, verdict and detail of each check.
nb::tuple selftest(const std::string& device, const std::string& method, const nb::object& done) {
  const Method which = method_from_text(method);
  SelftestReport report;
  watched(nullptr, done, false, [&](const Watch& watch) {
    std::int64_t count = 0;
    report = run_selftest(
        open_device(device),
        [&](const SelftestCheck&) {
          if (!watch.progress({.done = ++count})) throw Error(Errc::cancelled, "the self-test was asked to stop");
        },
        {}, which);
  });
  return nb::make_tuple(report.passed(), to_json(report));
}

}  // namespace

void bind_planning(nb::module_& module) {
  using namespace nb::literals;
  module.def("devices", &devices);
  module.def("libraries", [] { return to_json(list_libraries()); });
  module.def("plan_convolution", &plan_convolution, "spec"_a, "device"_a, "options"_a);
  module.def("plan_deconvolution", &plan_deconvolution, "spec"_a, "device"_a, "options"_a);
  module.def("output_shape", &output_shape_of, "spec"_a);
  module.def(
      "input_box", [](const nb::dict& spec) { return to_list(input_box(convolution_spec(spec))); }, "spec"_a);
  module.def("split", &split, "spec"_a, "num_regions"_a);
  module.def("selftest", &selftest, "device"_a, "method"_a, "done"_a.none());
  module.def(
      "set_variable",
      [](const std::string& name, const std::optional<std::string>& value) { set_variable(name, value); }, "name"_a,
      "value"_a.none());
  module.def("num_threads", &num_threads);
  module.def("bytes_from_text", &bytes_from_text, "text"_a);
  module.def("bytes_to_text", &bytes_to_text, "bytes"_a);
  module.def("defaults", &defaults);
}

}  // namespace convoy::python
