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

/// What convolutions and deconvolutions have of their own.
struct Convolution {
  using Spec = ConvolutionSpec;
  using Object = ResidentConvolver;
  static Spec spec(const nb::dict& options) { return convolution_spec(options); }
  static Index num_images_of_run(const InputArray&, const Spec& spec) { return num_images(spec); }
  static Shape output_shape_of(const Spec& spec) { return output_shape(spec); }
  static Index num_outputs_of(Index, const Spec& spec) { return num_outputs(spec); }
  static ImageView kernels(const InputArray& array, const Spec& spec) {
    return host_view(array, spec.kernel, spec.num_kernels, "kernel");
  }
  static ImageView weights(const InputArray& array, const Spec& spec) {
    return host_view(array, weights_shape(spec), spec.num_kernels, "weights");
  }
  static Index num_sessions(const Spec&) { return 1; }
};

struct Deconvolution {
  using Spec = DeconvolutionSpec;
  using Object = ResidentDeconvolver;
  static Spec spec(const nb::dict& options) { return deconvolution_spec(options); }
  static Index num_images_of_run(const InputArray& image, const Spec& spec) { return num_images_of(image, spec.image); }
  static Shape output_shape_of(const Spec& spec) { return spec.image; }
  static Index num_outputs_of(Index num_images, const Spec&) { return num_images; }
  static ImageView kernels(const InputArray& array, const Spec& spec) {
    return host_view(array, spec.psf, spec.num_psfs, "psf");
  }
  static ImageView weights(const InputArray&, const Spec&) { return {}; }
  static Index num_sessions(const Spec& spec) { return spec.num_psfs; }
};

template <class Kind>
class PyResident {
 public:
  PyResident(const nb::dict& spec, const InputArray& kernel, const std::optional<InputArray>& weights,
             const std::string& device, const nb::dict& plan, const std::string& image, const std::string& output)
      : spec_(Kind::spec(spec)),
        kernel_(kernel),
        weights_(weights),
        kernel_view_(Kind::kernels(kernel, spec_)),
        device_(device) {
    if (weights) options_.weights = Kind::weights(*weights, spec_);
    options_.plan = plan_options(plan);
    options_.image = element_from_name(image);
    options_.output = element_from_name(output);
  }
  ~PyResident() {
    const nb::gil_scoped_release release;  // waits for what is queued
    object_.reset();
  }

  nb::tuple plan() { return to_tuple(made().plan()); }
  std::uint64_t footprint_bytes() {
    return made().plan().footprint_bytes * static_cast<std::uint64_t>(Kind::num_sessions(spec_));
  }

  /// Queues and returns. Arrays are DLPack capsules, whose memory their library keeps for work in `stream`. Arrays at
  /// other distances than the last run's have the kernel made ready anew.
  void run(const InputArray& image, const OutputArray& output, std::uintptr_t stream) {
    const Index count = Kind::num_images_of_run(image, spec_);
    queue(device_array(image, spec_.image, count, "image"),
          device_array(InputArray(output), Kind::output_shape_of(spec_), Kind::num_outputs_of(count, spec_), "out"),
          stream);
  }
  /// The same of dense arrays at these addresses, of `num_images` images.
  void run_at(std::uintptr_t image, std::uintptr_t output, Index num_images, std::uintptr_t stream) {
    DeviceArray from(std::uint64_t{image}, options_.image, spec_.image);
    DeviceArray to(std::uint64_t{output}, options_.output, Kind::output_shape_of(spec_));
    from.batch = num_images;
    to.batch = Kind::num_outputs_of(num_images, spec_);
    queue(from, to, stream);
  }
  void wait() {
    if (object_) watched(&turns_, nb::none(), true, [&](const Watch&) { object_->wait(); });
  }

 private:
  void queue(const DeviceArray& from, const DeviceArray& to, std::uintptr_t stream) {
    const bool is_ready = object_ && has_distances(from, to);
    watched(&turns_, nb::none(), is_ready, [&](const Watch&) {
      if (!has_distances(from, to)) object_.reset();  // waits for what is queued
      options_.image_strides = from.strides;
      options_.output_strides = to.strides;
      make();
      object_->run(from, to, DeviceStream(reinterpret_cast<const void*>(stream)));
    });
  }
  bool has_distances(const DeviceArray& from, const DeviceArray& to) const {
    return from.strides == options_.image_strides && to.strides == options_.output_strides;
  }
  void make() {
    if (object_) return;
    object_ = std::make_unique<typename Kind::Object>(spec_, kernel_view_, open_device(device_), options_);
  }
  const typename Kind::Object& made() {
    if (!object_) watched(&turns_, nb::none(), false, [&](const Watch&) { make(); });
    return *object_;
  }

  typename Kind::Spec spec_;
  InputArray kernel_;
  std::optional<InputArray> weights_;
  ImageView kernel_view_;
  std::string device_;
  ResidentOptions options_;
  Turns turns_;
  std::unique_ptr<typename Kind::Object> object_;
};

template <class Kind>
nb::class_<PyResident<Kind>> bind(nb::module_& module, const char* name) {
  using namespace nb::literals;
  using Resident = PyResident<Kind>;
  return nb::class_<Resident>(module, name)
      .def("plan", &Resident::plan)
      .def("footprint_bytes", &Resident::footprint_bytes)
      .def("run", &Resident::run, "image"_a.noconvert(), "output"_a.noconvert(), "stream"_a)
      .def("run_at", &Resident::run_at, "image"_a, "output"_a, "num_images"_a, "stream"_a)
      .def("wait", &Resident::wait);
}

}  // namespace

void bind_resident(nb::module_& module) {
  using namespace nb::literals;
  bind<Convolution>(module, "ResidentConvolver")
      .def(nb::init<const nb::dict&, const InputArray&, const std::optional<InputArray>&, const std::string&,
                    const nb::dict&, const std::string&, const std::string&>(),
           "spec"_a, "kernel"_a.noconvert(), "weights"_a.noconvert().none(), "device"_a, "plan"_a, "image_dtype"_a,
           "output_dtype"_a);
  using Restoring = PyResident<Deconvolution>;
  bind<Deconvolution>(module, "ResidentDeconvolver")
      .def(
          "__init__",
          [](Restoring* place, const nb::dict& spec, const InputArray& psf, const std::string& device,
             const nb::dict& plan, const std::string& image,
             const std::string& output) { new (place) Restoring(spec, psf, {}, device, plan, image, output); },
          "spec"_a, "psf"_a.noconvert(), "device"_a, "plan"_a, "image_dtype"_a, "output_dtype"_a);
}

}  // namespace convoy::python
