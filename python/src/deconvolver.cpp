#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <memory>
#include <optional>
#include <string>

#include "arrays.hpp"
#include "bindings.hpp"
#include "spec.hpp"
#include "watch.hpp"

namespace convoy::python {
namespace {

/// A Deconvolver that any thread may call: runs take turns.
class PyDeconvolver {
 public:
  PyDeconvolver(const nb::dict& spec, const InputArray& psf, const std::string& device, bool curve,
                const nb::dict& plan)
      : spec_(deconvolution_spec(spec)) {
    const ImageView view = host_view(psf, spec_.psf, 1, "psf");
    DeconvolverOptions options;
    options.plan = plan_options(plan);
    options.curve = curve;
    watched(nullptr, nb::none(), false, [&](const Watch& watch) {
      options.stop = watch.stop;
      deconvolver_ = std::make_unique<Deconvolver>(spec_, view, open_device(device), options);
    });
  }
  ~PyDeconvolver() {
    const nb::gil_scoped_release release;
    deconvolver_.reset();
  }

  nb::tuple plan() const { return to_tuple(deconvolver_->plan()); }

  nb::dict run(const InputArray& image, const OutputArray& output, const std::optional<InputArray>& mask,
               const nb::object& progress) {
    const ImageView from = host_view(image, spec_.image, 1, "image");
    const MutableImageView to = host_view(output, spec_.image, 1, "out");
    std::optional<ImageView> known;
    if (mask) known = host_view(*mask, spec_.image, 1, "mask");
    DeconvolutionReport report;
    watched(&turns_, progress, false, [&](const Watch& watch) {
      DeconvolverRunOptions options;
      options.stop = watch.stop;
      options.progress = [&](const DeconvolutionProgress& p) {
        return watch.progress(p.iterations_done, p.num_iterations, p.elapsed_seconds);
      };
      report = deconvolver_->run(from, to, known, options);
    });
    return to_dict(report);
  }

 private:
  DeconvolutionSpec spec_;
  Turns turns_;
  std::unique_ptr<Deconvolver> deconvolver_;
};

}  // namespace

void bind_deconvolver(nb::module_& module) {
  using namespace nb::literals;
  nb::class_<PyDeconvolver>(module, "Deconvolver")
      .def(nb::init<const nb::dict&, const InputArray&, const std::string&, bool, const nb::dict&>(), "spec"_a,
           "psf"_a.noconvert(), "device"_a, "curve"_a, "plan"_a)
      .def("plan", &PyDeconvolver::plan)
      .def("run", &PyDeconvolver::run, "image"_a.noconvert(), "output"_a.noconvert(), "mask"_a.noconvert().none(),
           "progress"_a.none());
}

}  // namespace convoy::python
