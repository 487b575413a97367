#include "options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <map>

#include "convoy/error.hpp"
#include "convoy/plan.hpp"
#include "convoy/version.hpp"

namespace convoy::bench {
namespace {

const std::map<std::string, Mode> kModes{
    {"same", Mode::same}, {"full", Mode::full}, {"valid", Mode::valid}, {"circular", Mode::circular}};

const std::map<std::string, Edges> kEdges{
    {"noncirculant", Edges::noncirculant}, {"zero", Edges::zero}, {"reflect", Edges::reflect}};
const std::map<std::string, Acceleration> kAccelerations{
    {"none", Acceleration::none}, {"biggs", Acceleration::biggs}, {"momentum", Acceleration::momentum}};

const std::map<std::string, MemoryKind> kMemoryKinds{{"pinned", MemoryKind::pinned},
                                                     {"ordinary", MemoryKind::ordinary}};

const std::map<std::string, FilterStorage> kKernelStorages{{"automatic", FilterStorage::automatic},
                                                           {"spectrum", FilterStorage::spectrum},
                                                           {"compact", FilterStorage::compact}};

/// What CLI11 fills in, before it is made sense of.
struct Arguments {
  std::string cases;
  std::vector<Index> size;
  std::vector<Index> padded;
  std::vector<Index> tiles;
  std::string piece;
  std::vector<Index> kernel;
  Mode mode = Mode::same;
  std::string precision = "f32";
  std::string element;  // that of the precision
  Index batch = 0;
  std::string peers = "all";
  std::string tune = "model";
  std::vector<std::string> methods{"auto"};
  std::vector<std::string> sums;
  std::string memory;
  double scale = 1;
  bool no_host = false;
  bool fused = false;
  bool staged = false;
};

/// Two extents are an image of one plane.
Shape shape_from(const std::vector<Index>& extents) {
  Shape shape;
  for (std::size_t i = 0; i < extents.size(); ++i) shape[static_cast<int>(3 - extents.size() + i)] = extents[i];
  return shape;
}

Element element_from_text(const std::string& text) {
  for (const ElementFacts& facts : kRealElements) {
    if (text == facts.name) return facts.element;
  }
  throw Error(Errc::invalid_argument, fmt::format("there is no element '{}'; there are u8, u16, f32 ...", text));
}

SumTuning sum_tuning_from_text(const std::string& text) {
  SumTuning tuning;
  int end = 0;
  if (std::sscanf(text.c_str(), "%ld,%ld,%ld,%ld%n", &tuning.threads_y, &tuning.rows, &tuning.planes, &tuning.run,
                  &end) == 4 &&
      static_cast<std::size_t>(end) == text.size()) {
    return tuning;
  }
  throw Error(Errc::invalid_argument, fmt::format("'{}' is no THREADS_Y,ROWS,PLANES,RUN, such as 16,2,0,8", text));
}

void choose_cases(const Arguments& given, bool scale_given, Options& options) {
  if (!given.size.empty()) {
    BenchCase own;
    own.name = "own";
    own.image = shape_from(given.size);
    own.kernel = shape_from(given.kernel);
    own.mode = given.mode;
    options.cases.push_back(own);
  }
  if (given.size.empty() || !given.cases.empty()) {
    const char* const usual = options.deconvolution ? "S1" : options.host_runs ? "S0,S1,M1,C1" : "all";
    const auto named = cases_from_text(given.cases.empty() ? usual : given.cases);
    options.cases.insert(options.cases.end(), named.begin(), named.end());
  }
  for (BenchCase& one : options.cases) {
    one = scaled(one, given.scale);
    one.element = element_from_text(given.element.empty() ? given.precision : given.element);
    if (given.batch > 0) one.batch = given.batch;
  }
  options.cpu_scales = !options.deconvolution && !options.host_runs && !scale_given && given.size.empty() &&
                       (given.cases.empty() || given.cases == "all");
}

void choose_peers(const std::string& text, Options& options) {
  options.peer_cufft = text == "all" || text.find("cufft") != std::string::npos;
  options.peer_fftw = text == "all" || text.find("fftw") != std::string::npos;
  options.peer_fftw_beside_gpus = options.peer_fftw && text != "all";
  if (!options.peer_cufft && !options.peer_fftw && text != "none") {
    throw Error(Errc::invalid_argument, fmt::format("there are no peers '{}'; there are none, all, cufft, fftw", text));
  }
}

}  // namespace

const char* name(MemoryKind kind) { return kind == MemoryKind::pinned ? "pinned" : "ordinary"; }

Options parse_options(int argc, char** argv) {
  Options options;
  Arguments given;
  CLI::App app("Checks convoy's answers, then times them, beside cuFFT and FFTW where these are there.",
               "convoy-bench");
  app.set_version_flag("--version", CONVOY_VERSION);
  app.add_option("--backend", options.backends, "Device: auto, cpu, cuda, cuda:1, vulkan, hip ...; may be repeated")
      ->delimiter(',');
  app.add_option("--case", given.cases, "S0,S1,... | all | shapes | tiny | random:N (default: all)");
  auto* size = app.add_option("--size", given.size, "An own problem: image extents Z,Y,X (or Y,X, or X)")
                   ->delimiter(',')
                   ->expected(1, 3)
                   ->check(CLI::Range(1, 1000000000));
  auto* kernel = app.add_option("--kernel", given.kernel, "Its kernel")
                     ->delimiter(',')
                     ->expected(1, 3)
                     ->check(CLI::Range(1, 1000000000));
  size->needs(kernel);
  kernel->needs(size);
  app.add_option("--mode", given.mode, "Its mode: same, full, valid, circular")
      ->transform(CLI::CheckedTransformer(kModes));
  app.add_option("--scale", given.scale,
                 "Makes every extent of the cases so much larger (default: 1; for all cases on the CPU, the scale that "
                 "--list shows)");
  app.add_option("--precision", given.precision, "f32 or f64")->check(CLI::IsMember({"f32", "f64"}));
  app.add_option("--element", given.element,
                 "Of arrays on the device: u8, u16, i16, f16, f32 ... (default: as the precision)");
  app.add_option("--batch", given.batch, "Images of every case, in place of its own number")
      ->check(CLI::Range(1, 1000000));
  app.add_option("--repeats", options.repeats, "Batches that are timed")->check(CLI::Range(3, 1000));
  app.add_option("--rounds", options.rounds,
                 "Times that each case goes round all devices and peers; several even out a busy machine")
      ->check(CLI::Range(1, 100));
  app.add_option(
      "--peers", given.peers,
      "none | all | cufft,fftw (default: all: cuFFT beside GPUs, FFTW beside the CPU; fftw named runs anywhere)");
  app.add_option("--memory", given.memory,
                 "Most device memory a plan may take, such as 2GiB: larger images go in tiles");
  app.add_option("--coalesced", options.tuning.coalesced_bytes,
                 "Bytes of a strided access of the transforms (0: the planner's choice)");
  app.add_option("--threads", options.tuning.aim_threads,
                 "Threads of a workgroup that the transforms aim at (0: theirs)");
  app.add_option("--pitch", options.tuning.pitch_alignment, "Complex numbers that rows are aligned to (0: none)");
  app.add_option("--kernel-storage", options.tuning.filter_storage,
                 "What is kept of the kernel: its spectrum, or compact where passes can make that on the way (default: "
                 "automatic)")
      ->transform(CLI::CheckedTransformer(kKernelStorages));
  app.add_option("--method", given.methods,
                 "auto (default), fft, direct or separable, as convoy convolve --method; of several each in turn")
      ->delimiter(',');
  app.add_option("--sums", given.sums,
                 "Of sums on device arrays, THREADS_Y,ROWS,PLANES,RUN (SumTuning; 0: convoy's choice) in place of "
                 "convoy's; may be repeated, and leaves out runs from host memory");
  app.add_option("--tune", given.tune, "off, model (default) or measure, as convoy convolve --tune")
      ->check(CLI::IsMember({"off", "model", "measure"}));
  auto* fused = app.add_flag("--fused", given.fused, "Takes the fused path (VkFFT), and fails where it is refused");
  app.add_flag("--staged", given.staged, "Takes the staged path")->excludes(fused);
  auto* deconvolution = app.add_flag("--deconvolution", options.deconvolution,
                                     "Checks and times iterations of Richardson-Lucy, of S1 if no case is given");
  options.edges = {Edges::zero, Edges::noncirculant};
  app.add_option("--edges", options.edges, "Of deconvolutions: zero,noncirculant,reflect (default: the first two)")
      ->delimiter(',')
      ->transform(CLI::CheckedTransformer(kEdges))
      ->needs(deconvolution);
  options.accelerations = {Acceleration::none};
  app.add_option("--acceleration", options.accelerations, "Of deconvolutions: none,biggs,momentum (default: none)")
      ->delimiter(',')
      ->transform(CLI::CheckedTransformer(kAccelerations))
      ->needs(deconvolution);
  app.add_option("--iterations", options.iterations, "In each timed deconvolution")
      ->check(CLI::Range(1, 1000000000))
      ->needs(deconvolution);
  auto* host = app.add_flag("--host", options.host_runs,
                            "Times only runs from host memory to host memory, against what the bus carries; of S0, S1, "
                            "M1 and C1 if no case is given")
                   ->excludes(deconvolution);
  options.memory_kinds = {MemoryKind::pinned, MemoryKind::ordinary};
  app.add_option("--memory-kind", options.memory_kinds, "Of these runs: pinned,ordinary (default: both)")
      ->delimiter(',')
      ->transform(CLI::CheckedTransformer(kMemoryKinds))
      ->needs(host);
  app.add_flag("--together", options.together, "Of these runs: all devices named by --backend share each of them")
      ->needs(host);
  auto* padded =
      app.add_option("--padded", given.padded, "Transform lengths Z,Y,X in place of the planner's (with --tiles)")
          ->delimiter(',')
          ->expected(3);
  auto* tiles = app.add_option("--tiles", given.tiles, "Tiles along Z,Y,X in place of the planner's (with --padded)")
                    ->delimiter(',')
                    ->expected(3)
                    ->needs(padded);
  padded->needs(tiles);
  app.add_option("--piece", given.piece, "Of these runs: bytes of a piece of a transfer, such as 2MiB")->needs(host);
  app.add_option("--sets", options.max_sets, "Of these runs: most tiles in flight")
      ->needs(host)
      ->check(CLI::Range(1, 8));
  app.add_flag("--no-host", given.no_host, "Leaves out the times from host memory to host memory");
  app.add_flag("--check-only", options.check_only, "Checks the answers and times nothing");
  app.add_option("--json", options.json_path, "Writes the results to this file after every case");
  options.commit = CONVOY_COMMIT;
  app.add_option("--commit", options.commit, "The commit that the results are filed under");
  app.add_flag("--list", options.list, "Lists the cases");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    throw EndProgram{app.exit(problem)};
  }

