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
      : spec_(convolution_spec(spec)), kernel_(kernel), weights_(weights), device_(device) {
    options_.plan = plan_options(plan);
    options_.image = element_from_name(image);
    options_.output = element_from_name(output);
  }
  ~PyResident() {
    const nb::gil_scoped_release release;  // waits for what is queued
    convolver_.reset();
  }

  nb::tuple plan() { return to_tuple(made().plan()); }
  std::uint64_t footprint_bytes() { return made().plan().footprint_bytes; }

  /// Queues and returns. Arrays are DLPack capsules, whose memory their library keeps for work in `stream`. Arrays at
  /// other distances than the last run's have the kernel made ready anew.
  void run(const InputArray& image, const OutputArray& output, std::uintptr_t stream) {
    const DeviceArray from = device_array(image, spec_.image, num_images(spec_), "image");
    const DeviceArray to = device_array(InputArray(output), output_shape(spec_), num_outputs(spec_), "out");
    const Views views = host_views();
    const bool is_ready = convolver_ && has_distances(from, to);
    watched(&turns_, nb::none(), is_ready, [&](const Watch&) {
      if (!has_distances(from, to)) convolver_.reset();  // waits for what is queued
      options_.image_strides = from.strides;
      options_.output_strides = to.strides;
      make(views);
      convolver_->run(from, to, DeviceStream(reinterpret_cast<const void*>(stream)));
    });
  }
  void wait() {
    if (convolver_) watched(&turns_, nb::none(), true, [&](const Watch&) { convolver_->wait(); });
  }

 private:
  /// Of the kernels and weights, in host memory; made while Python's lock is held.
  struct Views {
    ImageView kernel;
    std::optional<ImageView> weights;
  };
  Views host_views() const {
    Views views{host_view(kernel_, spec_.kernel, spec_.num_kernels, "kernel"), {}};
    if (weights_) views.weights = host_view(*weights_, weights_shape(spec_), spec_.num_kernels, "weights");
    return views;
  }
  bool has_distances(const DeviceArray& from, const DeviceArray& to) const {
    return from.strides == options_.image_strides && to.strides == options_.output_strides;
  }
  void make(const Views& views) {
    if (convolver_) return;
    options_.weights = views.weights;
    convolver_ = std::make_unique<ResidentConvolver>(spec_, views.kernel, open_device(device_), options_);
  }
  const ResidentConvolver& made() {
    const Views views = host_views();
    if (!convolver_) watched(&turns_, nb::none(), false, [&](const Watch&) { make(views); });
    return *convolver_;
  }

  ConvolutionSpec spec_;
  InputArray kernel_;
  std::optional<InputArray> weights_;
  std::string device_;
  ResidentOptions options_;
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
