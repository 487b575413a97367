#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arrays.hpp"
#include "bindings.hpp"
#include "sliced.hpp"
#include "spec.hpp"
#include "watch.hpp"

namespace convoy::python {
namespace {

/// Runs of so much predicted time are done on the calling thread: they end before anyone notices that Ctrl-C waits,
/// even where the prediction is wrong by ten, and a thread would cost as much as they do.
constexpr double kShortSeconds = 0.01;

/// A Convolver that any thread may call: runs take turns.
class PyConvolver {
 public:
  PyConvolver(const nb::dict& spec, const InputArray& kernel, const std::optional<InputArray>& weights,
              const std::vector<std::string>& devices, const nb::dict& plan)
      : spec_(convolution_spec(spec)) {
    const ImageView view = host_view(kernel, spec_.kernel, spec_.num_kernels, "kernel");
    ConvolverOptions options;
    options.plan = plan_options(plan);
    streaming_ = options.plan.streaming;
    if (weights) options.weights = host_view(*weights, weights_shape(spec_), spec_.num_kernels, "weights");
    watched(nullptr, nb::none(), false, [&](const Watch& watch) {
      options.stop = watch.stop;
      convolver_ = std::make_unique<Convolver>(spec_, view, open_devices(devices), options);
    });
    const double seconds = convolver_->plan().predicted_seconds;
    is_short_ = seconds > 0 && seconds < kShortSeconds;
  }
  ~PyConvolver() {
    const nb::gil_scoped_release release;  // it may wait for a device
    convolver_.reset();
  }

  nb::tuple plan() const { return to_tuple(convolver_->plan()); }
  std::uint64_t footprint_bytes() const { return convolver_->plan().footprint_bytes; }

  nb::dict run(const InputArray& image, const OutputArray& output, const nb::object& progress, bool image_is_bf16,
               bool output_is_bf16) {
    ImageView from = host_view(image, spec_.image, num_images(spec_), "image");
    MutableImageView to = host_view(output, convolver_->output_shape(), num_outputs(spec_), "out");
    // NumPy has no bfloat16: such arrays come as the uint16 of their bits.
    if (image_is_bf16) from.element = Element::bf16;
    if (output_is_bf16) to.element = Element::bf16;
    RunReport report;
    watched(&turns_, progress, is_short_,
            [&](const Watch& watch) { report = convolver_->run(from, to, run_options(watch)); });
    return to_dict(report);
  }

  /// Images that are read and written by functions (sliced.hpp), one for each; made for that by the plan's "streaming".
  nb::dict run_sliced(const std::vector<nb::object>& reads, const std::vector<nb::object>& writes,
                      const nb::object& progress) {
    SlicedImages images(reads, spec_.image, writes, convolver_->output_shape(), *streaming_);
    RunReport report;
    watched(&turns_, progress, false, [&](const Watch& watch) {
      report = convolver_->run(images.readers(), images.writers(), run_options(watch));
    });
    return to_dict(report);
  }

 private:
  static RunOptions run_options(const Watch& watch) {
    RunOptions options;
    options.stop = watch.stop;
    options.progress = [&watch](const Progress& p) {
      return watch.progress({p.tiles_done, p.num_tiles, p.elapsed_seconds, p.fraction()});
    };
    return options;
  }

  ConvolutionSpec spec_;
  std::optional<Streaming> streaming_;
  bool is_short_ = false;
  Turns turns_;
  std::unique_ptr<Convolver> convolver_;
};

}  // namespace

void bind_convolver(nb::module_& module) {
  using namespace nb::literals;
  nb::class_<PyConvolver>(module, "Convolver")
      .def(nb::init<const nb::dict&, const InputArray&, const std::optional<InputArray>&,
                    const std::vector<std::string>&, const nb::dict&>(),
           "spec"_a, "kernel"_a.noconvert(), "weights"_a.noconvert().none(), "devices"_a, "plan"_a)
      .def("plan", &PyConvolver::plan)
      .def("footprint_bytes", &PyConvolver::footprint_bytes)
      .def("run", &PyConvolver::run, "image"_a.noconvert(), "output"_a.noconvert(), "progress"_a.none(),
           "image_is_bf16"_a, "output_is_bf16"_a)
      .def("run_sliced", &PyConvolver::run_sliced, "reads"_a, "writes"_a, "progress"_a.none());
}

}  // namespace convoy::python