  if (options.backends.empty()) options.backends = {"auto"};
  choose_cases(given, app.count("--scale") > 0, options);
  choose_peers(given.peers, options);
  options.precision = given.precision == "f64" ? Precision::f64 : Precision::f32;
  for (const std::string& method : given.methods) options.methods.push_back(method_from_text(method));
  for (const std::string& sums : given.sums) options.sum_tunings.push_back(sum_tuning_from_text(sums));
  if (options.sum_tunings.empty()) options.sum_tunings.emplace_back();
  if (given.fused) options.path = Path::fused;
  if (given.staged) options.path = Path::staged;
  options.tune = given.tune == "off" ? Tune::off : given.tune == "measure" ? Tune::measure : Tune::model;
  if (!given.memory.empty()) options.memory_limit_bytes = bytes_from_text(given.memory);
  if (!given.piece.empty()) options.piece_bytes = bytes_from_text(given.piece);
  if (!given.padded.empty()) options.choice = {shape_from(given.padded), shape_from(given.tiles), options.tuning};
  options.host_to_host = !given.no_host;
  options.command = "convoy-bench";  // wherever it lies
  for (int i = 1; i < argc; ++i) options.command += " " + std::string(argv[i]);
  return options;
}

std::string list_of_cases() {
  std::string text = fmt::format("{:<28}{:<20}{:<18}{:<10}{:<11}{}\n", "case", "image (z,y,x)", "kernel", "mode",
                                 "CPU scale", "seen as");
  for (const auto* cases : {&standard_cases(), &shape_cases(), &tiny_cases()}) {
    for (const BenchCase& one : *cases) {
      text += fmt::format("{:<28}{:<20}{:<18}{:<10}{:<11}{}\n", one.name, to_text(one.image), to_text(one.kernel),
                          name(one.mode), one.cpu_scale, one.seen_as);
    }
  }
  return text;
}

}  // namespace convoy::bench
