// The program `convoy-mpi`: `convoy convolve` on the ranks of an MPI job, each with its own devices and region.
#include "cli/command_line.hpp"
#include "cli/interrupt.hpp"
#include "cli/outcome.hpp"
#include "cli/print.hpp"
#include "convoy/version.hpp"
#include "mpi/mpi_rank.hpp"
#include "mpi/world.hpp"

namespace {

void describe(CLI::App& program) {
  program.name("convoy-mpi");
  program.set_version_flag("-V,--version", "convoy-mpi " CONVOY_VERSION);
  program.get_formatter()->column_width(36);
  program.footer(
      "Each rank computes one region of the output, and rank 0 writes it. The devices of a machine (all of its GPUs,\n"
      "unless --devices or --backend say otherwise) are dealt out to its ranks. --memory-limit and --ram-limit are "
      "for\n"
      "each rank. Exit codes: 0 done, 1 failed, 2 wrong usage, 128 and the signal's number if a\n"
      "signal ended it: 130 after Ctrl-C, 143 after SIGTERM.\n"
      "Examples:\n"
      "  mpirun -n 4 --bind-to none convoy-mpi image.zarr psf.tif blurred.zarr\n"
      "  srun --ntasks-per-node=8 --gpus-per-node=8 convoy-mpi big.tif psf.tif blurred.ome.tif --resume");
}

}  // namespace

int main(int count, char** arguments) {
  using namespace convoy;
  cli::open_standard_streams();
  cli::catch_interrupts();
  mpi::World world(count, arguments);
  cli::remember_command_line(count, arguments);
  mpi::MpiRank workplace(world);
  CLI::App program("Convolution of an image of any size on the ranks of an MPI job.");
  describe(program);
  cli::make_convolve_command(program, workplace);
  const cli::Outcome own = cli::run_program(program, count, arguments, workplace.is_root());
  const mpi::Outcome all = workplace.end({own.exit_code, own.problem});
  cli::begin_ending();
  if (!all.problem.empty()) cli::print_message("convoy-mpi: {}\n", all.problem);
  if (all.exit_code == cli::kDone && !cli::results_are_printed()) return cli::kFailed;
  return all.exit_code;
}
