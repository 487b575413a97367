// The program `convoy-mpi`: `convoy convolve` and `convoy deconvolve` on the ranks of an MPI job, each with its own
// devices and part.
#include <string_view>

#include "cli/command_line.hpp"
#include "cli/convolve.hpp"
#include "cli/deconvolve.hpp"
#include "cli/interrupt.hpp"
#include "cli/outcome.hpp"
#include "cli/print.hpp"
#include "convoy/version.hpp"
#include "mpi/mpi_rank.hpp"
#include "mpi/world.hpp"

namespace {

constexpr const char* kForRanks =
    "The devices of a machine (all of its GPUs, unless --devices or --backend say otherwise) are dealt out to its\n"
    "ranks. --memory-limit and --ram-limit are for each rank. Exit codes: 0 done, 1 failed, 2 wrong usage, 128 and\n"
    "the signal's number if a signal ended it: 130 after Ctrl-C, 143 after SIGTERM.\n"
    "Examples:\n";

void describe_convolution(CLI::App& program) {
  program.name("convoy-mpi");
  program.footer(std::string("convoy-mpi deconvolve restores in place of convolving; convoy-mpi deconvolve --help.\n"
                             "Each rank computes one region of the output, and rank 0 writes it.\n") +
                 kForRanks +
                 "  mpirun -n 4 --bind-to none convoy-mpi image.zarr psf.tif blurred.zarr\n"
                 "  srun --ntasks-per-node=8 --gpus-per-node=8 convoy-mpi big.tif psf.tif blurred.ome.tif --resume");
}

void describe_deconvolution(CLI::App& program) {
  program.name("convoy-mpi deconvolve");
  program.footer(
      std::string(
          "Each rank restores some of the images (time points and channels), or, of a single one, one region in\n"
          "fast tiles, and rank 0 writes them. With the same --core (the report has it) one process gives the\n"
          "same voxels.\n") +
      kForRanks +
      "  mpirun -n 4 --bind-to none convoy-mpi deconvolve movie.zarr psf405.tif,psf561.tif restored.zarr --resume\n"
      "  mpirun -n 4 --bind-to none convoy-mpi deconvolve huge.zarr psf.tif restored.zarr --core 64,512,512");
}

}  // namespace

int main(int count, char** arguments) {
  using namespace convoy;
  cli::open_standard_streams();
  cli::catch_interrupts();
  mpi::World world(count, arguments);
  cli::remember_command_line(count, arguments);
  mpi::MpiRank workplace(world);
  const bool restores = count > 1 && std::string_view(arguments[1]) == "deconvolve";
  CLI::App program(restores ? "Restoration of images of any size on the ranks of an MPI job."
                            : "Convolution of an image of any size on the ranks of an MPI job.");
  program.set_version_flag("-V,--version", "convoy-mpi " CONVOY_VERSION);
  program.get_formatter()->column_width(36);
  if (restores) {
    describe_deconvolution(program);
    cli::make_deconvolve_command(program, workplace);
    --count;
    ++arguments;
  } else {
    describe_convolution(program);
    cli::make_convolve_command(program, workplace);
  }
  const cli::Outcome own = cli::run_program(program, count, arguments, workplace.is_root());
  const mpi::Outcome all = workplace.end({own.exit_code, own.problem});
  cli::begin_ending();
  if (!all.problem.empty()) cli::print_message("convoy-mpi: {}\n", all.problem);
  if (all.exit_code == cli::kDone && !cli::results_are_printed()) return cli::kFailed;
  return all.exit_code;
}
