// Every kernel as CUDA and as HIP, through the run-time compilers; neither needs a GPU to compile.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <vector>

#include "base/shared_library.hpp"
#include "convoy/plan.hpp"
#include "device_arrays/program.hpp"
#include "direct/direct_kernel.hpp"
#include "kernels/dialects.hpp"
#include "plan/devices.hpp"
#include "planner/layout.hpp"
#include "program/program.hpp"

using namespace convoy;

namespace {

/// NVRTC and hiprtc differ in the prefix of their names only.
class RuntimeCompiler {
 public:
  RuntimeCompiler(const SharedLibrary& library, const std::string& prefix) {
    find(create_, library, prefix + "CreateProgram");
    find(compile_, library, prefix + "CompileProgram");
    find(log_size_, library, prefix + "GetProgramLogSize");
    find(log_, library, prefix + "GetProgramLog");
    find(destroy_, library, prefix + "DestroyProgram");
  }

  bool complete() const { return create_ && compile_ && log_size_ && log_ && destroy_; }

  /// Empty if the text compiles, else the compiler's log.
  std::string complaint(const std::string& text, const std::string& option) const {
    void* program = nullptr;
    if (create_(&program, text.c_str(), "kernel.cu", 0, nullptr, nullptr) != 0) return "the program is not created";
    const char* const options[] = {option.c_str()};
    const int result = compile_(program, 1, options);
    std::size_t size = 0;
    log_size_(program, &size);
    std::string log(size + 1, '\0');
    log_(program, log.data());
    destroy_(&program);
    return result == 0 ? "" : "compiler's log: " + log + text;
  }

 private:
  template <class Function>
  static void find(Function*& function, const SharedLibrary& library, const std::string& name) {
    function = reinterpret_cast<Function*>(library.symbol(name.c_str()));
  }

  int (*create_)(void**, const char*, const char*, int, const char* const*, const char* const*) = nullptr;
  int (*compile_)(void*, int, const char* const*) = nullptr;
  int (*log_size_)(void*, std::size_t*) = nullptr;
  int (*log_)(void*, char*) = nullptr;
  int (*destroy_)(void**) = nullptr;
};

/// Empty if all is well.
std::string compile_all(const RuntimeCompiler& compiler, const std::string& option) {
  for (const KernelSpec* kernel : kernels::all()) {
    for (const Precision precision : {Precision::f32, Precision::f64}) {
      const std::string complaint = compiler.complaint(to_cuda(*kernel, precision), option);
      if (!complaint.empty()) return kernel->name + ": " + complaint;
    }
  }
  if (compiler.complaint("nonsense", option).empty()) return "the compiler takes nonsense";
  return "";
}

}  // namespace

TEST_CASE("CUDA: every kernel compiles with NVRTC in both precisions") {
  const SharedLibrary library(
      {"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2", "libnvrtc.so", "/usr/local/cuda/lib64/libnvrtc.so"},
      "CONVOY_NVRTC_LIBRARY");
  if (!library.loaded()) {
    std::printf("SKIPPED: no NVRTC: %s\n", library.why_not().c_str());
    return;
  }
  const RuntimeCompiler compiler(library, "nvrtc");
  REQUIRE(compiler.complete());
  CHECK(compile_all(compiler, "--gpu-architecture=compute_75") == "");

  // And the passes of a plan whose workgroups wait for each other, with and without dependent launches.
  ConvolutionSpec spec;
  spec.image = {8, 60, 66};
  spec.kernel = {3, 5, 7};
  for (spec.precision = Precision::f32;; spec.precision = Precision::f64) {
    int num_waiting = 0;
    PlanOptions fft;
    fft.method = Method::fft;
    for (const Step& step : make_program(make_plan(spec, test::caching_gpu(), fft)).run) {
      const auto* dispatch = std::get_if<Dispatch>(&step);
      if (dispatch == nullptr) continue;
      num_waiting += dispatch->kernel->uses_tickets ? 1 : 0;
      const std::string text = to_cuda(*dispatch->kernel, dispatch->precision);
      for (const char* architecture : {"--gpu-architecture=compute_75", "--gpu-architecture=compute_90"}) {
        CHECK(compiler.complaint(text, architecture) == "");
      }
    }
    CHECK(num_waiting == 2);
    if (spec.precision == Precision::f64) break;
  }
}

