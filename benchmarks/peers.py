#!/usr/bin/env python3
"""Times CuPy, PyTorch and scipy on the cases of a convoy-bench run and writes the same JSON.

Each library convolves in the way its users do, the answer is checked against direct sums first, and only libraries that
can be imported take part. "spectrum cached" pipelines transform the kernel once, beforehand; fftconvolve transforms it
every time.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import sys
import time

import results
from peer_libraries import LIBRARIES, Problem, processor_name

TOLERANCE = {"f32": 5e-6, "f64": 1e-13}
BATCH_SECONDS = 0.025


def relative_error(values, truth):
    difference = sum((a - b) ** 2 for a, b in zip(values, truth)) ** 0.5
    return difference / (sum(b * b for b in truth) ** 0.5 or 1.0)


def timed(library, operation, repeats, budget_seconds):
    """Seconds an operation, in batches long enough that the end of one is not seen."""
    library.batch_seconds(1, operation)
    once = library.batch_seconds(1, operation)
    size = max(1, min(200, int(BATCH_SECONDS / max(once, 1e-9)) + 1))
    values = []
    started = time.perf_counter()
    while len(values) < repeats and (len(values) < 3 or time.perf_counter() - started < budget_seconds):
        values.append(library.batch_seconds(size, operation) / size)
    return {"min": min(values), "median": statistics.median(values), "max": max(values), "batch_size": size,
            "num_batches": len(values)}


def measure(kind, problem, arguments):
    """One result, or None where the library has no such mode. Raises ImportError where there is no library."""
    library = kind(problem, arguments.threads)
    if not library.supports():
        return None
    result = {**problem.identity, "implementation": kind.name, "backend": kind.backend,
              "device_id": "cpu" if kind.backend == "cpu" else "cuda:0", "num_threads": arguments.threads, "passed": False}
    try:
        library.load()
        result.update(device=library.device, driver=library.driver, libraries=library.libraries)
        if library.padded:
            result["padded_zyx"] = list(library.padded)
        positions = problem.sample_positions()
        output = library.convolve()
        output = output if problem.batch == 1 else output[-1]
        error = relative_error([float(output[p]) for p in positions], [library.direct_sum(p) for p in positions])
        del output
        result.update(error_relative_l2=error, tolerance_relative_l2=TOLERANCE[problem.precision],
                      num_voxels_checked=len(positions), passed=error <= TOLERANCE[problem.precision])
        if not result["passed"]:
            result["failure"] = f"wrong by {error:.2g}"
            return result
        library.release()
        result["resident_seconds"] = timed(library, library.convolve, arguments.repeats, arguments.budget)
        if library.peak_bytes():
            result["device_bytes"] = library.peak_bytes()
        if kind.backend == "cpu":
            result["host_to_host_seconds"] = result["resident_seconds"]
        elif not arguments.no_host:
            operation = library.host_to_host
            values = [library.batch_seconds(1, operation) for _ in range(4)][1:]
            result["host_to_host_seconds"] = {"min": min(values), "median": statistics.median(values),
                                              "max": max(values), "batch_size": 1, "num_batches": len(values)}
    except ImportError:
        raise
    except Exception as refused:  # a peer that runs out of memory is a result, not an end
        result["failure"] = f"{type(refused).__name__}: {refused}"[:300]
        result["passed"] = False
    try:
        library.release()
    except Exception:
        pass
    return result


def write(path, found, beside):
    document = {"schema_version": 1, "made_by": "peers.py", "convoy_version": beside.get("convoy_version"),
                "commit": beside.get("commit"), "command": " ".join(["peers.py", *sys.argv[1:]]),
                "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "host_cpu": processor_name(), "system": f"{platform.system()} {platform.release()} {platform.machine()}",
                "results": found}
    with open(path + ".part", "w") as file:
        json.dump(document, file, indent=1)
    os.replace(path + ".part", path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("beside", help="JSON of convoy-bench: its cases are run")
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--libraries", default=",".join(LIBRARIES), help="default: %(default)s")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="for scipy (default: all)")
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--budget", type=float, default=4, help="seconds to time each case for, at least 3 values")
    parser.add_argument("--no-host", action="store_true", help="leave out times from host memory to host memory")
    arguments = parser.parse_args()

    with open(arguments.beside) as file:
        beside = json.load(file)
    problems = {results.problem(r): (Problem(r), results.on_cpu(r)) for r in beside["results"]}
    found = []
    for name in arguments.libraries.split(","):
        kind = LIBRARIES[name]
        for problem, made_for_cpu in problems.values():
            if made_for_cpu != (kind.backend == "cpu"):
                continue
            try:
                result = measure(kind, problem, arguments)
            except ImportError as absent:
                print(f"{kind.name}: not here ({absent})", flush=True)
                break
            if result is None:
                continue
            found.append(result)
            time_text = results.milliseconds(results.seconds(result))
            print(f"{results.case_label(result):<22}{kind.name:<20}{time_text:>10} ms  {result.get('failure', '')}", flush=True)
            write(arguments.output, found, beside)
    return 0 if all(r["passed"] or "error_relative_l2" not in r for r in found) else 1


if __name__ == "__main__":
    sys.exit(main())
