#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

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

/// A Deconvolver that any thread may call: runs take turns.
class PyDeconvolver {
 public:
  PyDeconvolver(const nb::dict& spec, const InputArray& psf, const std::vector<std::string>& devices, bool curve,
                const nb::dict& plan)
      : spec_(deconvolution_spec(spec)) {
    const ImageView view = host_view(psf, spec_.psf, spec_.num_psfs, "psf");
    DeconvolverOptions options;
    options.plan = plan_options(plan);
    options.curve = curve;
    streaming_ = options.plan.streaming;
    watched(nullptr, nb::none(), false, [&](const Watch& watch) {
      options.stop = watch.stop;
      deconvolver_ = std::make_unique<Deconvolver>(spec_, view, open_devices(devices), options);
    });
  }
  ~PyDeconvolver() {
    const nb::gil_scoped_release release;
    deconvolver_.reset();
  }

  nb::tuple plan() const { return to_tuple(deconvolver_->plan()); }
  std::uint64_t footprint_bytes() const { return deconvolver_->plan().footprint_bytes; }

  nb::dict run(const InputArray& image, const OutputArray& output, const std::optional<InputArray>& mask,
               const nb::object& progress, bool image_is_bf16, bool output_is_bf16) {
    const Index count = num_images_of(image, spec_.image);
    ImageView from = host_view(image, spec_.image, count, "image");
    MutableImageView to = host_view(output, spec_.image, count, "out");
    if (image_is_bf16) from.element = Element::bf16;
    if (output_is_bf16) to.element = Element::bf16;
    std::optional<ImageView> known;
    if (mask) known = host_view(*mask, spec_.image, 1, "mask");
    DeconvolutionReport report;
    watched(&turns_, progress, false,
            [&](const Watch& watch) { report = deconvolver_->run(from, to, known, run_options(watch)); });
    return to_dict(report);
  }

  /// Images that are read and written by functions (sliced.hpp), one for each, and a mask for all; made for that by the
  /// plan's "streaming".
  nb::dict run_sliced(const std::vector<nb::object>& reads, const std::vector<nb::object>& writes,
                      const std::optional<nb::object>& mask, const nb::object& progress) {
    SlicedImages images(reads, spec_.image, writes, spec_.image, *streaming_);
    std::optional<SlicedReader> known;
    ImageReaders masks;
    if (mask) masks.push_back(&known.emplace(*mask, spec_.image, Element::u8, streaming_->read_chunk));
    DeconvolutionReport report;
    watched(&turns_, progress, false, [&](const Watch& watch) {
      report = deconvolver_->run(images.readers(), images.writers(), masks, run_options(watch));
    });
    return to_dict(report);
  }

 private:
  static DeconvolverRunOptions run_options(const Watch& watch) {
    DeconvolverRunOptions options;
    options.stop = watch.stop;
    options.progress = [&watch](const DeconvolutionProgress& p) {
      return watch.progress({p.iterations_done, p.num_iterations, p.elapsed_seconds, p.fraction()});
    };
    return options;
  }

  DeconvolutionSpec spec_;
  std::optional<Streaming> streaming_;
  Turns turns_;
  std::unique_ptr<Deconvolver> deconvolver_;
};

}  // namespace

void bind_deconvolver(nb::module_& module) {
  using namespace nb::literals;
  nb::class_<PyDeconvolver>(module, "Deconvolver")
      .def(nb::init<const nb::dict&, const InputArray&, const std::vector<std::string>&, bool, const nb::dict&>(),
           "spec"_a, "psf"_a.noconvert(), "devices"_a, "curve"_a, "plan"_a)
      .def("plan", &PyDeconvolver::plan)
      .def("footprint_bytes", &PyDeconvolver::footprint_bytes)
      .def("run", &PyDeconvolver::run, "image"_a.noconvert(), "output"_a.noconvert(), "mask"_a.noconvert().none(),
           "progress"_a.none(), "image_is_bf16"_a, "output_is_bf16"_a)
      .def("run_sliced", &PyDeconvolver::run_sliced, "reads"_a, "writes"_a, "mask"_a.none(), "progress"_a.none());
}

}  // namespace convoy::python