// An architecture that hiprtc does not know ends the process, hence the child.
TEST_CASE("HIP: every kernel compiles with hiprtc in both precisions") {
  int channel[2];
  REQUIRE(pipe(channel) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const SharedLibrary library({"libhiprtc.so.7", "libhiprtc.so.6", "libamdhip64.so.6", "libamdhip64.so.5"});
    const RuntimeCompiler compiler(library, "hiprtc");
    const std::string answer = !library.loaded()      ? "SKIPPED: no hiprtc: " + library.why_not()
                               : !compiler.complete() ? "SKIPPED: " + library.name() + " has no hiprtc"
                                                      : compile_all(compiler, "--gpu-architecture=gfx90a");
    const ssize_t written = write(channel[1], answer.data(), answer.size());
    _exit(written == static_cast<ssize_t>(answer.size()) ? 0 : 1);
  }
  close(channel[1]);
  std::string answer;
  std::vector<char> block(4096);
  for (ssize_t got; (got = read(channel[0], block.data(), block.size())) > 0;) {
    answer.append(block.data(), static_cast<std::size_t>(got));
  }
  close(channel[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (answer.starts_with("SKIPPED: ")) {
    std::puts(answer.c_str());
    return;
  }
  CHECK(WIFEXITED(status));
  CHECK(answer == "");
}

TEST_CASE("sums over taps of many sizes compile for CUDA") {
  const SharedLibrary library(
      {"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2", "libnvrtc.so", "/usr/local/cuda/lib64/libnvrtc.so"});
  if (!library.loaded()) {
    MESSAGE("NVRTC is not installed");
    return;
  }
  const RuntimeCompiler compiler(library, "nvrtc");
  const std::array<Index, 3> sizes[] = {{3, 3, 1}, {7, 7, 1}, {4, 1, 1}, {5, 5, 5}, {1, 1, 17}, {8, 6, 4}};
  for (const auto& size : sizes) {
    for (const Index extent : {Index{100}, Index{101}}) {
      for (const Precision precision : {Precision::f32, Precision::f64}) {
        ConvolveDirect step{.precision = precision, .image = 0, .taps = 1, .result = 2};
        step.extent = {extent, 70, 40};
        step.size = size;
        for (std::size_t d = 0; d < 3; ++d) step.count[d] = step.extent[d] - size[d] + 1;
        const auto dispatch = tuned_direct_dispatch(step, test::caching_gpu());
        REQUIRE(dispatch);
        CHECK(compiler.complaint(to_cuda(*dispatch->kernel, precision), "--gpu-architecture=compute_90") == "");
      }
    }
  }
}

TEST_CASE("sums that read arrays on the device compile for CUDA") {
  const SharedLibrary library(
      {"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2", "libnvrtc.so", "/usr/local/cuda/lib64/libnvrtc.so"});
  if (!library.loaded()) {
    MESSAGE("NVRTC is not installed");
    return;
  }
  const RuntimeCompiler compiler(library, "nvrtc");
  Limits limits = test::caching_gpu();
  limits.max_kernel_parameters = 1000;
  const Shape kernels[] = {{1, 3, 3}, {3, 3, 3}, {5, 4, 5}, {1, 1, 17}, {9, 1, 9}};
  const std::pair<Element, Element> elements[] = {
      {Element::f32, Element::f32}, {Element::u16, Element::f32}, {Element::f16, Element::i8}};
  std::size_t with_parameters = 0;
  for (const Shape& kernel : kernels) {
    for (const auto& [from, to] : elements) {
      for (const Method method : {Method::direct, Method::separable}) {
        for (const Precision precision : {Precision::f32, Precision::f64}) {
          ConvolutionSpec spec;
          spec.image = {kernel.z > 1 ? 40 : 1, kernel.y > 1 ? 70 : 1, 101};
          spec.kernel = kernel;
          spec.boundary = kernel.x == 3 ? Boundary::zero : Boundary::mirror;
          spec.precision = precision;
          PlanOptions options;
          options.resident = true;
          options.method = method;
          options.separable_terms = 2;
          DeviceArraysPlan plan{make_plan(spec, limits, options), from, to};
          if (precision == Precision::f32) plan.taps.resize(layout_of(plan).num_taps());
          const Program program = make_program(plan);
          REQUIRE(program.run.size() == 1);
          const auto& dispatch = std::get<Dispatch>(program.run.front());
          with_parameters += dispatch.parameters.size() > 1 ? 1 : 0;
          CHECK(compiler.complaint(to_cuda(*dispatch.kernel, precision), "--gpu-architecture=compute_90") == "");
        }
      }
    }
  }
  CHECK(with_parameters == std::size(kernels) * std::size(elements) * 2);
}
