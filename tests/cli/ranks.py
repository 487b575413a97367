"""convoy-mpi on ranks of this machine, for tests whose arguments are PROGRAM CONVOY_MPI MPIRUN; skipped where there is no mpirun."""
import os
import subprocess
import sys

MPI, MPIRUN = sys.argv[2:4]
if not os.access(MPIRUN, os.X_OK):
    print(f"SKIPPED: there is no mpirun ({MPIRUN})")
    sys.exit(0)
ROOT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}  # containers have no other user
ENVIRONMENT = {**os.environ, **ROOT, "CONVOY_THREADS": "1"}
RANKS = (MPIRUN, "--oversubscribe", "--bind-to", "none")


def command_of(*parts):
    """Each part is (number of ranks, variables, words)."""
    command = [*RANKS]
    for number, variables, words in parts:
        command += [":"] * (len(command) > len(RANKS)) + ["-n", str(number)]
        for name, value in variables.items():
            command += ["-x", f"{name}={value}"]
        command += [MPI, *map(str, words)]
    return command


def ranks(*parts):
    return subprocess.run(command_of(*parts), capture_output=True, text=True, timeout=300, env=ENVIRONMENT)


def own_lines(done):
    """What convoy-mpi says on stderr: hwloc and Open MPI warn there too, of what a machine hides from them."""
    return [line for line in done.stderr.splitlines() if "convoy" in line]


probe = subprocess.run([*RANKS, "-n", "2", "true"], capture_output=True, text=True, env={**os.environ, **ROOT}, timeout=300)
if probe.returncode != 0:
    print("SKIPPED: mpirun starts no processes here:", probe.stderr.strip().splitlines()[:2])
    sys.exit(0)
