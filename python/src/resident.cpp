// Arrays that lie on a device. convoy/_arrays.py has called __dlpack__(stream=...) itself: nanobind's own import names
// no stream, which would have the array's library wait for the legacy default stream.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "arrays.hpp"
#include "bindings.hpp"
#include "spec.hpp"
#include "watch.hpp"

namespace convoy::python {
namespace {

class PyResident {
 public:
  PyResident(const nb::dict& spec, const InputArray& kernel, const std::optional<InputArray>& weights,
             const std::string& device, const nb::dict& plan, const std::string& image, const std::string& output)
      : spec_(convolution_spec(spec)) {
    const ImageView view = host_view(kernel, spec_.kernel, spec_.num_kernels, "kernel");
    ResidentOptions options;
    if (weights) options.weights = host_view(*weights, weights_shape(spec_), spec_.num_kernels, "weights");
    options.plan = plan_options(plan);
    options.image = element_from_name(image);
    options.output = element_from_name(output);
    watched(nullptr, nb::none(), false, [&](const Watch&) {
      convolver_ = std::make_unique<ResidentConvolver>(spec_, view, open_device(device), options);
    });
  }
  ~PyResident() {
    const nb::gil_scoped_release release;  // waits for what is queued
    convolver_.reset();
  }

  nb::tuple plan() const { return to_tuple(convolver_->plan()); }
  std::uint64_t footprint_bytes() const { return convolver_->plan().footprint_bytes; }

  /// Queues and returns. Arrays are DLPack capsules, whose memory their library keeps for work in `stream`.
  void run(const InputArray& image, const OutputArray& output, std::uintptr_t stream) {
    const DeviceArray from = device_array(image, spec_.image, num_images(spec_), "image");
    const DeviceArray to = device_array(InputArray(output), convolver_->output_shape(), num_outputs(spec_), "out");
    watched(&turns_, nb::none(), true,
            [&](const Watch&) { convolver_->run(from, to, DeviceStream(reinterpret_cast<const void*>(stream))); });
  }
  void wait() {
    watched(&turns_, nb::none(), true, [&](const Watch&) { convolver_->wait(); });
  }

 private:
  ConvolutionSpec spec_;
  Turns turns_;
  std::unique_ptr<ResidentConvolver> convolver_;
};

}  // namespace

void bind_resident(nb::module_& module) {
  using namespace nb::literals;
  nb::class_<PyResident>(module, "ResidentConvolver")
      .def(nb::init<const nb::dict&, const InputArray&, const std::optional<InputArray>&, const std::string&,
                    const nb::dict&, const std::string&, const std::string&>(),
           "spec"_a, "kernel"_a.noconvert(), "weights"_a.noconvert().none(), "device"_a, "plan"_a, "image_dtype"_a,
           "output_dtype"_a)
      .def("plan", &PyResident::plan)
      .def("footprint_bytes", &PyResident::footprint_bytes)
      .def("run", &PyResident::run, "image"_a.noconvert(), "output"_a.noconvert(), "stream"_a)
      .def("wait", &PyResident::wait);
}

}  // namespace convoy::python
